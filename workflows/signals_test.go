package workflows

import (
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/retort-data/retort/schema"
)

// at calls do when the n-th page is asked.
func (w *world) at(n int, do func(env *testsuite.TestWorkflowEnvironment)) {
	asked := 0
	w.onAsk = func(env *testsuite.TestWorkflowEnvironment, _ schema.AskInput) (got schema.PageCounts, err error, handled bool) {
		w.mu.Lock()
		asked++
		now := asked == n
		w.mu.Unlock()
		if now {
			do(env)
		}
		return
	}
}

func status(t testing.TB, env *testsuite.TestWorkflowEnvironment) (s schema.Status) {
	got, err := env.QueryWorkflow(schema.QueryStatus)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Get(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// A pause starts no more pages and finishes those in flight; a resume goes on to the end.
func TestPauseAndResume(t *testing.T) {
	w := newWorld(40)
	w.at(3, func(env *testsuite.TestWorkflowEnvironment) { env.SignalWorkflow(schema.SignalPause, nil) })
	paused := false
	w.start = func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() { // skipped time passes only while nothing is in flight
			paused = true
			s := status(t, env)
			if s.State != schema.StatePaused {
				t.Errorf("state %s an hour after the pause", s.State)
			}
			if n := int64(len(w.asks) * pageOf); s.Counts.Admitted != n || n > 20*pageOf {
				t.Errorf("%d pages were asked and %d records admitted when nothing was in flight any more", len(w.asks), s.Counts.Admitted)
			}
			if w.saved.State != schema.StatePaused {
				t.Errorf("the status on S3 says %s", w.saved.State)
			}
			env.SignalWorkflow(schema.SignalResume, nil)
		}, time.Hour)
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if !paused || got.Counts.Admitted != w.plan.Requests {
		t.Errorf("paused %v, admitted %d", paused, got.Counts.Admitted)
	}
}

// A cancel stops what is being asked, takes together what its journals have, and decides it: every answer that was paid for counts.
func TestCancelClosesPagesInFlight(t *testing.T) {
	for name, cancel := range map[string]func(*testsuite.TestWorkflowEnvironment){
		"our signal":            func(env *testsuite.TestWorkflowEnvironment) { env.SignalWorkflow(schema.SignalCancel, nil) },
		"Temporal's own cancel": func(env *testsuite.TestWorkflowEnvironment) { env.CancelWorkflow() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(40)
			ended := make(chan struct{})
			t.Cleanup(func() { close(ended) })
			inFlight := 0
			w.onAsk = func(env *testsuite.TestWorkflowEnvironment, in schema.AskInput) (got schema.PageCounts, err error, handled bool) {
				if in.Close || in.Page.Number < 10 {
					return
				}
				w.mu.Lock()
				w.journals[in.Page] = 3
				inFlight++
				all := inFlight == mostAsking // and each has journaled
				w.mu.Unlock()
				if all {
					cancel(env)
				}
				<-ended // it is stopped while it waits for answers
				return got, faulty(schema.KindRetry, "interrupted"), true
			}
			got := w.mustEnd(t, GenerateInput{}, schema.StateCancelled)
			if got.Counts.Admitted != 10*pageOf+8*3 || got.Counts.Unasked != 30*pageOf-8*3 {
				t.Errorf("counts %+v, want 100 of whole pages and 3 of each of 8 in flight", got.Counts)
			}
			if got.Asked != got.Counts.Admitted {
				t.Errorf("asked %d, admitted %d", got.Asked, got.Counts.Admitted)
			}
			if len(w.published) > 0 {
				t.Error("a cancelled run was published")
			}
			if w.saved.State != schema.StateCancelled {
				t.Errorf("the status on S3 says %s", w.saved.State)
			}
		})
	}
}

// A paused run can be cancelled.
func TestCancelWhilePaused(t *testing.T) {
	w := newWorld(40)
	w.at(3, func(env *testsuite.TestWorkflowEnvironment) { env.SignalWorkflow(schema.SignalPause, nil) })
	w.start = func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(schema.SignalCancel, nil) }, time.Hour)
	}
	w.mustEnd(t, GenerateInput{}, schema.StateCancelled)
}

// However often the state changes, one status is saved at a time and the last one is what stands (the world holds the first).
func TestStatusesAreSavedInOrder(t *testing.T) {
	w := newWorld(60)
	w.onAsk = func(env *testsuite.TestWorkflowEnvironment, _ schema.AskInput) (got schema.PageCounts, err error, handled bool) {
		env.SignalWorkflow(schema.SignalPause, nil)
		env.SignalWorkflow(schema.SignalResume, nil)
		return
	}
	w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if w.saved.State != schema.StatePublished || w.saved.Version != 1 {
		t.Errorf("the status on S3 says %s", w.saved.State)
	}
}
