package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Stack is a set of running services. The addresses of services that were not
// asked for are empty.
type Stack struct {
	Dir string

	TemporalAddress string // host:port of the gRPC frontend
	Namespace       string
	UIURL           string

	S3Endpoint           string // http://127.0.0.1:PORT, path style
	Region               string
	AccessKey, SecretKey string
	Bucket               string // the first of Buckets
	Buckets              []string

	// Notices are for people: a wished port that was taken and what is used instead.
	Notices []string

	mu       sync.Mutex
	stops    []func() error // in order of start; stopped in reverse
	failed   chan error
	stopOnce sync.Once
	stopErr  error
}

// Start brings up the services of o and returns when all of them answer. On an
// error nothing is left running. ctx bounds the start alone, not the life of
// the stack: end that with Stop.
func Start(ctx context.Context, o Options) (*Stack, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("local stack: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "logs"), 0o755); err != nil {
		return nil, fmt.Errorf("local stack: data directory: %w", err)
	}
	s := &Stack{Dir: o.Dir, Namespace: o.Namespace, failed: make(chan error, 3)}
	if err := s.startAll(ctx, o); err != nil {
		s.Stop()
		return nil, fmt.Errorf("local stack in %s: %w", o.Dir, err)
	}
	return s, nil
}

func (s *Stack) startAll(ctx context.Context, o Options) error {
	p := &ports{}
	defer p.release()
	plan, err := planPorts(p, o)
	if err != nil {
		return err
	}
	s.Notices = p.notices
	p.release()

	// The gateway and Temporal don't know each other: start them side by side.
	s3Up := make(chan error, 1)
	go func() {
		if !o.runs(S3) {
			s3Up <- nil
			return
		}
		s3Up <- s.startS3(ctx, o, plan.s3)
	}()
	if o.runs(Temporal) {
		err = s.startTemporal(ctx, o, plan)
	}
	err = errors.Join(err, <-s3Up)
	if err != nil || !o.runs(UI) {
		return err
	}
	return s.startUI(ctx, o, plan.ui)
}

// portPlan is one port for each listener of the stack; 0 where not needed.
type portPlan struct {
	frontend, history, matching, worker int
	ui, s3                              int
}

func planPorts(p *ports, o Options) (plan portPlan, err error) {
	want := []struct {
		service Service
		name    string
		wish    int
		port    *int
	}{
		{Temporal, "Temporal", o.TemporalPort, &plan.frontend},
		{UI, "Temporal's UI", o.UIPort, &plan.ui},
		{S3, "S3", o.S3Port, &plan.s3},
		{Temporal, "Temporal's history service", 0, &plan.history},
		{Temporal, "Temporal's matching service", 0, &plan.matching},
		{Temporal, "Temporal's worker service", 0, &plan.worker},
	}
	for _, w := range want {
		if !o.runs(w.service) {
			continue
		}
		if *w.port, err = p.take(w.name, w.wish); err != nil {
			return plan, err
		}
	}
	return plan, nil
}

// Failed delivers the error of a service that ended without being stopped.
func (s *Stack) Failed() <-chan error { return s.failed }

// Stop ends the services, the last started first, and waits for them. It may
// be called more than once. Data stays.
func (s *Stack) Stop() error {
	s.stopOnce.Do(func() {
		for i := len(s.stops) - 1; i >= 0; i-- {
			s.stopErr = errors.Join(s.stopErr, s.stops[i]())
		}
	})
	return s.stopErr
}

func (s *Stack) onStop(f func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stops = append(s.stops, f)
}

// logPath is where a service writes what no person needs to see.
func (o Options) logPath(name string) string { return filepath.Join(o.Dir, "logs", name+".log") }
