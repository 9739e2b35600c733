package main

import (
	"context"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/workflows"
)

// GCCmd marks and removes what nothing needs.
type GCCmd struct {
	Dataset string `arg:"" help:"Dataset." placeholder:"DATASET"`
	Yes     bool   `help:"Remove what was marked for a day and still isn't needed."`
	Answers bool   `help:"Take, too, what was paid for in runs that became no version."`
}

// GCResult is what gc found and did.
type GCResult struct {
	Dataset string            `json:"dataset"`
	Marked  []activities.Mark `json:"marked"`  // not needed; since when
	Due     int               `json:"due"`     // of these, marked for a day
	Removed []activities.Mark `json:"removed"` // with --yes
	Waiting int               `json:"waiting"` // due, but a worker that sleeps might still publish them
}

// Run marks; with --yes it removes, too.
func (c *GCCmd) Run(a *app) error {
	d, err := a.dataset(c.Dataset)
	if err != nil {
		return err
	}
	s, err := a.store()
	if err != nil {
		return err
	}
	g := &activities.Collector{Store: s, Dataset: d, Now: time.Now().UTC(), Answers: c.Answers, Dead: a.dead(d)}
	all, err := g.Mark(a.ctx)
	if err != nil {
		return err
	}
	got := GCResult{Dataset: d.Name, Marked: all, Removed: []activities.Mark{}}
	for _, m := range all {
		if m.Due(g.Now) {
			got.Due++
		}
	}
	if c.Yes {
		if got.Removed, got.Marked, err = g.Sweep(a.ctx, all); err != nil {
			return err
		}
		got.Waiting, got.Due = got.Due-len(got.Removed), got.Due-len(got.Removed)
	}
	if a.json {
		return a.printJSON(got)
	}
	c.print(a, &got)
	return nil
}

// dead asks Temporal whether the dataset's workflow runs; nil where Temporal can't be asked: then what its status calls under way is left alone.
func (a *app) dead(d store.Dataset) func(string) bool {
	t, err := a.client(a.quiet())
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, 5*time.Second)
	defer cancel()
	got, err := t.DescribeWorkflowExecution(ctx, workflows.GenerateID(d.Bucket, d.Prefix, d.Name), "")
	var gone *serviceerror.NotFound
	dead := errors.As(err, &gone) || err == nil && got.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	return func(string) bool { return dead }
}

func (c *GCCmd) print(a *app, g *GCResult) {
	for _, m := range g.Removed {
		a.printf("removed  %s  %s\n", m.Key, m.Why)
	}
	for _, m := range g.Marked {
		a.printf("marked   %s  %s  since %s  %s\n", m.Key, size(m.Bytes), m.Since.Local().Format("2006-01-02 15:04"), m.Why)
	}
	switch {
	case len(g.Removed)+len(g.Marked) == 0:
		a.printf("Everything in %s is needed.\n", g.Dataset)
	case c.Yes:
		a.printf("Removed %d objects, %s; %d are marked.\n", len(g.Removed), size(total(g.Removed)), len(g.Marked))
	default:
		a.printf("%d objects, %s, aren't needed; nothing was removed. %d have been marked for a day: retort gc %s --yes removes them.\n", len(g.Marked), size(total(g.Marked)), g.Due, g.Dataset)
	}
	if g.Waiting > 0 {
		a.printf("%d wait for the dataset's next version: until then a worker that sleeps might still publish them.\n", g.Waiting)
	}
}

func total(all []activities.Mark) (n int64) {
	for _, m := range all {
		n += m.Bytes
	}
	return n
}
