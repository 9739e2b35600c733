package e2e

import (
	"testing"

	"github.com/retort-data/retort/local/teacher"
)

// A recipe becomes version 1, a second run version 2, and the first stays as it was.
func TestRunPublishesVersionsThatStay(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	l.startWorker()
	recipe := l.questions("science", 300, "")
	l.ok("check", recipe)
	out := l.ok("run", recipe)
	t.Log(out)
	m := l.manifest("science", 1)
	if !m.Counts.Reconciled() || m.Counts.Planned != 300 || m.Counts.Admitted < 200 {
		t.Fatalf("counts: %+v", m.Counts)
	}
	if got := l.teacher.Stats(); got.Answered != 300 {
		t.Errorf("the teacher answered %d times", got.Answered)
	}
	l.ok("verify", "science@1")
	l.ok("run", recipe)
	l.ok("verify", "science@2")
	two := l.manifest("science", 2)
	if two.Parent != 1 || len(two.Shards) != len(m.Shards)+1 || two.Shards[0] != m.Shards[0] {
		t.Errorf("version 2: parent %d, shards %+v", two.Parent, two.Shards)
	}
	l.ok("verify", "science@1")
}
