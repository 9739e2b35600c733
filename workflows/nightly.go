package workflows

import (
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// NightlyName is the registered name of Nightly.
const NightlyName = "Nightly"

// ScheduleID is the id of a dataset's schedule; NightID that of its workflows, to which Temporal adds the time.
func ScheduleID(bucket, prefix, dataset string) string {
	return GenerateID(bucket, prefix, dataset) + "/schedule"
}

// NightID is what Temporal appends the time to.
func NightID(bucket, prefix, dataset string) string {
	return GenerateID(bucket, prefix, dataset) + "/night"
}

// NightlyInput is what a schedule starts its workflow with.
type NightlyInput struct {
	Dataset  string `json:"dataset"`
	Setting  string `json:"setting"`  // digest of the schedule as it was set
	Workflow string `json:"workflow"` // id of the dataset's workflow
	Schedule string `json:"schedule"`
	AskQueue string `json:"ask_queue"`
	Buffer   bool   `json:"buffer,omitempty"` // wait for a run that is in the way, rather than skip the night
}

const (
	// waitEvery and waitMost are how often and how long a buffered night looks whether the run in its way has ended.
	waitEvery = time.Minute
	waitMost  = 24 * time.Hour
	// beginMost bounds the tries to begin a night, such as while S3 is away.
	beginMost = 6 * time.Hour
)

// Nightly is one time of a schedule: it begins a run, starts Generate by the dataset's own id, so that no two runs overlap whoever
// starts them, and writes down what became of it. A run that is in the way, or held, is reported and no failure.
func Nightly(ctx workflow.Context, in NightlyInput) (schema.Night, error) {
	info := workflow.GetInfo(ctx)
	n := &nightly{ctx: ctx, in: in, NightInput: schema.NightInput{Dataset: in.Dataset, Setting: in.Setting, Workflow: in.Workflow, Schedule: in.Schedule,
		At: dueAt(info), Started: info.WorkflowStartTime, Seed: info.OriginalRunID}}
	n.night = schema.Night{Dataset: in.Dataset, At: n.At, Started: n.Started, Run: n.Ref().Run}
	n.run()
	return n.night, n.end()
}

// nightly is a night under way.
type nightly struct {
	schema.NightInput
	ctx   workflow.Context
	in    NightlyInput
	night schema.Night
	ran   bool // its run was started, and tells its own end
}

// dueAt is the time that Temporal appends to the workflow's id; a night that was started by hand is due when it starts.
func dueAt(info *workflow.Info) time.Time {
	id := info.WorkflowExecution.ID
	if n := len(id) - len("2006-01-02T15:04:05Z"); n > 0 {
		if at, err := time.Parse(time.RFC3339, id[n:]); err == nil {
			return at
		}
	}
	return info.WorkflowStartTime
}

func (n *nightly) run() {
	for began := workflow.Now(n.ctx); ; {
		if err := n.begin(); err != nil {
			n.failed(err)
			return
		}
		if n.night.Outcome == schema.NightBegun {
			n.probe()
		}
		if n.night.Outcome == schema.NightBegun {
			n.generate()
		}
		if !n.in.Buffer || n.night.Outcome != schema.NightRunning || workflow.Now(n.ctx).Sub(began) > waitMost {
			return
		}
		if err := workflow.Sleep(n.ctx, waitEvery); err != nil {
			n.failed(err)
			return
		}
	}
}

func (n *nightly) begin() error {
	ctx := workflow.WithActivityOptions(n.ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Hour, ScheduleToCloseTimeout: beginMost,
		HeartbeatTimeout: heartbeat, RetryPolicy: retries})
	return workflow.ExecuteActivity(ctx, schema.StepBeginNight, n.NightInput).Get(n.ctx, &n.night)
}

// probe asks the teachers a little before the budget is spent, and says which of them have changed. A probe that can't be made stops no night.
func (n *nightly) probe() {
	if n.night.Probe == "" || n.night.Probe == schema.ProbeOff {
		return
	}
	ctx := workflow.WithActivityOptions(n.ctx, workflow.ActivityOptions{TaskQueue: n.in.AskQueue, StartToCloseTimeout: 15 * time.Minute, ScheduleToCloseTimeout: time.Hour,
		HeartbeatTimeout: heartbeat, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 3}})
	if err := workflow.ExecuteActivity(ctx, schema.StepProbe, n.NightInput).Get(n.ctx, &n.night.Teachers); err != nil {
		workflow.GetLogger(n.ctx).Warn("the teachers could not be probed", "dataset", n.in.Dataset)
		return
	}
	for _, t := range n.night.Teachers {
		if !t.Changed() {
			continue
		}
		tell(n.ctx, n.Workflow, schema.Event{ID: n.At.UTC().Format(time.RFC3339) + "/" + schema.EventTeacher + "/" + t.Teacher, Event: schema.EventTeacher,
			Dataset: n.in.Dataset, Run: n.night.Run, Reason: t.Found, Subject: t.Teacher, Night: n.At})
		if n.night.Probe == schema.ProbeSkip {
			n.night.Outcome, n.night.Reason = schema.ProbeChanged, t.Found
		}
	}
}

// generate runs the dataset's own workflow and waits for its end. It outlives this workflow, should that be terminated.
func (n *nightly) generate() {
	ctx := workflow.WithChildOptions(n.ctx, workflow.ChildWorkflowOptions{WorkflowID: n.Workflow, WorkflowTaskTimeout: 10 * time.Second,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WaitForCancellation: true})
	var got schema.Status
	err := workflow.ExecuteChildWorkflow(ctx, GenerateName, GenerateInput{RunRef: n.Ref(), AskQueue: n.in.AskQueue, Program: n.night.Program, Search: n.night.Search}).Get(n.ctx, &got)
	switch {
	case temporal.IsWorkflowExecutionAlreadyStartedError(err): // it was started between the look and the start
		n.night.Outcome, n.night.Run = schema.NightRunning, ""
	case err != nil:
		n.ran = true
		n.failed(err)
	default:
		n.ran = true
		n.night.Outcome, n.night.Reason, n.night.Version = got.State, got.Reason, got.Version
		n.night.Counts, n.night.Cost = &got.Counts, &got.Cost
	}
}

func (n *nightly) failed(err error) {
	_, code := codeOf(err)
	var terminated *temporal.TerminatedError
	if errors.As(err, &terminated) {
		code = "terminated"
	}
	n.night.Outcome, n.night.Reason = schema.StateFailed, code
	if temporal.IsCanceledError(err) {
		n.night.Outcome = schema.StateCancelled
	}
}

// end writes the night down, also where it was cancelled. A failed night fails, so that Temporal's own tools see it.
func (n *nightly) end() error {
	ctx, cancel := workflow.NewDisconnectedContext(n.ctx)
	defer cancel()
	n.night.Ended = workflow.Now(ctx)
	if err := workflow.ExecuteActivity(light(ctx), schema.StepEndNight, schema.EndNight{NightInput: n.NightInput, Night: n.night}).Get(ctx, nil); err != nil {
		return err
	}
	n.tell(ctx)
	if n.night.Outcome == schema.StateFailed {
		return temporal.NewNonRetryableApplicationError(n.night.Reason, string(schema.KindFailed), nil)
	}
	return nil
}

// tell tells of nights that asked nobody; what became of a run is told by the run.
func (n *nightly) tell(ctx workflow.Context) {
	e := schema.Event{Event: schema.EventSkipped, Dataset: n.in.Dataset, Run: n.night.Run, Reason: n.night.Outcome, Subject: n.night.Reason, Missed: n.night.Missed, Night: n.At}
	switch {
	case n.night.Outcome == schema.StateFailed && !n.ran:
		e.Event, e.Reason, e.Subject = schema.EventFailed, n.night.Reason, ""
	case !n.night.Skipped() && n.night.Missed == 0:
		return
	}
	e.ID = n.At.UTC().Format(time.RFC3339) + "/" + e.Event
	tell(ctx, n.Workflow, e)
}
