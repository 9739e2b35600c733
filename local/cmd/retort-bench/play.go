package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ran is one dataset's run.
type ran struct {
	Dataset string          `json:"dataset"`
	Prompts int             `json:"prompts"`
	WallS   float64         `json:"wall_s"`
	Beside  []int           `json:"asked_by_others_at_its_end,omitempty"` // in the order of the other runs
	Final   json.RawMessage `json:"final_status"`

	recipe string
	mu     sync.Mutex
	asked  int // as last heard
}

func (r *ran) hear(status json.RawMessage) {
	var s struct {
		Asked int `json:"asked"`
	}
	if json.Unmarshal(status, &s) == nil {
		r.mu.Lock()
		r.asked = max(r.asked, s.Asked)
		r.mu.Unlock()
	}
}

func (r *ran) heard() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// killed says what a kill -9 cost.
type killed struct {
	AtAnswered  int64   `json:"at_answered"`
	NextAskS    float64 `json:"next_request_after_s"` // from the new process's start
	CompleteS   float64 `json:"complete_after_s"`     // from the new process's start
	restartedAt time.Time
}

// play runs all datasets at once, kills and joins as told, and measures.
func (s *site) play(ctx context.Context) (*measured, error) {
	o := s.o
	total := o.prompts()
	m := &measured{Prompts: total, LatencyMS: float64(o.Latency) / 1e6, Concurrency: o.Concurrency, Workers: o.Workers, CPU: map[string]float64{}, PeakMB: map[string]float64{}}
	for i, n := range o.Prompts {
		r := &ran{Dataset: fmt.Sprintf("bench%d", i+1), Prompts: n}
		var err error
		if r.recipe, err = s.recipe(r.Dataset, n); err != nil {
			return nil, err
		}
		m.Runs = append(m.Runs, r)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	aside := make(chan error, 2)
	asides := 0
	if o.Kill {
		asides++
		go func() { var err error; m.Kill, err = s.killHalfWay(ctx); aside <- err }()
	}
	if o.Join {
		asides++
		go func() { var err error; m.Thirds, err = s.joinAndLeave(ctx); aside <- err }()
	}
	start := time.Now()
	err := s.runAll(ctx, m.Runs)
	ended := time.Now()
	if err != nil {
		return nil, err
	}
	for range asides {
		if err := <-aside; err != nil {
			return nil, err
		}
	}
	m.WallS = ended.Sub(start).Seconds()
	if m.Kill != nil {
		m.Kill.CompleteS = ended.Sub(m.Kill.restartedAt).Seconds()
	}
	return m, s.measureServers(ctx, m)
}

func (s *site) runAll(ctx context.Context, runs []*ran) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(runs))
	var wait sync.WaitGroup
	for i, r := range runs {
		wait.Go(func() {
			start := time.Now()
			if r.Final, errs[i] = s.run(ctx, r.recipe, r.hear); errs[i] != nil {
				cancel() // one that failed makes the measurement worthless
			}
			r.WallS = time.Since(start).Seconds()
			for _, other := range runs {
				if other != r {
					r.Beside = append(r.Beside, other.heard())
				}
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// measureServers fills in what all processes used, from their start on: CPU of starting is a part of the price.
func (s *site) measureServers(ctx context.Context, m *measured) error {
	for name, p := range s.all {
		m.CPU[name] = p.cpuSeconds() / float64(m.Prompts) * 1000
		if name != "teacher" {
			m.CPUSum += m.CPU[name]
		}
		m.PeakMB[name] = p.peakMB()
	}
	stats, err := s.stats(ctx)
	if err != nil {
		return err
	}
	m.Repeats = stats.Repeats
	m.SpanS = stats.LastRequest.Sub(stats.FirstRequest).Seconds() + s.o.Latency.Seconds()
	m.RowsPerS = float64(m.Prompts) / m.WallS
	ideal := float64(m.Prompts) / float64(s.o.Concurrency) * s.o.Latency.Seconds()
	m.IdealSpan, m.IdealWall = ideal/m.SpanS, ideal/m.WallS
	m.Counts, err = s.count(ctx, m.Prompts)
	return err
}

// killHalfWay kills the first worker at half of the answers and starts it again at once.
func (s *site) killHalfWay(ctx context.Context) (*killed, error) {
	at, err := s.await(ctx, func(st teacherStats) bool { return st.Answered >= int64(s.o.prompts()/2) })
	if err != nil {
		return nil, err
	}
	k := &killed{AtAnswered: at.Answered}
	p := s.processes["worker"]
	p.cmd.Process.Kill() //nolint:errcheck // it is awaited
	<-p.ended
	dead, err := s.stats(ctx)
	if err != nil {
		return nil, err
	}
	k.restartedAt = time.Now()
	if err := s.startWorker(0); err != nil {
		return nil, err
	}
	_, err = s.await(ctx, func(st teacherStats) bool { return st.LastRequest.After(dead.LastRequest) })
	k.NextAskS = time.Since(k.restartedAt).Seconds()
	return k, err
}

// joinAndLeave starts a further worker at a third and stops the first at two thirds; it returns the rates of the thirds.
func (s *site) joinAndLeave(ctx context.Context) ([]float64, error) {
	var rates []float64
	first, err := s.await(ctx, func(st teacherStats) bool { return st.Answered > 0 })
	last, lastAt := first.Answered, time.Now()
	third := int64(s.o.prompts() / 3)
	for i := int64(1); i <= 3 && err == nil; i++ {
		var st teacherStats
		want := min(i*third, int64(s.o.prompts())-1)
		st, err = s.await(ctx, func(st teacherStats) bool { return st.Answered >= want })
		rates = append(rates, float64(st.Answered-last)/time.Since(lastAt).Seconds())
		last, lastAt = st.Answered, time.Now()
		switch {
		case err == nil && i == 1:
			err = s.startWorker(s.o.Workers)
		case err == nil && i == 2:
			err = s.processes["worker"].cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	return rates, err
}

type teacherStats struct {
	FirstRequest time.Time `json:"first_request"`
	LastRequest  time.Time `json:"last_request"`
	Answered     int64     `json:"answered"`
	Repeats      int64     `json:"repeats"`
}

// await polls the teacher, which tells nobody by itself.
func (s *site) await(ctx context.Context, enough func(teacherStats) bool) (teacherStats, error) {
	for {
		st, err := s.stats(ctx)
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

func (s *site) stats(ctx context.Context) (teacherStats, error) {
	var st teacherStats
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.teacher, "/v1")+"/stats", nil)
	if err != nil {
		return st, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return st, err
	}
	return st, json.Unmarshal(body, &st)
}
