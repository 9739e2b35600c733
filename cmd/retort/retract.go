package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/workflows"
)

// RetractCmd takes records out of a dataset.
type RetractCmd struct {
	Dataset string   `arg:"" help:"Dataset." placeholder:"DATASET"`
	Source  []string `help:"Every record of this source, named as in the column source." placeholder:"SOURCE" sep:"none"`
	Record  []string `help:"The record of this id." placeholder:"ID"`
	Why     string   `required:"" help:"Why they are taken out; it enters the manifest." placeholder:"TEXT"`
	Who     string   `help:"Who says so (default: the user's name)." placeholder:"NAME"`
}

// Run puts the request and has a worker publish a version without the records, as workers alone write versions and sign them.
func (c *RetractCmd) Run(a *app) error {
	if len(c.Source)+len(c.Record) == 0 {
		return &schema.Error{Kind: schema.KindInvalid, Code: "arguments", Op: "retract from", Subject: c.Dataset, Cause: errors.New("nothing is named"), Hint: "Name a source (--source), or records (--record ID)."}
	}
	d, _, err := a.version(c.Dataset)
	if err != nil {
		return err
	}
	t, err := a.client(a.quiet())
	if err != nil {
		return err
	}
	run, err := c.request(a, d)
	if err != nil {
		return err
	}
	got, err := a.retract(t, run)
	if err != nil {
		return err
	}
	m, err := activities.LoadManifest(a.ctx, a.objects, d, got.Version)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"dataset": d.Name, "version": got.Version, "digest": got.Digest, "retraction": m.Retraction})
	}
	a.printRetraction(m)
	return nil
}

// request puts what is to be taken out, and why: Temporal gets a reference alone.
func (c *RetractCmd) request(a *app, d store.Dataset) (store.Run, error) {
	now := time.Now().UTC().Truncate(time.Second)
	run := d.Run(activities.RetractionPrefix + activities.NewRunID(now))
	req := activities.RetractionRequest{Retracted: schema.Retracted{Sources: slices.Compact(slices.Sorted(slices.Values(c.Source))), Records: slices.Compact(slices.Sorted(slices.Values(c.Record)))},
		Release: schema.Release{Who: c.Who, When: now, Why: c.Why}, Program: program()}
	if req.Who == "" {
		req.Who = userName()
	}
	body, err := json.MarshalIndent(req, "", " ")
	if err != nil {
		return run, err
	}
	return run, a.objects.PutNew(a.ctx, run.Retraction(), body)
}

func (a *app) retract(t client.Client, run store.Run) (got schema.PublishResult, err error) {
	w, err := t.ExecuteWorkflow(a.ctx, client.StartWorkflowOptions{ID: workflows.RetractID(run.Bucket, run.Prefix, run.Name), TaskQueue: a.config.Temporal.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true}, workflows.RetractName, schema.RunRef{Dataset: run.Name, Run: run.ID})
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &already) {
		return got, &schema.Error{Kind: schema.KindFailed, Code: "under_way", Op: "retract from", Subject: run.Name, Cause: errors.New("another retraction is under way"), Hint: "Wait for it: retort versions " + run.Name}
	}
	if err != nil {
		return got, &schema.Error{Kind: schema.KindFailed, Code: "start", Op: "retract from", Subject: run.Name, Cause: err}
	}
	if err = w.Get(a.ctx, &got); err == nil || a.ctx.Err() != nil {
		return got, err
	}
	return got, a.retractFailed(run, err)
}

// retractFailed says in full what Temporal has the code of.
func (a *app) retractFailed(run store.Run, err error) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return err
	}
	e := &schema.Error{Kind: schema.Kind(app.Type()), Code: app.Message(), Op: "retract from", Subject: run.Name, Cause: errors.New(reasonText(&schema.Status{Reason: app.Message()}))}
	var p activities.Problem
	if body, getErr := a.objects.Get(a.ctx, run.Problem(app.Message())); getErr == nil && json.Unmarshal(body, &p) == nil {
		e.Cause = errors.New(p.Message)
	}
	return e
}

func (a *app) printRetraction(m *schema.Manifest) {
	r := m.Retraction
	a.printf("Version %d of %s has %s records less: %d shards were replaced, all others kept.\n", m.Version, m.Dataset, number(r.Removed), len(r.Replaced))
	a.printf("Versions that have them and stay as they are: %v\n", r.Versions)
	for _, s := range r.Students {
		a.printf("Student %s was trained on version %d of them, by an attestation of key %.16s: s3://%s/%s\n", s.Student, s.Version, s.KeyID, a.config.Store.Bucket, s.Attestation)
	}
	if len(r.Students) == 0 {
		a.printf("No student was attested to have consumed them.\n")
	}
	a.printf("Later runs can't bring them back. Tell who trains on earlier versions to take %s.\n", fmt.Sprintf("%s@%d", m.Dataset, m.Version))
}
