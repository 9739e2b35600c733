package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/retort-data/retort/local/site"
)

// sample is a value at a time; work is how many prompts had been published by then.
type sample struct {
	at    time.Duration
	value float64
	work  int
}

type series []sample

// samples are series by name.
type samples map[string]series

const mostSamples = 400

// sampleUntil takes samples of all processes and folders.
func (s *soak) sampleUntil(ctx context.Context) {
	s.samples = samples{}
	tick := time.NewTicker(max(time.Second, s.For/mostSamples))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.sample(ctx)
		}
	}
}

func (s *soak) sample(ctx context.Context) {
	at := time.Since(s.Began)
	work := 0
	s.done.note(func() { work = s.done.prompts })
	add := func(name string, value float64) { s.samples[name] = append(s.samples[name], sample{at, value, work}) }
	for _, name := range []string{site.Worker(0), site.Worker(1), site.Temporal, site.S3} {
		if p := s.Process(name); p.ResidentMB() > 0 { // else it is being replaced
			add(name+" memory", p.ResidentMB())
			add(name+" files", float64(p.Files()))
		}
	}
	if g, err := s.Gauges(ctx, 0); err == nil {
		add(site.Worker(0)+" goroutines", g["go_goroutines"])
		add(site.Worker(0)+" heap", g["go_memstats_heap_alloc_bytes"]/(1<<20))
	}
	add("scratch disk", s.DiskMB("scratch"))
	add("temporal disk", s.DiskMB(site.Temporal))
	add("s3 disk", s.DiskMB(site.S3))
}

// scratchFolders counts those that workers have, or have left.
func (s *soak) scratchFolders() (n int) {
	entries, err := os.ReadDir(s.Scratch())
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if ok, _ := filepath.Match("retort-*", e.Name()); ok {
			n++
		}
	}
	return n
}
