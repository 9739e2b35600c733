package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/retort-data/retort/local/teacher"
)

// Whoever starts a run with a configuration of their own, which allows more, is refused by the worker's: exit 2, nobody is asked, nothing
// is published. With the worker's own file the command says so itself, before anything is put.
func TestWorkersAllowWhatTheirFileAllows(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	wide, err := os.ReadFile(l.config)
	l.must(err)
	narrow := strings.Replace(string(wide), "allow: {", "allow: {datasets: [dear, fine], budget: {usd: 0.5}, ", 1)
	l.write("temporal.yaml", narrow)
	l.startWorker()
	closed, dear := l.questions("closed", 5, "budget: {usd: 0.1}\n"), l.questions("dear", 5, "budget: {usd: 1}\n")
	for recipe, says := range map[string]string{closed: "closed.yaml:1:10: dataset: \"closed\" may not be written", dear: "budget.usd: is 1, and allow.budget.usd"} {
		if got := l.retort("run", recipe); got.status != 2 || !strings.Contains(got.stderr+got.stdout, says) || len(l.keys("closed/"))+len(l.keys("dear/")) > 0 {
			t.Errorf("exit %d, %s%s, objects %v", got.status, got.stdout, got.stderr, l.keys(""))
		}
	}
	l.config = l.write("wide.yaml", string(wide))
	for _, recipe := range []string{closed, dear} {
		if got := l.retort("run", recipe); got.status != 2 || !strings.Contains(got.stderr+got.stdout, "the workers' configuration (allow:) doesn't let the recipe do this") {
			t.Errorf("with a wider file: exit %d, %s%s", got.status, got.stdout, got.stderr)
		}
	}
	if n := l.teacher.Stats().Total; n != 0 {
		t.Errorf("the teacher was asked %d times", n)
	}
	for _, key := range l.keys("") {
		if strings.Contains(key, "/data/") || strings.Contains(key, "/_versions/") {
			t.Errorf("published: %s", key)
		}
	}
	l.config = l.write("temporal.yaml", narrow)
	l.ok("run", l.questions("fine", 5, "budget: {usd: 0.5}\n"))
}
