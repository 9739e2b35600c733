package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/retort-data/retort/local/site"
	"github.com/retort-data/retort/schema"
)

// tally is what became of runs, nights and kills.
type tally struct {
	mu        sync.Mutex
	published []string // datasets
	cancelled []string
	prompts   int // of published runs
	wrong     []string
	kills     int
	nights    map[string]int // by outcome
	fed       int            // collections that came for the nights
}

func (t *tally) note(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
}

func (s *soak) wrong(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	s.Say("%6.0f s  %s", time.Since(s.Began).Seconds(), line)
	s.done.note(func() { s.done.wrong = append(s.done.wrong, line) })
}

// lanes is how many datasets are run at once.
const lanes = 2

// drive lets runs, nights and kills go on until the time is over, and waits for the last of them.
func (s *soak) drive(ctx context.Context) error {
	s.Say("%d runs at once, a night every %v, 429 %.0f%%, 500 %.0f%%, a kill every %v, for %v", lanes, s.Night, 100*rateLimited, 100*serverError, s.Kill, s.For)
	open, cancel := context.WithTimeout(ctx, s.For) // what begins, begins within it
	defer cancel()
	if err := s.schedule(ctx); err != nil {
		return err
	}
	sampled, stopSampling := context.WithCancel(ctx)
	defer stopSampling()
	var work, watch sync.WaitGroup
	for lane := range lanes {
		work.Go(func() {
			for round := 0; open.Err() == nil; round++ {
				s.round(ctx, lane, round)
			}
		})
	}
	work.Go(func() { s.feed(open) })
	if s.Kill > 0 {
		work.Go(func() { s.killAll(ctx, open) })
	}
	watch.Go(func() { s.sampleUntil(sampled) })
	work.Wait()
	stopSampling()
	watch.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.endSchedule(ctx)
}

// insist tries a command again for as long as a part that was killed may take to come back.
func (s *soak) insist(ctx context.Context, args ...string) (out []byte, err error) {
	for range 8 {
		if out, err = s.Do(ctx, args...); err == nil || ctx.Err() != nil {
			return out, err
		}
		time.Sleep(2 * time.Second)
	}
	return out, err
}

var (
	sizes   = []int{150, 600, 2000}
	formats = []string{schema.FormatMessages, schema.FormatPromptCompletion, schema.FormatText}
)

// round is one run of a dataset of its own.
func (s *soak) round(ctx context.Context, lane, round int) {
	n := sizes[(lane+round)%len(sizes)]
	more := "format: " + formats[round%len(formats)]
	if round%4 == 3 {
		more += ", splits: {test: 0.1}"
	}
	dataset := fmt.Sprintf("soak%d-%04d", lane+1, round)
	recipe, err := s.Recipe(dataset, n, "output: {"+more+"}\n")
	if err != nil {
		s.wrong("%s: %v", dataset, err)
		return
	}
	if err := s.begin(ctx, dataset, recipe); err != nil {
		s.wrong("%s was not begun: %v", dataset, err)
		return
	}
	cancel := round%7 == 6
	if cancel {
		_, err := s.insist(ctx, "cancel", dataset)
		if st := site.Newest(ctx, s.objects, dataset); err != nil && (st == nil || !schema.Ended(st.State)) { // while a part was away, it may have ended
			s.wrong("%s was not cancelled: %v", dataset, err)
		}
	}
	st, err := site.Finish(ctx, s.objects, dataset, s.Within)
	switch {
	case err != nil:
		s.wrong("%v", err)
	case cancel && st.State == schema.StateCancelled:
		s.done.note(func() { s.done.cancelled = append(s.done.cancelled, dataset) })
	case st.State != schema.StatePublished:
		s.wrong("%s ended as %s %s", dataset, st.State, st.Reason)
	default:
		s.check(ctx, dataset, n, st)
	}
}

// begin starts a run. Where the reply was lost, it may have begun.
func (s *soak) begin(ctx context.Context, dataset, recipe string) error {
	_, err := s.insist(ctx, "run", "--detach", recipe)
	if err != nil && site.Newest(ctx, s.objects, dataset) != nil {
		return nil
	}
	return err
}

// check holds a published run against its plan, and reads every file again.
func (s *soak) check(ctx context.Context, dataset string, n int, st *schema.Status) {
	if c := st.Counts; !c.Reconciled() || c.Planned != int64(n) || c.Unasked != 0 {
		s.wrong("%s doesn't reconcile: %+v", dataset, c)
	}
	if _, err := s.insist(ctx, "verify", dataset); err != nil {
		s.wrong("%s: %v", dataset, err)
	}
	s.done.note(func() { s.done.published = append(s.done.published, dataset); s.done.prompts += n })
}

// killAll kills a process, every so long. The first worker is never killed: what it uses after an hour is what is asked about.
func (s *soak) killAll(ctx, open context.Context) {
	rng := rand.New(rand.NewPCG(s.Seed, 1)) //nolint:gosec // a choice
	for {
		select {
		case <-open.Done():
			return
		case <-time.After(s.Kill):
		}
		name := []string{site.Worker(1), site.Temporal, site.S3, site.Teacher}[rng.IntN(4)]
		if err := s.Replace(ctx, name); err != nil {
			s.wrong("%s didn't come back: %v", name, err)
			return
		}
		s.done.note(func() { s.done.kills++ })
	}
}
