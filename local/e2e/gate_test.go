package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/local/godocs"
	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// anchored writes Go's doc comments as human text and returns the lines of a recipe that measure against it.
func (l *lab) anchored() string {
	l.t.Helper()
	root, err := godocs.Root()
	l.must(err)
	rows, err := godocs.Read(root, 20)
	l.must(err)
	var b bytes.Buffer
	l.must(godocs.Write(&b, rows))
	l.write("human.jsonl", b.String())
	return "anchor: {from: human.jsonl, text: doc, license: bsd-3-clause}\n"
}

// A teacher that says what people said passes its gate; the manifest says at which α.
func TestGatePasses(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.MinWords, cfg.MaxWords = 20, 80
	l := newLab(t, cfg)
	l.startWorker()
	t.Log(l.ok("run", l.questions("healthy", 1500, l.anchored())))
	m := l.manifest("healthy", 1)
	if m.Gate.Verdict != "pass" || m.Gate.Alpha != 0.01 || m.Gate.Wealth <= 0 {
		t.Errorf("gate: %+v", m.Gate)
	}
	l.ok("verify", "healthy")
	file := filepath.Join(l.dir, "report.html")
	l.ok("report", "healthy", "-o", file)
	page, err := os.ReadFile(file)
	l.must(err)
	published, err := l.store.Get(t.Context(), store.NewDataset(l.stack.Bucket, "", "healthy").Report(1, m.Run))
	l.must(err)
	if !bytes.Equal(page, published) {
		t.Error("the report isn't the one that was published")
	}
	for _, want := range []string{"Wealth against human text", "Signals against human text", "Answers a second", m.Merkle.Records} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the report lacks %q", want)
		}
	}
	l.ok("report", "healthy", "--anew", "-o", file)
	if again, err := os.ReadFile(file); err != nil || !bytes.Equal(again, page) {
		t.Errorf("made again from the run's pages it differs (%v)", err)
	}
}

// A teacher that has collapsed onto a few sentences is held before anything is published; a person's release is in the manifest.
func TestGateHoldsAndIsReleased(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.Pool = 0.003
	l := newLab(t, cfg)
	l.startWorker()
	recipe := l.questions("collapsed", 3000, l.anchored()+"checks: {near: off, exact: off, repetition: off}\n")
	got := l.retort("run", recipe)
	if got.status != 3 || !strings.Contains(got.stdout, "held at record") {
		t.Fatalf("exit %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	t.Log(got.stdout)
	if keys := append(l.keys("collapsed/data/"), l.keys("collapsed/_versions/")...); len(keys) > 0 {
		t.Errorf("a held run has published %v", keys)
	}
	if again := l.retort("run", recipe); again.status != 3 {
		t.Errorf("a second run while held: exit %d\n%s", again.status, again.stderr)
	}
	l.ok("release", "collapsed", "--why", "it is a test")
	l.finished("collapsed", schema.StatePublished)
	m := l.manifest("collapsed", 1)
	if m.Gate.Verdict != "released" || len(m.Releases) != 1 || m.Releases[0].Why != "it is a test" || m.Releases[0].Reason != "gate" {
		t.Errorf("gate %+v, releases %+v", m.Gate, m.Releases)
	}
}

// From version 2 on two gates judge, the band to human text and the trend against version 1, each with half of α. A student that
// has lost most of what version 1 said is held, and nothing of it is published.
func TestTrendFromVersionToVersion(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.MinWords, cfg.MaxWords = 20, 80
	l := newLab(t, cfg)
	l.startWorker()
	recipe := l.questions("trend", 600, strings.Replace(l.anchored(), "}", ", version: 1}", 1)+"checks: {near: off, exact: off, repetition: off}\n")
	if got := l.ok("check", recipe); !strings.Contains(got, "no version yet") {
		t.Errorf("check says nothing of the missing version:\n%s", got)
	}
	l.ok("run", recipe)
	shorter := recipe + ".shorter.yaml"
	text, err := os.ReadFile(recipe)
	l.must(err)
	l.must(os.WriteFile(shorter, []byte(strings.Replace(string(text), "max_tokens: 400", "max_tokens: 60", 1)), 0o600))
	if got := l.ok("check", recipe); strings.Contains(got, "since version") {
		t.Errorf("check warns of sampling that hasn't changed:\n%s", got)
	}
	if got := l.ok("check", shorter); !strings.Contains(got, "tester: max_tokens 400 → 60") {
		t.Errorf("check says nothing of the changed sampling:\n%s", got)
	}
	l.ok("run", recipe)
	m := l.manifest("trend", 2)
	if g := m.Gate; g.Verdict != "pass" || len(g.Gates) != 2 || g.Gates[0].Against != schema.AgainstHuman || g.Gates[1].Against != schema.AgainstVersion ||
		g.Gates[0].Alpha != 0.005 || g.Gates[1].Mode != "same" || g.Gates[1].Pairs < 300 || g.Log == "" {
		t.Errorf("gate of version 2: %+v", g)
	}
	cfg.Pool = 0.01
	l.teacher.Configure(cfg)
	got := l.retort("run", recipe)
	if got.status != 3 || !strings.Contains(got.stdout, "Against version 1") || !strings.Contains(got.stdout, "beside: ") {
		t.Fatalf("exit %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	if status := l.ok("status", "trend"); !strings.Contains(status, "version 1") || !strings.Contains(status, "hold") {
		t.Errorf("status:\n%s", status)
	}
	if keys := l.keys("trend/_versions/"); len(keys) != 4 { // a manifest and a report each
		t.Errorf("two versions have %v", keys)
	}
	l.ok("cancel", "trend")
}
