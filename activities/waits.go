package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

const (
	// lookAtWaits is how often a page that is being asked looks at what it waits for.
	lookAtWaits = time.Second
	// longWait is from when on a wait is worth saying: those of a limit are short and many.
	longWait = 5 * time.Second
	// waitsApart keeps what is said of limits from filling histories; an open breaker is said at once.
	waitsApart = 30 * time.Second
)

// watchWaits says to the run's workflow, until it is stopped, what keeps its requests from being sent.
func (a *asking) watchWaits(ctx context.Context) (stop func()) {
	if a.rooms.Tell == nil {
		return func() {}
	}
	id := activity.GetInfo(ctx).WorkflowExecution.ID
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		tick := time.NewTicker(lookAtWaits)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				a.tellWait(ctx, id, waitOf(a.client.Limiter().State(), time.Now()))
			}
		}
	}()
	return cancel
}

// waitOf turns a limiter's state into what people are told.
func waitOf(s teacher.State, now time.Time) schema.TeacherWait {
	w := schema.TeacherWait{Code: s.Reason, Since: s.Since, Until: s.Until}
	switch {
	case s.Phase == teacher.PhaseOpen || s.Phase == teacher.PhaseTrial:
		w.For = schema.WaitBreaker
		return w
	case s.Wait == "" || now.Sub(s.Since) < longWait:
	case s.Wait == teacher.WaitLease:
		w.For = schema.WaitLease
	case s.Wait == teacher.WaitServer:
		w.For = schema.WaitServer
	case s.Wait == teacher.WaitRPM || s.Wait == teacher.WaitTPM:
		w.For, w.Code, w.Until = schema.WaitLimit, s.Wait, time.Time{}
	}
	if w.For == "" {
		return schema.TeacherWait{}
	}
	return w
}

// tellWait says what has changed.
func (a *asking) tellWait(ctx context.Context, id string, w schema.TeacherWait) {
	if !a.lane.newWait(a.in.Run, w, time.Now()) {
		return
	}
	w.Teacher, w.Worker = a.in.Page.Teacher, a.rooms.Teachers.process
	if err := a.rooms.Tell(ctx, id, w); err != nil && ctx.Err() == nil {
		a.rooms.Log.Warn("the run wasn't told what it waits for", "teacher", a.page.Teacher, "waits_for", w.For, "error", err)
		a.lane.forgetWait(a.in.Run)
	}
}

// told is what a run's workflow was last told.
type told struct {
	wait schema.TeacherWait
	at   time.Time
}

// newWait says whether a run has to be told of a wait, and notes that it is.
func (l *lane) newWait(run string, w schema.TeacherWait, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	had := l.told[run]
	same := had.wait.For == w.For && had.wait.Code == w.Code && (w.For != schema.WaitBreaker || had.wait.Until.Equal(w.Until) || w.Until.Before(now))
	same = same && (w.For == "" || now.Sub(had.at) < schema.WaitSaidEvery)
	breaker := w.For == schema.WaitBreaker || had.wait.For == schema.WaitBreaker
	if same || !breaker && now.Sub(had.at) < waitsApart {
		return false
	}
	if l.told == nil {
		l.told = map[string]told{}
	}
	for other, t := range l.told { // runs end without a word
		if now.Sub(t.at) > schema.WaitForgotten {
			delete(l.told, other)
		}
	}
	l.told[run] = told{w, now}
	return true
}

func (l *lane) forgetWait(run string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.told, run)
}
