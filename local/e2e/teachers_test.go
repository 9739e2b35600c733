package e2e

import (
	"encoding/json"
	"testing"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
)

// Every teacher is asked on a worker: the one that is there answers, the other is named with why.
func TestTeachersPing(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	l.configure(64, `  - {name: gone, base_url: "http://127.0.0.1:9/v1", model: m, terms: {training: allowed, license: x, source: y, read_on: 2026-11-01}, limits: {concurrency: 1}}
`)
	l.startWorker()
	got := l.retort("--json", "teachers", "--ping")
	var all []schema.PingResult
	l.must(json.Unmarshal([]byte(got.stdout), &all))
	if got.status != 1 || len(all) != 2 || all[0].Code != "" || all[1].Code == "" {
		t.Errorf("exit %d, %+v\n%s", got.status, all, got.stderr)
	}
}
