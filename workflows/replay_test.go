package workflows_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/workflows"
)

// replayed are the workflows that may be under way when a worker is replaced.
var replayed = map[string]any{
	workflows.GenerateName: workflows.Generate, workflows.NightlyName: workflows.Nightly, workflows.NotifyName: workflows.Notify,
	workflows.ExpireName: workflows.Expire, workflows.TeacherName: workflows.Teacher,
}

func replay(file string, all map[string]any) error {
	r := worker.NewWorkflowReplayer()
	for name, w := range all {
		r.RegisterWorkflowWithOptions(w, workflow.RegisterOptions{Name: name})
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
	if err != nil {
		return err
	}
	// The ids of children are made from the workflow's own, which else would be the replayer's.
	own := workflow.Execution{ID: h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()}
	return r.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), h, worker.ReplayWorkflowHistoryOptions{OriginalExecution: own})
}

// Histories of real runs are replayed, those of earlier builds in folders of their own: what would break a run under way fails here. They are
// written on the local stack by `go test ./e2e -run Histories -update` in local/, into next/ alone.
func TestReplayHistories(t *testing.T) {
	files, err := filepath.Glob("testdata/histories/*/*.json")
	if err != nil || len(files) < 8 {
		t.Fatalf("histories %v, %v", files, err)
	}
	for _, f := range files {
		t.Run(filepath.Base(filepath.Dir(f))+"/"+filepath.Base(f), func(t *testing.T) {
			if err := replay(f, replayed); err != nil {
				t.Error(err)
			}
		})
	}
}

// Changes that break runs under way, made on purpose: the replay catches each. Such a change needs workflow.GetVersion.
func TestReplayCatchesIncompatibleChanges(t *testing.T) {
	type generate = func(workflow.Context, workflows.GenerateInput) (schema.Status, error)
	for name, changed := range map[string]generate{
		"a step before the others": func(ctx workflow.Context, in workflows.GenerateInput) (schema.Status, error) {
			_ = workflow.Sleep(ctx, 1)
			return workflows.Generate(ctx, in)
		},
		"the last steps left out": func(ctx workflow.Context, in workflows.GenerateInput) (schema.Status, error) {
			in.Preview = true
			return workflows.Generate(ctx, in)
		},
		"nothing done": func(workflow.Context, workflows.GenerateInput) (schema.Status, error) {
			return schema.Status{}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range []string{"testdata/histories/81fc08f/published.json", "testdata/histories/next/published.json"} {
				if err := replay(f, map[string]any{workflows.GenerateName: changed}); err == nil {
					t.Errorf("%s is replayed without complaint", f)
				}
			}
		})
	}
}
