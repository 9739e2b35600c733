package workflows_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/workflows"
)

// Histories of earlier builds are replayed: what would break a run under way fails here. They are written on the local stack by
// `go test ./e2e -run Histories -update` in local/.
func TestReplayHistories(t *testing.T) {
	files, err := filepath.Glob("testdata/histories/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("histories %v, %v", files, err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			r := worker.NewWorkflowReplayer()
			r.RegisterWorkflowWithOptions(workflows.Generate, workflow.RegisterOptions{Name: workflows.GenerateName})
			if err := r.ReplayWorkflowHistoryFromJSONFile(nil, f); err != nil {
				t.Error(err)
			}
		})
	}
}

// The replay notices a change of order: a workflow that does something else first doesn't fit the history.
func TestReplayNoticesAnotherOrder(t *testing.T) {
	quiet := log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	r := worker.NewWorkflowReplayer()
	other := func(ctx workflow.Context, in workflows.GenerateInput) error {
		return workflow.Sleep(ctx, 1)
	}
	r.RegisterWorkflowWithOptions(other, workflow.RegisterOptions{Name: workflows.GenerateName})
	if err := r.ReplayWorkflowHistoryFromJSONFile(quiet, "testdata/histories/published.json"); err == nil {
		t.Error("another workflow replays the history without complaint")
	}
}
