package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// ExpireName is the registered name of Expire.
const ExpireName = "Expire"

const (
	// defaultExpires is how long a hold stands that came before the plan had read the recipe.
	defaultExpires = 7 * 24 * time.Hour
	// mostNotice is how long before its end a hold's expiry is told.
	mostNotice = 24 * time.Hour
)

// ExpireInput is a hold, and how long it stands.
type ExpireInput struct {
	schema.HeldInput
	After  time.Duration `json:"after"`
	Reason string        `json:"reason"`
	Base   string        `json:"base"` // id of the dataset's workflow
}

// Expire cancels a held run after its time, with notice, unless a person has decided before. It sleeps beside the dataset's workflow,
// which has ended.
func Expire(ctx workflow.Context, in ExpireInput) (expired bool, err error) {
	until := workflow.Now(ctx).Add(in.After)
	notice := min(mostNotice, in.After/2)
	e := schema.Event{Dataset: in.Dataset, Run: in.Run, Reason: in.Reason, Until: until}
	for _, step := range []struct {
		sleep time.Duration
		ends  bool
		event string
	}{{in.After - notice, false, schema.EventExpiring}, {notice, true, schema.EventExpired}} {
		if err := workflow.Sleep(ctx, step.sleep); err != nil {
			return false, err
		}
		held := false
		if err := workflow.ExecuteActivity(light(ctx), schema.StepExpire, schema.ExpireHeld{HeldInput: in.HeldInput, Ends: step.ends}).Get(ctx, &held); err != nil || !held {
			return false, err
		}
		e.Event, e.ID = step.event, fmt.Sprintf("%s/%s/%d", in.Run, step.event, in.Number)
		tell(ctx, in.Base, e)
	}
	return true, nil
}

// expire starts the hold's clock.
func (g *generation) expire() {
	after := defaultExpires
	if g.Plan != nil {
		after = time.Duration(g.Plan.Policy.ExpiresSeconds) * time.Second
	}
	if g.in.Preview || after <= 0 {
		return
	}
	base := workflow.GetInfo(g.ctx).WorkflowExecution.ID
	ctx := workflow.WithChildOptions(g.ctx, workflow.ChildWorkflowOptions{WorkflowID: fmt.Sprintf("%s/expires/%s/%d", base, g.in.Run, g.Holds),
		ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON})
	in := ExpireInput{HeldInput: schema.HeldInput{RunRef: g.in.RunRef, Number: g.Holds}, After: after, Reason: g.Status.Reason, Base: base}
	if err := workflow.ExecuteChildWorkflow(ctx, ExpireName, in).GetChildWorkflowExecution().Get(g.ctx, nil); err != nil {
		workflow.GetLogger(g.ctx).Warn("the hold has no clock, and stands until a person decides", "run", g.in.Run)
	}
}
