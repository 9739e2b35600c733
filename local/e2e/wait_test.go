package e2e

import (
	"strings"
	"testing"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
)

// A teacher that only fails: its breaker opens, the status says so with since when and until when, and once the teacher is back the
// run goes on by itself and nothing has failed.
func TestOpenBreakerIsSeen(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.ServerError = 1
	l := newLab(t, cfg)
	l.startWorker()
	l.ok("run", "--detach", l.questions("down", 60, ""))
	var w schema.TeacherWait
	l.wait("the status to say that the breaker is open", func() bool {
		if l.teacher.Stats().Total == 0 { // else there may be no status yet
			return false
		}
		for _, t := range l.status("down").Teachers {
			for _, w = range t.Waits {
				return w.For == schema.WaitBreaker
			}
		}
		return false
	})
	if w.Code == "" || w.Since.IsZero() || !w.Until.After(w.Since) || w.Worker == "" {
		t.Errorf("it says %+v", w)
	}
	if text := l.ok("status", "down"); !strings.Contains(text, "breaker is open") || !strings.Contains(text, "since ") {
		t.Errorf("people see\n%s", text)
	}
	cfg.ServerError = 0
	l.must(l.teacher.Configure(cfg))
	if s := l.finished("down", schema.StatePublished); len(s.Teachers[0].Waits) > 0 {
		t.Errorf("a run that has ended waits for %+v", s.Teachers[0].Waits)
	}
	l.complete("down", 60)
}
