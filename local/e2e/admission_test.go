package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/local/teacher"
)

// A teacher that says a few sentences again and again is held for its duplicates before anything is published; what its answers would
// come to under other checks can be seen before anybody releases it. Under its own checks nothing changes.
func TestDuplicatesAreHeldAndRejudged(t *testing.T) {
	cfg := teacher.DefaultConfig()
	l := newLab(t, cfg)
	l.startWorker()
	recipe := l.questions("again", 300, "checks: {near: {scope: dataset}, exact: {scope: dataset}, repetition: tag}\n")
	l.ok("run", recipe)
	one := l.manifest("again", 1)
	before := l.keys("again/_versions/")
	cfg.Pool = 0.0001
	l.must(l.teacher.Configure(cfg))
	got := l.retort("run", recipe)
	if got.status != 3 || !strings.Contains(got.stdout+got.stderr, "most_share") {
		t.Fatalf("exit %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	if after := l.keys("again/_versions/"); !slices.Equal(before, after) {
		t.Errorf("a held run has published: %v, before %v", after, before)
	}
	loose := l.questions("loose", 1, "checks: {near: off, exact: off, repetition: tag}\n")
	type judged struct {
		Answers       int64
		Before, After map[string]int64
		Changes       []struct {
			From, To string
			Count    int64
			IDs      []string
		}
	}
	judge := func(what, checks string) (j judged) {
		l.must(json.Unmarshal([]byte(l.ok("--json", "rejudge", what, "--checks", checks)), &j))
		return j
	}
	if j := judge("again@1", recipe); len(j.Changes) > 0 || j.Answers != 300 || j.Before["admitted"] != one.Counts.Admitted {
		t.Errorf("version 1 under its own checks: %+v", j)
	}
	j := judge("again", loose)
	var freed int64
	for _, c := range j.Changes {
		if (c.From == "near" || c.From == "exact") && c.To == "admitted" && int64(len(c.IDs)) == c.Count {
			freed += c.Count
		}
	}
	if freed < 90 || j.After["admitted"] < j.Before["admitted"]+freed {
		t.Errorf("without duplicates: %+v", j)
	}
	if text := l.ok("rejudge", "again", "--checks", recipe); !strings.Contains(text, "Nothing changes.") {
		t.Errorf("%s", text)
	}
	l.ok("cancel", "again")
}
