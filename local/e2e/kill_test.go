package e2e

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
)

// slow is a teacher that takes a fifth of a second, 64 at once: 320 answers a second.
func slow() teacher.Config {
	cfg := teacher.DefaultConfig()
	cfg.LatencyMS = 200
	return cfg
}

// mostLost is what may be asked again after a kill: what was in flight, and what one second answers.
const mostLost = 64 + 320

// A worker killed half-way loses at most what was in flight or not yet journalled; no row is lost or doubled.
func TestWorkerKilledHalfWay(t *testing.T) {
	l := newLab(t, slow())
	w := l.startWorker()
	recipe := l.questions("killed", 2000, "")
	l.ok("run", "--detach", recipe)
	l.wait("a thousand answers", func() bool { return l.teacher.Stats().Answered >= 1000 })
	w.kill()
	l.startWorker()
	l.finished("killed", schema.StatePublished)
	l.complete("killed", 2000)
	l.succeeded("killed")
	if got := l.teacher.Stats(); got.Repeats > mostLost {
		t.Errorf("%d prompts were asked again; at most %d were in flight or not yet journalled", got.Repeats, mostLost)
	} else {
		t.Logf("asked again after a kill: %d of 2000", got.Repeats)
	}
}

// A worker told to stop drains: nothing is asked again.
func TestWorkerDrains(t *testing.T) {
	l := newLab(t, slow())
	w := l.startWorker()
	l.ok("run", "--detach", l.questions("drained", 1000, ""))
	l.wait("four hundred answers", func() bool { return l.teacher.Stats().Answered >= 400 })
	w.stop()
	if code := w.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the worker ended with %d", code)
	}
	l.startWorker()
	l.finished("drained", schema.StatePublished)
	l.complete("drained", 1000)
	if got := l.teacher.Stats(); got.Repeats > 0 {
		t.Errorf("%d prompts were asked again after a clean stop", got.Repeats)
	}
}

// A worker killed while its run is cancelled: what was answered is decided, and the run is cancelled, not failed.
func TestWorkerKilledWhileCancelling(t *testing.T) {
	l := newLab(t, slow())
	w := l.startWorker()
	l.ok("run", "--detach", l.questions("left", 1000, ""))
	l.wait("two hundred answers", func() bool { return l.teacher.Stats().Answered >= 200 })
	w.kill() // before the cancel: nobody hears of it but the next worker, which has none of the pages
	l.ok("cancel", "left")
	l.startWorker()
	if s := l.finished("left", schema.StateCancelled); s.Counts.Admitted == 0 || s.Counts.Unasked == 0 {
		t.Errorf("counts %+v: what was answered before the kill is missing, or all was asked", s.Counts)
	}
}

// The Temporal server killed and started again: the run goes on by itself.
func TestTemporalKilled(t *testing.T) {
	l := newLab(t, slow(), apart)
	l.startWorker()
	l.ok("run", "--detach", l.questions("orphan", 1500, ""))
	l.wait("five hundred answers", func() bool { return l.teacher.Stats().Answered >= 500 })
	l.temporal.kill()
	l.startTemporal()
	l.finished("orphan", schema.StatePublished)
	l.complete("orphan", 1500)
	if got := l.teacher.Stats(); got.Repeats > mostLost {
		t.Errorf("%d prompts were asked again", got.Repeats)
	} else {
		t.Logf("asked again after the server was killed: %d of 1500", got.Repeats)
	}
}

// finished waits until the newest run has ended, and in that state.
func (l *lab) finished(dataset, state string) schema.Status {
	l.t.Helper()
	var s schema.Status
	l.wait(dataset+" to end", func() bool { s = l.status(dataset); return schema.Ended(s.State) })
	if s.State != state {
		l.t.Fatalf("%s ended as %s (%s), not %s", dataset, s.State, s.Reason, state)
	}
	return s
}

// complete holds version 1 of a dataset against what was planned: every request once.
func (l *lab) complete(dataset string, planned int64) {
	l.t.Helper()
	m := l.manifest(dataset, 1)
	if !m.Counts.Reconciled() || m.Counts.Planned != planned || m.Counts.Unasked+m.Counts.Failed != 0 {
		l.t.Errorf("counts: %+v", m.Counts)
	}
	seen := map[string]bool{}
	note := func(request string) {
		if seen[request] {
			l.t.Errorf("request %s stands twice", request)
		}
		seen[request] = true
	}
	for _, s := range m.Shards {
		for rec, err := range schema.ReadRecords(l.object(s.Key)) {
			l.must(err)
			note(rec.RequestID)
		}
	}
	for _, s := range m.Rejects {
		for rec, err := range schema.ReadRejects(l.object(s.Key)) {
			l.must(err)
			note(rec.RequestID)
		}
	}
	if int64(len(seen)) != planned {
		l.t.Errorf("%d of %d requests stand in the files", len(seen), planned)
	}
	l.ok("verify", dataset)
}

func (l *lab) object(key string) (*bytes.Reader, int64) {
	l.t.Helper()
	body, err := l.store.Get(l.t.Context(), key)
	l.must(err)
	return bytes.NewReader(body), int64(len(body))
}

// process is a part of the stack in a process of its own.
type process struct {
	cmd *exec.Cmd
	end chan struct{}
}

func (p *process) kill() {
	p.cmd.Process.Kill() //nolint:errcheck // may be gone
	<-p.end
}

// startTemporal starts the Temporal server in a process of its own, on the port that it had before.
func (l *lab) startTemporal() {
	l.t.Helper()
	self, err := os.Executable()
	l.must(err)
	ready := filepath.Join(l.dir, "temporal.ready")
	l.must(os.RemoveAll(ready))
	p := &process{cmd: exec.Command(self), end: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), childDir+"="+filepath.Join(l.dir, "temporal"), childPort+"="+l.temporalPort, childReady+"="+ready)
	p.cmd.Stderr = os.Stderr
	l.must(p.cmd.Start())
	go func() { p.cmd.Wait(); close(p.end) }() //nolint:errcheck // kills are meant
	l.temporal = p
	l.t.Cleanup(p.kill)
	l.wait("the Temporal server", func() bool {
		b, err := os.ReadFile(ready)
		l.temporalAddress = string(b)
		return err == nil && len(b) > 0
	})
	_, l.temporalPort, err = net.SplitHostPort(l.temporalAddress)
	l.must(err)
}
