package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/workflows"
)

// WatchCmd joins a run.
type WatchCmd struct {
	Dataset string `arg:"" help:"Dataset whose run to follow." placeholder:"DATASET"`
}

// Run follows the newest run of the dataset to its end.
func (c *WatchCmd) Run(a *app) error {
	d, err := a.dataset(c.Dataset)
	if err != nil {
		return err
	}
	s, err := a.store()
	if err != nil {
		return err
	}
	last, err := activities.NewestStatus(a.ctx, s, d)
	if err != nil {
		return err
	}
	if last == nil {
		return noRuns(d)
	}
	t, err := a.client(a.quiet())
	if err != nil {
		return err
	}
	return a.follow(t, d.Run(last.Run))
}

func noRuns(d store.Dataset) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "no_runs", Op: "look up", Subject: d.Name, Cause: errors.New("this dataset has no runs in " + d.Home()), Hint: "Start one with: retort run RECIPE"}
}

// followEvery is how often a run's state is asked for.
const followEvery = 500 * time.Millisecond

// snapshot is what is known of a run at a moment.
type snapshot struct {
	schema.Status
	flying activities.Beat // of the pages in flight, by their heartbeats
	stale  bool            // no worker answered: the status is the last one on S3
}

// follow shows a run until it ends; interrupted, it says how to rejoin. The run doesn't depend on who looks.
func (a *app) follow(t client.Client, run store.Run) error {
	v := a.newView()
	defer v.close()
	ended := a.awaitEnd(t, run)
	for {
		snap, err := a.look(t, run)
		switch {
		case a.ctx.Err() != nil:
			return a.leave(v, run)
		case err != nil:
			v.trouble(err)
		case snap != nil:
			if err := v.show(snap); err != nil {
				return err
			}
			if schema.Ended(snap.State) {
				v.close()
				return a.conclude(run, &snap.Status)
			}
		}
		select {
		case <-a.ctx.Done():
			return a.leave(v, run)
		case <-ended:
			ended = nil // one look more, and if its last status can't be read yet, as often as before
		case <-time.After(followEvery):
		}
	}
}

// awaitEnd closes what it returns once the run's workflow has ended, or nobody can tell.
func (a *app) awaitEnd(t client.Client, run store.Run) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t.GetWorkflow(a.ctx, workflows.GenerateID(run.Bucket, run.Prefix, run.Name), "").Get(a.ctx, nil) //nolint:errcheck // what it came to stands in its status
	}()
	return ended
}

func (a *app) leave(v view, run store.Run) error {
	v.close()
	fmt.Fprintf(a.stderr, "\nThe run goes on. Rejoin it with: retort watch %s\n", run.Name)
	return exitStatus(exitInterrupted)
}

// lookFor bounds one look; without a worker a query would wait.
const lookFor = 4 * time.Second

// look asks the workflow, and where nobody answers, the status on S3.
func (a *app) look(t client.Client, run store.Run) (*snapshot, error) {
	ctx, cancel := context.WithTimeout(a.ctx, lookFor)
	defer cancel()
	id := workflows.GenerateID(run.Bucket, run.Prefix, run.Name)
	snap := &snapshot{}
	described, err := t.DescribeWorkflowExecution(ctx, id, "")
	if err == nil {
		for _, p := range described.GetPendingActivities() {
			var b activities.Beat
			if p.GetActivityType().GetName() == schema.StepAsk && converter.GetDefaultDataConverter().FromPayloads(p.GetHeartbeatDetails(), &b) == nil {
				snap.flying.Total += b.Total
				snap.flying.Done += b.Done
				snap.flying.Failed += b.Failed
			}
		}
		if described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			if got, err := t.QueryWorkflow(ctx, id, "", schema.QueryStatus); err == nil && got.Get(&snap.Status) == nil && snap.Run == run.ID {
				return snap, nil
			}
		}
	}
	snap.stale = true
	body, err := a.objects.Get(a.ctx, run.Status())
	if errors.Is(err, store.ErrNotFound) {
		snap.Status = schema.Status{Dataset: run.Name, Run: run.ID, State: "waiting for a worker"}
		return snap, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &snap.Status); err != nil {
		return nil, err
	}
	if snap.Ended() {
		snap.stale = false
	}
	return snap, nil
}

// Ended says whether the run goes on by itself.
func (s *snapshot) Ended() bool { return schema.Ended(s.State) }

// conclude says what a run came to, and returns the exit status that goes with it.
func (a *app) conclude(run store.Run, s *schema.Status) error {
	if !a.json {
		a.concludeText(run, s)
	}
	switch s.State {
	case schema.StateHeld:
		if s.OnBudget {
			return exitStatus(exitBudget)
		}
		return exitStatus(exitHeld)
	case schema.StateFailed:
		if a.problemKind(run, s.Reason) == schema.KindInvalid {
			return exitStatus(exitInvalid)
		}
		return exitStatus(exitFailed)
	case schema.StateCancelled:
		return exitStatus(exitFailed)
	}
	if s.OnBudget {
		return exitStatus(exitBudget)
	}
	return nil
}

func (a *app) problemKind(run store.Run, code string) schema.Kind {
	switch code {
	case "recipe", "no_prompts", "max_generation", "not_allowed":
		return schema.KindInvalid
	}
	return schema.KindFailed
}

func (a *app) concludeText(run store.Run, s *schema.Status) {
	switch s.State {
	case schema.StatePublished:
		a.printf("\nPublished %s version %d: %s records. %s\n", s.Dataset, s.Version, number(s.Counts.Admitted+s.Counts.Human), run.URI(run.Manifest(s.Version)))
		a.warn(run, s.Version)
		a.printf("  retort files %s@%d     its shards\n  retort verify %s@%d    reads and checks them all\n", s.Dataset, s.Version, s.Dataset, s.Version)
	case schema.StateNothing:
		a.printf("\nNothing was admitted, so nothing was published. The rejects stand in %s\n", run.URI(run.Home()+"rejected/"))
	case schema.StateNothingNew:
		a.printf("\nNothing new: the dataset has an answer to each of %s prompts, so nobody was asked.\n", number(s.Answered))
	case schema.StateHeld:
		a.printf("\nHeld: %s\n%s", reasonText(s), a.problemText(run, s.Reason))
		a.printf("  retort release %s --why TEXT   goes on where it stopped\n  retort cancel %s               ends it for good; what was paid for is kept\n", s.Dataset, s.Dataset)
	case schema.StateCancelled:
		a.printf("\nCancelled. %s answers were paid for and stand in %s\n", number(s.Asked), run.URI(run.Home()+"answers/"))
	case schema.StateFailed:
		a.printf("\nFailed: %s\n%s", reasonText(s), a.problemText(run, s.Reason))
	}
}

// warn prints what the manifest warns of.
func (a *app) warn(run store.Run, version int) {
	m, err := activities.LoadManifest(a.ctx, a.objects, run.Dataset, version)
	if err != nil {
		return
	}
	for _, w := range m.Warnings {
		a.printf("  warning: %s\n", w)
	}
}

// problemText is the full text of what stopped a run.
func (a *app) problemText(run store.Run, code string) string {
	body, err := a.objects.Get(a.ctx, run.Problem(code))
	var p activities.Problem
	if err != nil || json.Unmarshal(body, &p) != nil {
		return ""
	}
	return "  " + p.Message + "\n"
}
