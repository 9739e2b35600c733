package e2e

import "testing"

// succeeded holds that what a killed worker had under way was given out again because the next one said that it is gone, and
// not because its heartbeats were missed.
func (l *lab) succeeded(dataset string) {
	l.t.Helper()
	told, missed := 0, 0
	for _, e := range l.history(dataset) {
		a := e.GetActivityTaskStartedEventAttributes()
		switch f := a.GetLastFailure(); {
		case f.GetMessage() == "worker_gone":
			told++
		case f.GetTimeoutFailureInfo() != nil:
			missed++
		}
	}
	l.t.Logf("steps given out again: %d as the next worker said so, %d as their heartbeat was missed", told, missed)
	if told == 0 {
		l.t.Error("the next worker didn't give out again what the killed one had under way")
	}
}

// Two workers of one folder: the steps of the one that is killed are given out again when it is started anew; those of the other go on.
func TestALivingWorkersStepsAreLeftAlone(t *testing.T) {
	l := newLab(t, slow())
	l.startWorker()
	l.ok("run", "--detach", l.questions("left", 1000, ""))
	l.wait("two hundred answers", func() bool { return l.teacher.Stats().Answered >= 200 })
	l.startWorker().kill()
	l.startWorker()
	l.finished("left", "published")
	l.complete("left", 1000)
	if got := l.teacher.Stats(); got.Repeats > 0 {
		t.Errorf("%d prompts of a living worker were asked again", got.Repeats)
	}
}
