package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// floorResult is what the bare loop took: no durability, no checks, no files.
type floorResult struct {
	RowsPerS  float64 `json:"rows_per_s"`
	IdealWall float64 `json:"ideal_share_wall"`
}

// floor asks the same prompts in a bare loop of goroutines.
func floor(ctx context.Context, base string, o options) (*floorResult, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.Concurrency}}
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wait sync.WaitGroup
	start := time.Now()
	for range o.Concurrency {
		wait.Go(func() {
			for i := next.Add(1); i <= int64(o.prompts()) && failed.Load() == nil; i = next.Add(1) {
				if err := ask(ctx, client, base, i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wait.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	took := time.Since(start).Seconds()
	ideal := float64(o.prompts()) / float64(o.Concurrency) * o.Latency.Seconds()
	return &floorResult{RowsPerS: float64(o.prompts()) / took, IdealWall: ideal / took}, nil
}

func ask(ctx context.Context, client *http.Client, base string, i int64) error {
	body := fmt.Sprintf(`{"model":"test-1","max_tokens":400,"seed":%d,"messages":[{"role":"user","content":"What is to be said of thing number %d, and why does it matter to those who use it?"}]}`, i, i)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/chat/completions", bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the teacher answered %s", resp.Status)
	}
	return err
}
