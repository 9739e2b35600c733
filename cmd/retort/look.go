package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/workflows"
)

// snapshot is what is known of a run at a moment.
type snapshot struct {
	schema.Status
	flying activities.Beat // of the pages in flight, by their heartbeats
	steps  []step          // what workers do, or have been asked to do
	stale  bool            // the workflow wasn't asked: the status is the last one on S3
	lost   error           // Temporal couldn't be reached
}

// step is one of the run's pending activities.
type step struct {
	Name    string
	Started bool      // a worker has it
	Attempt int       // from 1
	Code    string    // of the last failure
	Next    time.Time // of the next attempt, where it waits for one
}

// Ended says whether the run goes on by itself.
func (s *snapshot) Ended() bool { return schema.Ended(s.State) }

// lookFor bounds one look; without a worker a query would wait.
const lookFor = 4 * time.Second

// look asks the workflow, and where nobody answers, the status on S3.
func (a *app) look(t client.Client, run store.Run) (*snapshot, error) {
	ctx, cancel := context.WithTimeout(a.ctx, lookFor)
	defer cancel()
	id := workflows.GenerateID(run.Bucket, run.Prefix, run.Name)
	snap, asked := &snapshot{}, false
	described, err := t.DescribeWorkflowExecution(ctx, id, "")
	var gone *serviceerror.NotFound
	switch {
	case err == nil:
		snap.pending(described.GetPendingActivities(), a.payloads)
		if described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			if got, err := t.QueryWorkflow(ctx, id, "", schema.QueryStatus); err == nil && got.Get(&snap.Status) == nil && snap.Run == run.ID {
				if !snap.Ended() {
					snap.ForgetWaits(time.Now())
					return snap, nil
				}
				asked = true // its end counts from when it stands on S3, where the next command reads it
			}
		}
	case !errors.As(err, &gone):
		snap.lost = err
	}
	snap.stale = !asked
	body, err := a.objects.Get(a.ctx, run.Status())
	if errors.Is(err, store.ErrNotFound) {
		snap.Status = schema.Status{Dataset: run.Name, Run: run.ID, State: stateWaiting}
		return snap, nil
	}
	if err != nil {
		return nil, errors.Join(snap.lost, err)
	}
	snap.Status = schema.Status{}
	if err := json.Unmarshal(body, &snap.Status); err != nil {
		return nil, err
	}
	snap.ForgetWaits(time.Now())
	if snap.Ended() {
		snap.stale, snap.lost, snap.steps, snap.flying = false, nil, nil, activities.Beat{}
	}
	return snap, nil
}

// stateWaiting is the state of a run that no worker has begun.
const stateWaiting = "waiting for a worker"

// pending notes what workers do, or should.
func (s *snapshot) pending(all []*workflowpb.PendingActivityInfo, payloads converter.DataConverter) {
	for _, p := range all {
		at := step{Name: p.GetActivityType().GetName(), Started: p.GetState() == enumspb.PENDING_ACTIVITY_STATE_STARTED, Attempt: int(p.GetAttempt())}
		if f := p.GetLastFailure(); f != nil {
			at.Code = whyAgain(f)
			if next := p.GetNextAttemptScheduleTime(); next != nil && !at.Started {
				at.Next = next.AsTime()
			}
		}
		s.steps = append(s.steps, at)
		var b activities.Beat
		if at.Name == schema.StepAsk && payloads.FromPayloads(p.GetHeartbeatDetails(), &b) == nil {
			s.flying.Total += b.Total
			s.flying.Done += b.Done
			s.flying.Failed += b.Failed
		}
	}
}

// whyAgain is the code of a failure; a worker that was lost is said so, as Temporal knows only that it wasn't heard of.
func whyAgain(f *failurepb.Failure) string {
	if f.GetTimeoutFailureInfo() != nil {
		return "its worker went away"
	}
	return f.GetMessage()
}
