package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// NotifyName is the registered name of Notify.
const NotifyName = "Notify"

// notifyPauses are the waits before further tries; after the last one nobody is told.
var notifyPauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}

// Notify tells webhooks of an event, with bounded retries. It is a workflow of its own, so that no run waits for a receiver.
func Notify(ctx workflow.Context, e schema.Event) error {
	in := schema.NotifyInput{Event: e}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 2 * time.Minute, HeartbeatTimeout: heartbeat,
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 3}})
	for i := 0; ; i++ {
		if err := workflow.ExecuteActivity(ctx, schema.StepNotify, in).Get(ctx, &in.Left); err == nil && len(in.Left) == 0 {
			return nil
		}
		if i == len(notifyPauses) {
			return nil
		}
		if err := workflow.Sleep(ctx, notifyPauses[i]); err != nil {
			return err
		}
	}
}

// tell starts Notify beside the workflow. That it can't be started is no fault of a run.
func tell(ctx workflow.Context, base string, e schema.Event) {
	e.At = workflow.Now(ctx)
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: base + "/notify/" + e.ID, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowExecutionTimeout: 6 * time.Hour})
	if err := workflow.ExecuteChildWorkflow(child, NotifyName, e).GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("webhooks could not be told", "event", e.Event, "run", e.Run)
	}
}

// tellEnd tells what a run has come to.
func (g *generation) tellEnd() {
	if g.in.Preview || workflow.GetVersion(g.ctx, "notify", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return
	}
	s := &g.Status
	e := schema.Event{Dataset: s.Dataset, Run: s.Run, Reason: s.Reason, Subject: s.Subject, Version: s.Version, Counts: &s.Counts, CostMicros: s.Cost.Micros, Budget: s.Budget}
	say := func(event string) {
		e.Event, e.ID = event, fmt.Sprintf("%s/%s/%d", s.Run, event, g.Holds)
		tell(g.ctx, workflow.GetInfo(g.ctx).WorkflowExecution.ID, e)
	}
	if s.OnBudget {
		say(schema.EventBudget)
	}
	switch {
	case s.State == schema.StatePublished:
		say(schema.EventPublished)
	case s.State == schema.StateHeld && s.Reason != stoppedByBudget:
		say(schema.EventHeld)
	case s.State == schema.StateFailed:
		say(schema.EventFailed)
	}
}
