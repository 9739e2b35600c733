package workflows

import (
	"slices"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/retort-data/retort/schema"
)

// A cancel while files are written stops the run: no further file is begun, and nothing is published.
func TestCancelWhileWriting(t *testing.T) {
	w := newWorld(2)
	var once sync.Once
	w.write = func(env *testsuite.TestWorkflowEnvironment, _ schema.WriteInput) error {
		once.Do(func() { env.SignalWorkflow(schema.SignalCancel, nil) })
		return nil
	}
	s := w.mustEnd(t, GenerateInput{}, schema.StateCancelled)
	if len(w.published) > 0 || w.wrote > mostWriting || s.Counts.Admitted == 0 {
		t.Errorf("published %d, wrote %d, counts %+v", len(w.published), w.wrote, s.Counts)
	}
}

// A cancel while it publishes stops it, unless the manifest stands already: then it is published, and says so.
func TestCancelWhilePublishing(t *testing.T) {
	for _, version := range []int{0, 3} {
		w := newWorld(2)
		w.version = version
		w.start = func(env *testsuite.TestWorkflowEnvironment) {
			w.publish = func() error {
				env.SignalWorkflow(schema.SignalCancel, nil)
				return faulty(schema.KindRetry, "interrupted") // as an activity that is cancelled, and then tried no more
			}
		}
		want := schema.StateCancelled
		if version > 0 {
			want = schema.StatePublished
		}
		if s := w.mustEnd(t, GenerateInput{}, want); s.Version != version || len(w.published) > 0 {
			t.Errorf("version %d: %+v", version, s)
		}
	}
}

// A pause while files are written is kept until a resume.
func TestPauseWhileWriting(t *testing.T) {
	w := newWorld(2)
	var once sync.Once
	states := []string{}
	w.write = func(env *testsuite.TestWorkflowEnvironment, _ schema.WriteInput) error {
		once.Do(func() {
			env.SignalWorkflow(schema.SignalPause, nil)
			env.RegisterDelayedCallback(func() {
				w.mu.Lock()
				states = append(states, w.saved.State)
				w.mu.Unlock()
				env.SignalWorkflow(schema.SignalResume, nil)
			}, time.Hour)
		})
		return nil
	}
	w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if !slices.Equal(states, []string{schema.StatePaused}) || len(w.published) != 1 || w.wrote != 6 {
		t.Errorf("an hour later it was %v; published %d, wrote %d", states, len(w.published), w.wrote)
	}
}
