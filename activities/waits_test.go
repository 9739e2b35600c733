package activities

import (
	"fmt"
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// An open breaker is said at once, a limit after some seconds, and what passes isn't said at all.
func TestWaitOf(t *testing.T) {
	now := time.Now()
	long := now.Add(-time.Minute)
	for want, s := range map[string]teacher.State{
		schema.WaitBreaker: {Phase: teacher.PhaseOpen, Reason: "server_error", Since: now, Until: now.Add(time.Second)},
		schema.WaitLimit:   {Phase: teacher.PhaseClosed, Wait: teacher.WaitRPM, Since: long},
		schema.WaitLease:   {Phase: teacher.PhaseClosed, Wait: teacher.WaitLease, Since: long},
		schema.WaitServer:  {Phase: teacher.PhaseClosed, Wait: teacher.WaitServer, Since: long, Until: now.Add(time.Minute)},
	} {
		if got := waitOf(s, now); got.For != want || !got.Since.Equal(s.Since) {
			t.Errorf("%+v: %+v", s, got)
		}
	}
	for _, s := range []teacher.State{
		{Phase: teacher.PhaseClosed},
		{Phase: teacher.PhaseClosed, Wait: teacher.WaitRPM, Since: now},
		{Phase: teacher.PhaseClosed, Wait: teacher.WaitConcurrency, Since: long},
	} {
		if got := waitOf(s, now); got != (schema.TeacherWait{}) {
			t.Errorf("%+v: %+v", s, got)
		}
	}
}

// A run is told of changes: every trial of a breaker, and limits now and then.
func TestRunsAreToldOfChanges(t *testing.T) {
	l, now := &lane{}, time.Now()
	open := schema.TeacherWait{For: schema.WaitBreaker, Code: "timeout", Since: now, Until: now.Add(time.Second)}
	later := open
	later.Until = now.Add(5 * time.Second)
	limit := schema.TeacherWait{For: schema.WaitLimit, Code: "rpm", Since: now}
	for i, step := range []struct {
		after time.Duration
		wait  schema.TeacherWait
		told  bool
	}{
		{0, schema.TeacherWait{}, false}, {0, open, true}, {1, open, false}, {2, later, true}, {6, schema.TeacherWait{}, true},
		{7, limit, false}, {40, limit, true}, {41, limit, false}, {42, schema.TeacherWait{}, false}, {80, schema.TeacherWait{}, true},
		{400, schema.TeacherWait{}, false}, {401, limit, true}, {520, limit, false}, {521, limit, true}, {640, limit, false}, {641, limit, true}, // so that it isn't taken for dead
	} {
		if got := l.newWait("run", step.wait, now.Add(step.after*time.Second)); got != step.told {
			t.Errorf("step %d: told %v", i, got)
		}
	}
}

// What runs were told isn't kept for runs that have ended.
func TestToldIsForgotten(t *testing.T) {
	l, now := &lane{}, time.Now()
	for i := range 100 {
		l.newWait(fmt.Sprint("run", i), schema.TeacherWait{For: schema.WaitLimit, Code: "rpm"}, now.Add(time.Duration(i)*time.Minute))
	}
	if len(l.told) > 7 {
		t.Errorf("%d runs are kept", len(l.told))
	}
}
