package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/worker"
	"github.com/retort-data/retort/workflows"
)

// PreviewCmd asks a few prompts.
type PreviewCmd struct {
	Recipe string `arg:"" help:"Recipe to try." placeholder:"RECIPE"`
	N      int64  `short:"n" default:"5" help:"Prompts to ask."`
}

// Run asks on a worker, as keys are there alone, prints what became of each answer, and leaves nothing behind.
func (c *PreviewCmd) Run(a *app) error {
	if c.N < 1 || c.N > 1000 {
		return &schema.Error{Kind: schema.KindInvalid, Code: "arguments", Op: "preview", Subject: "-n", Cause: errors.New("not between 1 and 1000"), Hint: "For a sample with intervals use a run with rows."}
	}
	b, d, t, err := a.ready(c.Recipe)
	if err != nil {
		return err
	}
	run := d.Run("preview-" + activities.NewRunID(time.Now()))
	b.Begun.Most = c.N
	defer a.forget(run)
	if err := b.Begin(a.ctx, a.objects, run); err != nil {
		return err
	}
	status, err := a.previewed(t, run)
	if err != nil {
		return err
	}
	return a.printPreview(run, status)
}

func (a *app) previewed(t client.Client, run store.Run) (status schema.Status, err error) {
	w, err := t.ExecuteWorkflow(a.ctx, client.StartWorkflowOptions{ID: workflows.PreviewID(run.Bucket, run.Prefix, run.Name, run.ID), TaskQueue: a.config.Temporal.TaskQueue},
		workflows.GenerateName, workflows.GenerateInput{RunRef: schema.RunRef{Dataset: run.Name, Run: run.ID}, AskQueue: worker.AskQueue(a.config.Temporal.TaskQueue), Program: program(), Preview: true})
	if err != nil {
		return status, err
	}
	err = w.Get(a.ctx, &status)
	if a.ctx.Err() != nil {
		stop, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), 5*time.Second)
		defer cancel()
		return status, errors.Join(a.ctx.Err(), t.SignalWorkflow(stop, w.GetID(), "", schema.SignalCancel, nil))
	}
	if err != nil {
		return status, &schema.Error{Kind: schema.KindFailed, Code: "preview", Op: "preview", Subject: run.Name, Cause: err, Hint: "The worker's log has the whole story."}
	}
	return status, nil
}

// forget deletes what a preview has put.
func (a *app) forget(run store.Run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), 30*time.Second)
	defer cancel()
	var keys []string
	for in, err := range a.objects.List(ctx, run.Home(), "") {
		if err != nil {
			break
		}
		keys = append(keys, in.Key)
	}
	if err := a.objects.Delete(ctx, keys...); err != nil {
		a.printf("The preview's objects could not be deleted: %s\n  They stand in %s\n", err, run.URI(run.Home()))
	}
}

func (a *app) printPreview(run store.Run, status schema.Status) error {
	rooms := &activities.Rooms{Config: a.config, Store: a.objects}
	rows := []activities.Decided{}
	for seq := range status.Pages.Done {
		_, got, err := rooms.Decided(a.ctx, schema.RunRef{Dataset: run.Name, Run: run.ID}, seq)
		if err != nil {
			return err
		}
		rows = append(rows, got...)
	}
	if a.json {
		return a.printJSON(map[string]any{"status": status, "records": rows})
	}
	for i := range rows {
		a.printDecided(&rows[i])
	}
	a.printf("%s asked: admitted %s, rejected %s, failed %s; cost %s. Nothing was published.\n", number(status.Asked), number(status.Counts.Admitted), number(status.Counts.RejectedTotal()), number(status.Counts.Failed), costText(status.Cost))
	if status.State == schema.StateHeld {
		a.printf("A run would be held: %s\n", reasonText(&status))
		return exitStatus(exitHeld)
	}
	return nil
}

func (a *app) printDecided(d *activities.Decided) {
	for _, m := range d.Request.Messages {
		a.printf("%s: %s\n", m.Role, m.Content)
	}
	if d.Response.Failed() {
		a.printf("  → failed: %s %s\n\n", d.Response.FailCode, d.Response.FailDetail)
		return
	}
	a.printf("%s: %s\n  → %s", d.Response.Model, d.Response.Text, d.Decision.Outcome)
	if d.Decision.Reason != "" {
		a.printf(": %s", d.Decision.Reason)
	}
	for _, f := range d.Inspection.Findings {
		a.printf("\n    %s: %s %.3g (limit %.3g) %s", f.Do, strings.Trim(f.Check+" "+f.Signal, " "), f.Value, f.Limit, f.Match)
	}
	a.printf("\n    %s tokens in, %s out, finish reason %s", number(d.Response.InputTokens), number(d.Response.OutputTokens), d.Response.FinishReason)
	if d.Inspection.Language != "" {
		a.printf(", language %s", d.Inspection.Language)
	}
	a.printf("\n\n")
}
