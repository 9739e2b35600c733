package main

import (
	"errors"
	"os/user"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/workflows"
)

// PauseCmd pauses a run.
type PauseCmd struct {
	Dataset string `arg:"" help:"Dataset whose run to pause." placeholder:"DATASET"`
}

// Run signals the workflow: a signal waits for no worker.
func (c *PauseCmd) Run(a *app) error {
	return a.signal(c.Dataset, schema.SignalPause, "Pausing %s: pages in flight are finished, no more are started. Go on with: retort resume %s\n")
}

// ResumeCmd goes on.
type ResumeCmd struct {
	Dataset string `arg:"" help:"Dataset whose run shall go on." placeholder:"DATASET"`
}

// Run signals the workflow.
func (c *ResumeCmd) Run(a *app) error {
	return a.signal(c.Dataset, schema.SignalResume, "%s goes on. Follow it with: retort watch %s\n")
}

// CancelCmd ends a run.
type CancelCmd struct {
	Dataset string `arg:"" help:"Dataset whose run to end." placeholder:"DATASET"`
}

// Run signals a run under way, or ends a held one for good. A run that no worker has taken up has no status yet.
func (c *CancelCmd) Run(a *app) error {
	d, last, err := a.newest(c.Dataset)
	var e *schema.Error
	if errors.As(err, &e) && e.Code == "no_runs" {
		last = &schema.Status{}
	} else if err != nil {
		return err
	}
	if last.State == schema.StateHeld {
		if _, err := activities.DecideHold(a.ctx, a.objects, d.Run(last.Run), last.HeldAs, activities.HoldCancelled); err != nil {
			return err
		}
		last.State, last.Updated = schema.StateCancelled, time.Now().UTC()
		if err := a.putStatus(d, last); err != nil {
			return err
		}
		a.done(d.Name, "The held run of %s was cancelled; what was paid for stands in its folder. A new one may start: retort run RECIPE (dataset %s)\n")
		return nil
	}
	return a.signal(c.Dataset, schema.SignalCancel, "Cancelling %s: what was asked is kept. See: retort status %s\n")
}

// ReleaseCmd lets a held run go on.
type ReleaseCmd struct {
	Dataset string `arg:"" help:"Dataset whose held run shall go on." placeholder:"DATASET"`
	Why     string `required:"" help:"Why it is right to go on; it enters the manifest." placeholder:"TEXT"`
	Who     string `help:"Who says so (default: the user's name)." placeholder:"NAME"`
}

// Run notes who, when and why beside the run, and starts a continuation from the held state.
func (c *ReleaseCmd) Run(a *app) error {
	d, last, err := a.newest(c.Dataset)
	if err != nil {
		return err
	}
	if last.State != schema.StateHeld {
		return &schema.Error{Kind: schema.KindInvalid, Code: "not_held", Op: "release", Subject: d.Name, Cause: errors.New("its newest run is " + last.State + ", not held"), Hint: "See: retort status " + d.Name}
	}
	t, err := a.client(a.quiet())
	if err != nil {
		return err
	}
	run := d.Run(last.Run)
	note := schema.Release{Who: c.Who, When: time.Now().UTC(), Why: c.Why, Reason: last.Reason}
	if note.Who == "" {
		note.Who = userName()
	}
	switch decided, err := activities.DecideHold(a.ctx, a.objects, run, last.HeldAs, activities.HoldReleased); {
	case err != nil:
		return err
	case decided != activities.HoldReleased:
		return &schema.Error{Kind: schema.KindInvalid, Code: "not_held", Op: "release", Subject: d.Name, Cause: errors.New("this hold was decided already: " + decided), Hint: "See: retort status " + d.Name}
	}
	if err := putRelease(a.ctx, a.objects, run, last.HeldAs, note); err != nil {
		return err
	}
	held := *last
	last.State, last.Updated = schema.StateAsking, time.Now().UTC()
	if err := a.putStatus(d, last); err != nil { // before the start, as the run's own statuses come after it
		return err
	}
	if err := a.start(t, run, workflows.GenerateInput{Released: last.HeldAs}); err != nil {
		return errors.Join(err, a.putStatus(d, &held))
	}
	a.done(d.Name, "%s was released and goes on. Follow it with: retort watch %s\n")
	return nil
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// newest is the newest run of a dataset.
func (a *app) newest(dataset string) (store.Dataset, *schema.Status, error) {
	d, err := a.dataset(dataset)
	if err != nil {
		return d, nil, err
	}
	s, err := a.store()
	if err != nil {
		return d, nil, err
	}
	last, err := activities.NewestStatus(a.ctx, s, d)
	if err == nil && last == nil {
		err = noRuns(d)
	}
	return d, last, err
}

func (a *app) signal(dataset, signal, done string) error {
	d, err := a.dataset(dataset)
	if err != nil {
		return err
	}
	t, err := a.client(a.quiet())
	if err != nil {
		return err
	}
	err = t.SignalWorkflow(a.ctx, workflows.GenerateID(d.Bucket, d.Prefix, d.Name), "", signal, nil)
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return &schema.Error{Kind: schema.KindFailed, Code: "not_running", Op: signal, Subject: d.Name, Cause: errors.New("no run of this dataset is under way"), Hint: "See: retort status " + d.Name}
	}
	if err != nil {
		return err
	}
	a.done(d.Name, done)
	return nil
}

func (a *app) done(dataset, text string) {
	if a.json {
		a.printf("{\"dataset\": %q, \"done\": true}\n", dataset)
		return
	}
	a.printf(text, dataset, dataset)
}
