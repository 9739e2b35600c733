package site

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/local/stack"
)

// Counts are what servers were asked and keep, whatever the machine's speed.
type Counts struct {
	Events       int64            `json:"temporal_events"`
	EventsOf     map[string]int64 `json:"temporal_events_of"` // by workflow type
	Executions   int64            `json:"temporal_executions"`
	HistoryBytes int64            `json:"temporal_history_bytes"`
	TemporalMB   float64          `json:"temporal_disk_mb"`
	S3           map[string]int64 `json:"s3_requests"` // by HTTP method
	S3Requests   int64            `json:"s3_requests_total"`
	S3In         int64            `json:"s3_bytes_in"`
	S3Out        int64            `json:"s3_bytes_out"`
	S3MB         float64          `json:"s3_disk_mb"`
}

// Count asks Temporal for the length of every history, and the gateway what it was asked since it started.
func (s *Site) Count(ctx context.Context) (*Counts, error) {
	k := &Counts{EventsOf: map[string]int64{}}
	if err := s.countEvents(ctx, k); err != nil {
		return nil, fmt.Errorf("count Temporal's events: %w", err)
	}
	r, err := stack.S3Requests(ctx, s.S3Endpoint)
	if err != nil {
		return nil, fmt.Errorf("count S3 requests: %w", err)
	}
	k.S3, k.S3Requests, k.S3In, k.S3Out = r.Methods, r.Total(), r.BytesIn, r.BytesOut
	k.TemporalMB, k.S3MB = s.DiskMB(Temporal), s.DiskMB(S3)
	return k, nil
}

// DiskMB is what a part keeps on disk; files that vanish meanwhile aren't counted.
func (s *Site) DiskMB(name string) (mb float64) {
	filepath.WalkDir(filepath.Join(s.Dir, name), func(_ string, d fs.DirEntry, err error) error { //nolint:errcheck // it returns none
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			mb += float64(info.Size()) / (1 << 20)
		}
		return nil
	})
	return mb
}

func (s *Site) countEvents(ctx context.Context, k *Counts) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: s.TemporalAddress, Logger: quiet{}})
	if err != nil {
		return err
	}
	defer c.Close()
	var page []byte
	for {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{NextPageToken: page, PageSize: 500})
		if err != nil {
			return err
		}
		for _, e := range list.Executions {
			if strings.HasPrefix(e.Type.Name, "temporal-sys-") {
				continue
			}
			d, err := c.DescribeWorkflowExecution(ctx, e.Execution.WorkflowId, e.Execution.RunId)
			if err != nil {
				return err
			}
			info := d.WorkflowExecutionInfo
			k.Executions++
			k.Events += info.HistoryLength
			k.EventsOf[e.Type.Name] += info.HistoryLength
			k.HistoryBytes += info.HistorySizeBytes
		}
		if page = list.NextPageToken; len(page) == 0 {
			return nil
		}
	}
}

// quiet drops the SDK's own messages: whatever matters comes back as an error.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// Stats are what the teacher counts.
type Stats struct {
	FirstRequest time.Time `json:"first_request"`
	LastRequest  time.Time `json:"last_request"`
	Answered     int64     `json:"answered"`
	Repeats      int64     `json:"repeats"` // requests that it had answered before
}

// Stats asks the teacher.
func (s *Site) Stats(ctx context.Context) (Stats, error) {
	var st Stats
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.TeacherURL, "/v1")+"/stats", nil)
	if err != nil {
		return st, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	return st, json.NewDecoder(resp.Body).Decode(&st)
}

// Await polls the teacher, which tells nobody by itself, until enough says so.
func (s *Site) Await(ctx context.Context, enough func(Stats) bool) (Stats, error) {
	for {
		st, err := s.Stats(ctx)
		if err != nil || enough(st) {
			return st, err
		}
		select {
		case <-ctx.Done():
			return st, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
