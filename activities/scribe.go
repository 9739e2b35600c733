package activities

import (
	"context"
	"sync"
	"time"

	"github.com/retort-data/retort/schema"
)

const (
	// journalEvery and journalMost bound what a killed worker loses: an answer is durable after a second or 64 answers, but where 64 take
	// less than journalGap, up to journalLargest share a part: a put costs the same whatever is in it, and less time is at stake.
	journalEvery   = time.Second
	journalMost    = 64
	journalGap     = 200 * time.Millisecond
	journalLargest = 512
)

// scribe journals answers as they come, one part at a time, in the background.
type scribe struct {
	j     *journal
	purse *purse
	in    chan schema.Response
	raise chan chan struct{}
	done  chan struct{}

	mu    sync.Mutex
	err   error
	broke context.CancelCauseFunc
	count func([]schema.Response) // told what became durable
}

// newScribe starts journalling; broke is called with the first error, so that no more is asked that couldn't be kept.
func newScribe(ctx context.Context, j *journal, p *purse, broke context.CancelCauseFunc, count func([]schema.Response)) *scribe {
	s := &scribe{j: j, purse: p, in: make(chan schema.Response, journalMost), raise: make(chan chan struct{}),
		done: make(chan struct{}), broke: broke, count: count}
	go s.write(context.WithoutCancel(ctx))
	return s
}

func (s *scribe) write(ctx context.Context) {
	defer close(s.done)
	var waiting []schema.Response
	var last time.Time // of a part
	tick := time.NewTimer(journalEvery)
	tick.Stop()
	for {
		select {
		case a, ok := <-s.in:
			if !ok {
				if len(waiting) > 0 || s.purse.bounded() {
					s.put(ctx, waiting, true)
				}
				return
			}
			if len(waiting) == 0 {
				tick.Reset(journalEvery)
			}
			waiting = append(waiting, a)
			gap := journalGap - time.Since(last)
			if len(waiting) == journalMost && gap > 0 {
				tick.Reset(gap)
			}
			if len(waiting) < journalMost || gap > 0 && len(waiting) < journalLargest {
				continue
			}
		case told := <-s.raise:
			tick.Stop()
			s.put(ctx, waiting, false)
			waiting, last = nil, time.Now()
			close(told)
			continue
		case <-tick.C:
		}
		tick.Stop()
		s.put(ctx, waiting, false)
		waiting, last = nil, time.Now()
	}
}

// mostAway is how long the scribe waits for a store that is away before it gives the attempt up: the answers that it holds are paid for.
// pauseAway is the time between two tries.
const (
	mostAway  = 2 * time.Minute
	pauseAway = 250 * time.Millisecond
)

func (s *scribe) put(ctx context.Context, answers []schema.Response, last bool) {
	if s.failed() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, mostAway)
	defer cancel()
	head := s.purse.header(last)
	if err := s.insist(ctx, head, answers); err != nil {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		s.broke(err)
		return
	}
	s.purse.durable(head)
	s.count(answers)
}

// insist puts a part, again while the store is away. Nobody sends more meanwhile than there is room for in the channel.
func (s *scribe) insist(ctx context.Context, head partHeader, answers []schema.Response) error {
	for {
		err := s.j.put(ctx, head, answers)
		if err == nil || s.j.rooms.hasty || schema.KindOf(err) != schema.KindRetry {
			return err
		}
		select {
		case <-time.After(pauseAway):
		case <-ctx.Done():
			return err
		}
	}
}

// lend puts a part now, so that more of the lease may be spent; false where there is no more.
func (s *scribe) lend(ctx context.Context) bool {
	if !s.purse.more() {
		return false
	}
	told := make(chan struct{})
	select {
	case s.raise <- told:
		<-told
		return s.failed() == nil
	case <-ctx.Done():
		return false
	}
}

func (s *scribe) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// close waits until all is durable.
func (s *scribe) close() error {
	close(s.in)
	<-s.done
	return s.err
}
