package workflows

import (
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/retort-data/retort/schema"
)

// renewEvery asks for a new history after every n-th page that was asked in one.
func (w *world) renewEvery(n int, also func(env *testsuite.TestWorkflowEnvironment)) {
	asked := 0
	before := w.start
	w.start = func(env *testsuite.TestWorkflowEnvironment) {
		asked = 0
		if before != nil {
			before(env)
		}
	}
	w.each = func(env *testsuite.TestWorkflowEnvironment, name string) {
		if name != schema.StepAsk {
			return
		}
		if asked++; asked == n {
			env.SetCurrentHistoryLength(freshHistory + 1)
			if also != nil {
				also(env)
			}
		}
	}
}

// Over many histories every page is decided once, in one row of numbers, on one chain of roots (the world holds that).
func TestContinuesAsNew(t *testing.T) {
	w := newWorld(20, 20)
	w.renewEvery(5, nil)
	got := w.mustEnd(t, GenerateInput{Program: "test"}, schema.StatePublished)
	if w.renewals < 2 {
		t.Errorf("%d renewals", w.renewals)
	}
	if len(w.admits) != 40 || got.Counts.Admitted != w.plan.Requests || got.Cost.Micros != w.plan.Requests*3 || got.Generator != "test" {
		t.Errorf("%d pages were decided; status %+v", len(w.admits), got)
	}
}

// A pause that comes with the last event of a history is carried into the next one, and a cancel too.
func TestNoSignalIsLostOverContinueAsNew(t *testing.T) {
	for _, signal := range []string{schema.SignalPause, schema.SignalCancel} {
		t.Run(signal, func(t *testing.T) {
			w := newWorld(40)
			lastAsked := 0
			more := func() bool { return len(w.asks) > lastAsked+mostAsking } // what was under way at the signal may begin after it, on a busy machine
			w.renewEvery(5, nil)
			w.decided = func(env *testsuite.TestWorkflowEnvironment, in schema.AdmitInput) {
				w.mu.Lock()
				defer w.mu.Unlock()
				if w.renewals == 0 && len(w.admits)+1 == len(w.asks) && len(w.asks) >= 5 {
					lastAsked = len(w.asks)
					env.SignalWorkflowSkippingWorkflowTask(signal, nil) // it is in the history together with this page's completion
				}
			}
			start := w.start
			w.start = func(env *testsuite.TestWorkflowEnvironment) {
				start(env)
				if w.renewals == 1 && signal == schema.SignalPause {
					env.RegisterDelayedCallback(func() {
						if s := status(t, env); s.State != schema.StatePaused || more() {
							t.Errorf("state %s, %d pages asked after the pause", s.State, len(w.asks)-lastAsked)
						}
						env.SignalWorkflow(schema.SignalResume, nil)
					}, time.Hour)
				}
			}
			want := schema.StatePublished
			if signal == schema.SignalCancel {
				want = schema.StateCancelled
			}
			w.mustEnd(t, GenerateInput{}, want)
			if lastAsked == 0 || w.renewals == 0 && signal == schema.SignalPause { // a cancel may end the run in its first history
				t.Fatalf("the test missed its moment: %d renewals", w.renewals)
			}
			if signal == schema.SignalCancel && more() {
				t.Errorf("%d pages were asked after the cancel", len(w.asks)-lastAsked)
			}
		})
	}
}
