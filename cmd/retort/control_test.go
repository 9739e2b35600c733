package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/mocks"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/workflows"
)

// pause, resume and cancel are signals to the dataset's one workflow; cancel also where no worker has taken the run up.
func TestSignals(t *testing.T) {
	for signal, cmd := range map[string]interface{ Run(*app) error }{
		schema.SignalPause: &PauseCmd{Dataset: "d"}, schema.SignalResume: &ResumeCmd{Dataset: "d"}, schema.SignalCancel: &CancelCmd{Dataset: "d"},
	} {
		t.Run(signal, func(t *testing.T) {
			a, out := desk(t)
			temporal := mocks.NewClient(t)
			a.temporal = temporal
			temporal.On("SignalWorkflow", mock.Anything, "retort/bucket/p/d", "", signal, nil).Return(nil).Once()
			if err := cmd.Run(a); err != nil || !strings.Contains(out.String(), "d") {
				t.Errorf("%v, %q", err, out)
			}
			temporal.On("SignalWorkflow", mock.Anything, "retort/bucket/p/d", "", signal, nil).Return(serviceerror.NewNotFound("gone")).Once()
			var e *schema.Error
			if err := cmd.Run(a); !errors.As(err, &e) || e.Code != "not_running" || e.Hint == "" {
				t.Errorf("where nothing runs: %v", err)
			}
			a.temporal = nil // its Close isn't ours to expect
		})
	}
}

// A release notes who, when and why, and starts the continuation of that hold.
func TestRelease(t *testing.T) {
	a, _ := desk(t)
	temporal := mocks.NewClient(t)
	a.temporal = temporal
	has(t, a, "d", "01a", schema.StateHeld, "gate")
	temporal.On("OperatorService").Return(nil).Maybe()
	temporal.On("WorkflowService").Return(nil).Maybe()
	temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.GenerateName, mock.MatchedBy(func(in workflows.GenerateInput) bool {
		return in.Released == 1 && in.Run == "01a" && in.Dataset == "d" && in.State == nil
	})).Return(nil, nil).Once()
	if err := (&ReleaseCmd{Dataset: "d", Why: "looked at fifty", Who: "ada"}).Run(a); err != nil {
		t.Fatal(err)
	}
	note, err := a.objects.Get(t.Context(), store.NewDataset("bucket", "p", "d").Run("01a").Release(1))
	if err != nil || !strings.Contains(string(note), "looked at fifty") || !strings.Contains(string(note), "ada") {
		t.Errorf("%s, %v", note, err)
	}
	_, last, err := a.newest("d")
	if err != nil || last.State != schema.StateAsking {
		t.Errorf("status %+v, %v", last, err)
	}
}

// Two runs of a dataset can't overlap: who comes second is told how to join or end the first.
func TestRunUnderWay(t *testing.T) {
	a, _ := desk(t)
	temporal := mocks.NewClient(t)
	temporal.On("OperatorService").Return(nil).Maybe()
	temporal.On("WorkflowService").Return(nil).Maybe()
	temporal.On("ExecuteWorkflow", mock.Anything, mock.Anything, workflows.GenerateName, mock.Anything).
		Return(nil, serviceerror.NewWorkflowExecutionAlreadyStarted("", "", "")).Once()
	err := a.start(temporal, store.NewDataset("bucket", "p", "d").Run("01b"), workflows.GenerateInput{})
	var e *schema.Error
	if !errors.As(err, &e) || e.Code != "under_way" || !strings.Contains(e.Hint, "retort watch d") {
		t.Errorf("%v", err)
	}
}
