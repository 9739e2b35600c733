package workflows

import (
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/retort-data/retort/schema"
)

// A worker that waits and dies says nothing any more: the status forgets it, and keeps one that goes on saying so.
func TestDeadWorkersWaitForNothing(t *testing.T) {
	w := newWorld(40)
	w.at(3, func(env *testsuite.TestWorkflowEnvironment) { env.SignalWorkflow(schema.SignalPause, nil) })
	said := 0
	w.start = func(env *testsuite.TestWorkflowEnvironment) {
		say := func(worker string, after time.Duration, most int) {
			env.RegisterDelayedCallback(func() {
				env.SignalWorkflow(schema.SignalWaits, schema.TeacherWait{Worker: worker, For: schema.WaitLimit, Code: "rpm"})
			}, after)
			env.RegisterDelayedCallback(func() {
				said++
				if got := w.saved.Teachers[0].Waits; len(got) != most || got[len(got)-1].Worker != "lives" {
					t.Errorf("%v after the pause the status on S3 has %+v, want %d", after, got, most)
				}
			}, after+time.Second)
		}
		env.RegisterDelayedCallback(func() {
			env.SignalWorkflow(schema.SignalWaits, schema.TeacherWait{Worker: "dies", For: schema.WaitLimit, Code: "rpm"})
		}, time.Minute)
		for i, most := range []int{2, 2, 2, 1, 1} {
			say("lives", time.Minute+time.Second+time.Duration(i)*schema.WaitSaidEvery, most)
		}
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(schema.SignalResume, nil) }, time.Hour)
	}
	if got := w.mustEnd(t, GenerateInput{}, schema.StatePublished); said != 5 || got.Teachers[0].Waits != nil {
		t.Errorf("%d looks, and at the end %+v", said, got.Teachers[0].Waits)
	}
}
