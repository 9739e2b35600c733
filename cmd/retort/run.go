package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/worker"
	"github.com/retort-data/retort/workflows"
)

// RunCmd starts a run.
type RunCmd struct {
	Recipe string `arg:"" help:"Recipe to run." placeholder:"RECIPE"`
	New    bool   `help:"Ask only for prompts that no version of the dataset has decided an answer to."`
	Detach bool   `help:"Start it, print its id, and end; follow it with: retort watch DATASET."`
}

// Run checks the recipe whole, starts the workflow and follows it.
func (c *RunCmd) Run(a *app) error {
	b, d, t, err := a.ready(c.Recipe)
	if err != nil {
		return err
	}
	if err := a.mayStart(d); err != nil {
		return err
	}
	if err := activities.RefuseRetracted(a.ctx, a.objects, d, b.Recipe); err != nil {
		return err
	}
	if err := store.CheckConditional(a.ctx, a.objects, d.Prefix); err != nil {
		return err
	}
	run := d.Run(activities.NewRunID(time.Now()))
	b.Begun.New = c.New
	if err := b.Begin(a.ctx, a.objects, run); err != nil {
		return err
	}
	if err := a.start(t, run, workflows.GenerateInput{}); err != nil {
		return err
	}
	if c.Detach {
		if a.json {
			return a.printJSON(schema.RunRef{Dataset: d.Name, Run: run.ID})
		}
		a.printf("Run %s of %s was started. Follow it with: retort watch %s\n", run.ID, d.Name, d.Name)
		return nil
	}
	return a.follow(t, run)
}

// ready checks a recipe whole and connects, before anything is put.
func (a *app) ready(recipe string) (*activities.Beginning, store.Dataset, client.Client, error) {
	b, _, err := a.check(recipe)
	if err != nil {
		return nil, store.Dataset{}, nil, err
	}
	d, err := a.dataset(b.Recipe.Dataset)
	if err != nil {
		return nil, d, nil, err
	}
	t, err := a.client(a.quiet())
	return b, d, t, err
}

// start starts Generate for a run; one of a dataset at a time.
func (a *app) start(t client.Client, run store.Run, in workflows.GenerateInput) error {
	in.RunRef = schema.RunRef{Dataset: run.Name, Run: run.ID}
	in.Search = worker.Searchable(a.ctx, t, a.config.Temporal.Namespace)
	in.AskQueue, in.Program = worker.AskQueue(a.config.Temporal.TaskQueue), program()
	_, err := t.ExecuteWorkflow(a.ctx, client.StartWorkflowOptions{
		ID: workflows.GenerateID(run.Bucket, run.Prefix, run.Name), TaskQueue: a.config.Temporal.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true, WorkflowTaskTimeout: 10 * time.Second,
		Memo: map[string]any{"retort.dataset": run.Name, "retort.run": run.ID, "retort.program": program()},
	}, workflows.GenerateName, in)
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &already) {
		return underWay(run.Name)
	}
	if err != nil {
		return &schema.Error{Kind: schema.KindFailed, Code: "start", Op: "start run of", Subject: run.Name, Cause: err}
	}
	return nil
}

func underWay(dataset string) error {
	return &schema.Error{Kind: schema.KindFailed, Code: "under_way", Op: "start run of", Subject: dataset, Cause: errors.New("a run of this dataset is under way"),
		Hint: fmt.Sprintf("Join it with: retort watch %s. End it with: retort cancel %s.", dataset, dataset)}
}

// mayStart refuses while a run of the dataset is under way or held. It is checked before anything is put; the workflow's id is what
// makes sure.
func (a *app) mayStart(d store.Dataset) error {
	last, err := activities.NewestStatus(a.ctx, a.objects, d)
	if err != nil || last == nil {
		return err
	}
	switch {
	case last.State == schema.StateHeld:
		return &schema.Error{Kind: schema.KindHold, Code: last.Reason, Op: "start run of", Subject: d.Name,
			Cause: fmt.Errorf("run %s is held since %s: %s", last.Run, last.Updated.Local().Format("2006-01-02 15:04"), reasonText(last)),
			Hint:  fmt.Sprintf("Let it go on with: retort release %s --why TEXT. End it for good with: retort cancel %s.", d.Name, d.Name)}
	case !schema.Ended(last.State):
		if _, alive := a.live(d); alive {
			return underWay(d.Name)
		}
	}
	return nil
}

// live asks Temporal whether a dataset's workflow is running.
func (a *app) live(d store.Dataset) (runID string, alive bool) {
	if a.temporal == nil {
		return "", false
	}
	ctx, cancel := context.WithTimeout(a.ctx, 5*time.Second)
	defer cancel()
	got, err := a.temporal.DescribeWorkflowExecution(ctx, workflows.GenerateID(d.Bucket, d.Prefix, d.Name), "")
	if err != nil {
		return "", false
	}
	info := got.GetWorkflowExecutionInfo()
	return info.GetExecution().GetRunId(), info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}
