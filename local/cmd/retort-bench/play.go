package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/retort-data/retort/local/site"
	"github.com/retort-data/retort/workflows"
)

// bench is a site that is measured.
type bench struct {
	*site.Site
	o options
}

// more are further lines of the recipe.
func (s *bench) more() string {
	if s.o.Checks == "" {
		return ""
	}
	return "checks: " + s.o.Checks + "\n"
}

// ran is one dataset's run.
type ran struct {
	Dataset string          `json:"dataset"`
	Prompts int             `json:"prompts"`
	WallS   float64         `json:"wall_s"`
	Beside  []int           `json:"asked_by_others_at_its_end,omitempty"` // in the order of the other runs
	Steps   []site.Step     `json:"steps"`                                // in the order of their first start
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
func (s *bench) play(ctx context.Context) (*measured, error) {
	o := s.o
	total := o.prompts()
	m := &measured{Prompts: total, LatencyMS: float64(o.Latency) / 1e6, Concurrency: o.Concurrency, Workers: o.Workers, CPU: map[string]float64{}, PeakMB: map[string]float64{}}
	for i, n := range o.Prompts {
		r := &ran{Dataset: fmt.Sprintf("bench%d", i+1), Prompts: n}
		var err error
		if r.recipe, err = s.Recipe(r.Dataset, n, s.more()); err != nil {
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
	sampling, stopSampling := context.WithCancel(ctx)
	sampled := s.sampleMemory(sampling)
	start := time.Now()
	err := s.runAll(ctx, m.Runs)
	ended := time.Now()
	stopSampling()
	m.Memory = <-sampled
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

func (s *bench) runAll(ctx context.Context, runs []*ran) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(runs))
	var wait sync.WaitGroup
	for i, r := range runs {
		wait.Go(func() {
			start := time.Now()
			if r.Final, errs[i] = s.Run(ctx, r.recipe, r.hear); errs[i] != nil {
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
func (s *bench) measureServers(ctx context.Context, m *measured) error {
	for _, p := range s.Processes() {
		cpu := p.CPUSeconds() / float64(m.Prompts) * 1000
		m.CPU[p.Name] += cpu
		if p.Name != site.Teacher {
			m.CPUSum += cpu
		}
		m.PeakMB[p.Name] = max(m.PeakMB[p.Name], p.PeakMB())
	}
	stats, err := s.Stats(ctx)
	if err != nil {
		return err
	}
	m.Repeats = stats.Repeats
	m.SpanS = stats.LastRequest.Sub(stats.FirstRequest).Seconds() + s.o.Latency.Seconds()
	m.RowsPerS = float64(m.Prompts) / m.WallS
	ideal := float64(m.Prompts) / float64(s.o.Concurrency) * s.o.Latency.Seconds()
	m.IdealSpan, m.IdealWall = ideal/m.SpanS, ideal/m.WallS
	m.Counts, err = s.Count(ctx)
	if err != nil {
		return err
	}
	for _, r := range m.Runs {
		if r.Steps, err = s.Steps(ctx, workflows.GenerateID(site.Bucket, "", r.Dataset)); err != nil {
			return err
		}
	}
	thousands := float64(m.Prompts) / 1000
	m.EventsPer1000, m.RequestsPer1000 = float64(m.Counts.Events)/thousands, float64(m.Counts.S3Requests)/thousands
	m.S3BytesPer = float64(m.Counts.S3In) / float64(m.Prompts)
	return nil
}

// killHalfWay kills the first worker at half of the answers and starts it again at once.
func (s *bench) killHalfWay(ctx context.Context) (*killed, error) {
	at, err := s.Await(ctx, func(st site.Stats) bool { return st.Answered >= int64(s.o.prompts()/2) })
	if err != nil {
		return nil, err
	}
	k := &killed{AtAnswered: at.Answered}
	s.Process(site.Worker(0)).Kill()
	dead, err := s.Stats(ctx)
	if err != nil {
		return nil, err
	}
	k.restartedAt = time.Now()
	if err := s.StartWorker(0); err != nil {
		return nil, err
	}
	_, err = s.Await(ctx, func(st site.Stats) bool { return st.LastRequest.After(dead.LastRequest) })
	k.NextAskS = time.Since(k.restartedAt).Seconds()
	return k, err
}

// joinAndLeave starts a further worker at a third and stops the first at two thirds; it returns the rates of the thirds.
func (s *bench) joinAndLeave(ctx context.Context) ([]float64, error) {
	var rates []float64
	first, err := s.Await(ctx, func(st site.Stats) bool { return st.Answered > 0 })
	last, lastAt := first.Answered, time.Now()
	third := int64(s.o.prompts() / 3)
	for i := int64(1); i <= 3 && err == nil; i++ {
		var st site.Stats
		want := min(i*third, int64(s.o.prompts())-1)
		st, err = s.Await(ctx, func(st site.Stats) bool { return st.Answered >= want })
		rates = append(rates, float64(st.Answered-last)/time.Since(lastAt).Seconds())
		last, lastAt = st.Answered, time.Now()
		switch {
		case err == nil && i == 1:
			err = s.StartWorker(s.o.Workers)
		case err == nil && i == 2:
			err = s.Process(site.Worker(0)).Drain()
		}
	}
	return rates, err
}
