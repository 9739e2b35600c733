package e2e

import (
	"testing"

	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/workflows"
)

// Two workers and two datasets share one teacher's limit; one of the workers dies and is replaced. There are never more requests under
// way than the teacher allows, and both workers have had a part.
func TestOneLimitOverWorkersAndDatasets(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.LatencyMS, cfg.RPM = 300, 3000
	l := newLab(t, cfg)
	l.configure(6, "")
	l.startWorker()
	other := l.startWorker()
	l.ok("run", "--detach", l.questions("left", 80, ""))
	l.ok("run", "--detach", l.questions("right", 80, ""))
	c, err := client.Dial(client.Options{HostPort: l.temporalAddress})
	l.must(err)
	defer c.Close()
	shared := func() bool {
		var ledger workflows.Ledger
		got, err := c.QueryWorkflow(t.Context(), schema.TeacherWorkflow("tester"), "", schema.QueryShares)
		if err != nil || got.Get(&ledger) != nil {
			return false
		}
		holders := 0
		for _, b := range ledger.Borrowers {
			if len(b.Leases) > 0 && b.Leases[len(b.Leases)-1].Share.Concurrency == 3 {
				holders++
			}
		}
		return holders == 2
	}
	l.wait("both workers to have half of the limit", shared)
	other.kill()
	l.startWorker()
	l.finished("left", schema.StatePublished)
	l.finished("right", schema.StatePublished)
	l.complete("left", 80)
	l.complete("right", 80)
	if got := l.teacher.Stats(); got.MaxInFlight > 6 || got.Errors["over_limit"] > 0 {
		t.Errorf("%d requests under way at once, limit 6; %d over the limit", got.MaxInFlight, got.Errors["over_limit"])
	}
}
