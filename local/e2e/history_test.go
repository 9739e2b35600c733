package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/workflows"
)

var update = flag.Bool("update", false, "write the histories that workflows replays in its tests")

// histories is where package workflows looks for those of the build that comes next; found before the gateway changes the working directory.
// A release renames the folder to its name, and is never written anew: see CONTRIBUTING.md.
var histories = func() string {
	dir, err := filepath.Abs("../../workflows/testdata/histories/next")
	if err != nil {
		panic(err)
	}
	return dir
}()

// Histories of real runs, as package workflows replays them: a change that would break a run under way shows there.
func TestHistories(t *testing.T) {
	cfg := slow()
	cfg.LatencyMS = 50
	cfg.ServerError = 0.02
	l := newLab(t, cfg)
	l.startWorker()
	l.ok("run", l.questions("published", 1500, "output: {splits: {test: 0.1}, shard_mb: 1}\n"))
	l.record("published", "published")

	cfg.LatencyMS = 400
	l.must(l.teacher.Configure(cfg))
	l.teacher.Reset()
	l.ok("run", "--detach", l.questions("cancelled", 4000, ""))
	l.wait("answers", func() bool { return l.teacher.Stats().Answered > 1000 })
	l.ok("pause", "cancelled")
	l.wait("the pause", func() bool { return l.status("cancelled").State == schema.StatePaused })
	l.ok("resume", "cancelled")
	l.ok("cancel", "cancelled")
	s := l.finished("cancelled", schema.StateCancelled)
	if !s.Counts.Reconciled() || len(l.keys("cancelled/data/")) > 0 || len(l.keys("cancelled/_versions/")) > 0 {
		t.Errorf("a cancelled run: %+v", s.Counts)
	}
	l.record("cancelled", "cancelled")

	cfg.LatencyMS, cfg.ServerError = 0, 0
	l.must(l.teacher.Configure(cfg))
	l.ok("schedule", "set", l.questions("nights", 30, "schedule: {cron: \"0 2 * * *\"}\n"), "--every", nightEvery.String())
	l.awaitNight("nights", schema.StatePublished, time.Time{})
	l.ok("schedule", "pause", "nights")
	l.recordType(workflows.NightlyName, "nightly")
	l.recordType(workflows.NotifyName, "notify")
	l.recordType(workflows.TeacherName, "teacher")

	cfg.APIKey = "another one"
	l.must(l.teacher.Configure(cfg))
	if r := l.retort("run", l.questions("held", 30, "")); r.status != 3 {
		t.Fatalf("exit %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	l.record("held", "held")
	l.recordType(workflows.ExpireName, "expire")
}

// recordType records the first workflow of a type that Temporal lists.
func (l *lab) recordType(name, as string) {
	l.t.Helper()
	c, err := client.Dial(client.Options{HostPort: l.temporalAddress})
	l.must(err)
	defer c.Close()
	var id string
	l.wait("a workflow "+name, func() bool {
		got, err := c.ListWorkflow(l.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowType = '" + name + "'"})
		l.must(err)
		for _, e := range got.GetExecutions() {
			id = e.GetExecution().GetWorkflowId() // the newest comes first: the last is the oldest, which has done most
		}
		return id != ""
	})
	l.recordWorkflow(id, as)
}

// record fetches the newest history of a dataset's workflow; with -update it is written for the replay.
func (l *lab) record(dataset, name string) {
	l.t.Helper()
	l.recordWorkflow(workflows.GenerateID(l.stack.Bucket, "", dataset), name)
}

func (l *lab) recordWorkflow(id, name string) {
	l.t.Helper()
	h := &historypb.History{Events: l.historyOf(id)}
	l.t.Logf("%s: %d events", name, len(h.Events))
	if !*update {
		return
	}
	b, err := protojson.MarshalOptions{Indent: " "}.Marshal(h)
	l.must(err)
	l.must(os.MkdirAll(histories, 0o755))
	l.must(os.WriteFile(filepath.Join(histories, name+".json"), b, 0o644))
}

// history is the newest one of a dataset's workflow.
func (l *lab) history(dataset string) []*historypb.HistoryEvent {
	l.t.Helper()
	return l.historyOf(workflows.GenerateID(l.stack.Bucket, "", dataset))
}

func (l *lab) historyOf(id string) (all []*historypb.HistoryEvent) {
	l.t.Helper()
	c, err := client.Dial(client.Options{HostPort: l.temporalAddress})
	l.must(err)
	defer c.Close()
	events := c.GetWorkflowHistory(l.t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		l.must(err)
		all = append(all, e)
	}
	return all
}
