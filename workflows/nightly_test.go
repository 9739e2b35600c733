package workflows

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/mock"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

const (
	nightsOf = "retort/b/d"
	night    = 24 * time.Hour
)

// nights is what stands on S3 about nights, and what a schedule is told.
type nights struct {
	mu     sync.Mutex
	held   string // run that is held
	log    []string
	told   []string
	paused int
}

func (n *nights) register(env *testsuite.TestWorkflowEnvironment) {
	env.RegisterWorkflowWithOptions(Notify, workflow.RegisterOptions{Name: NotifyName})
	env.RegisterActivityWithOptions(func(context.Context, schema.NotifyInput) ([]int, error) { return nil, nil }, activity.RegisterOptions{Name: schema.StepNotify})
	env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, args converter.EncodedValues) {
		var e schema.Event
		if info.WorkflowType.Name == NotifyName && args.Get(&e) == nil {
			n.told = append(n.told, e.Night.Format("01-02")+" "+e.Event)
		}
	})
	env.RegisterActivityWithOptions(func(_ context.Context, in schema.NightInput) (schema.Night, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		out := schema.Night{Dataset: in.Dataset, At: in.At, Outcome: schema.NightBegun, Run: in.Ref().Run}
		if n.held != "" {
			out.Outcome, out.Run = schema.NightHeld, n.held
		}
		return out, nil
	}, activity.RegisterOptions{Name: schema.StepBeginNight})
	env.RegisterActivityWithOptions(func(_ context.Context, in schema.EndNight) error {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.log = append(n.log, fmt.Sprintf("%s %s", in.Night.At.Format("01-02"), in.Night.Outcome))
		if in.Night.Outcome == schema.StateFailed {
			n.paused++
		}
		if in.Night.Outcome == schema.StateHeld {
			n.held = in.Night.Run
		}
		return nil
	}, activity.RegisterOptions{Name: schema.StepEndNight})
}

// outcome is what the n-th run of the dataset comes to, and how long that takes.
type outcome struct {
	state string
	takes time.Duration
}

// generate stands for Generate: it notes that no two of them run at once.
func (n *nights) generate(outcomes []outcome) func(workflow.Context, GenerateInput) (schema.Status, error) {
	running, count := 0, 0
	return func(ctx workflow.Context, in GenerateInput) (schema.Status, error) {
		if running++; running > 1 {
			return schema.Status{}, errors.New("two runs at once")
		}
		defer func() { running-- }()
		o := outcomes[count]
		count++
		if err := workflow.Sleep(ctx, o.takes); err != nil {
			return schema.Status{}, err
		}
		s := schema.Status{Dataset: in.Dataset, Run: in.Run, State: o.state, Version: count}
		if o.state == schema.StateFailed {
			return (&generation{ctx: ctx, State: State{Status: s}, in: GenerateInput{Preview: true}}).end(schema.StateFailed, errors.New("x"))
		}
		return s, nil
	}
}

// week starts a Nightly every night, as a schedule that allows overlaps does, and what a person does on some days.
func week(ctx workflow.Context, days int, byHand map[int]string) error {
	for day := 1; day <= days; day++ {
		if byHand[day] == "run" {
			manual := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: nightsOf, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON})
			if err := workflow.ExecuteChildWorkflow(manual, GenerateName, GenerateInput{}).GetChildWorkflowExecution().Get(ctx, nil); err != nil {
				return err
			}
		}
		if byHand[day] == "cancel" {
			if err := workflow.ExecuteActivity(light(ctx), "cancel").Get(ctx, nil); err != nil {
				return err
			}
		}
		id := nightsOf + "/night-" + workflow.Now(ctx).UTC().Format("2006-01-02T15:04:05Z")
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: id, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON})
		if err := workflow.ExecuteChildWorkflow(child, NightlyName, NightlyInput{Dataset: "d", Workflow: nightsOf}).GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return err
		}
		if err := workflow.Sleep(ctx, night); err != nil {
			return err
		}
	}
	return nil
}

// A week and a half of nights, in skipped time: each is reported, none overlaps, held and running runs are named and no failure, a failure
// pauses.
func TestNights(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet)
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(60 * time.Second)
	env.SetStartTime(time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC))
	n := &nights{}
	n.register(env)
	env.RegisterActivityWithOptions(func(context.Context) error { n.held = ""; return nil }, activity.RegisterOptions{Name: "cancel"})
	env.RegisterWorkflowWithOptions(Nightly, workflow.RegisterOptions{Name: NightlyName})
	env.RegisterWorkflowWithOptions(n.generate([]outcome{
		{schema.StatePublished, time.Hour},      // 1
		{schema.StatePublished, 30 * time.Hour}, // 2, in the way on 3
		{schema.StateHeld, time.Hour},           // 4; 5 and 6 say so
		{schema.StateNothingNew, time.Minute},   // 7, after a person has cancelled
		{schema.StatePublished, 2 * time.Hour},  // by hand on 8, in the way of that night
		{schema.StateFailed, time.Hour},         // 9
		{schema.StatePublished, time.Hour},      // 10
	}), workflow.RegisterOptions{Name: GenerateName})
	env.RegisterWorkflow(week)
	env.ExecuteWorkflow(week, 10, map[int]string{7: "cancel", 8: "run"})
	if err := env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	want := []string{"11-01 published", "11-03 already-running", "11-02 published", "11-04 held", "11-05 held-since", "11-06 held-since", "11-07 nothing-new",
		"11-08 already-running", "11-09 failed", "11-10 published"}
	if diff := cmp.Diff(want, n.log); diff != "" {
		t.Error(diff)
	}
	if n.paused != 1 {
		t.Errorf("paused %d times", n.paused)
	}
	if diff := cmp.Diff([]string{"11-03 skipped", "11-05 skipped", "11-06 skipped", "11-08 skipped"}, n.told); diff != "" {
		t.Errorf("told: %s", diff)
	}
}

// A buffered night waits for the run that is in its way.
func TestBufferedNightWaits(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet)
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(60 * time.Second)
	n := &nights{}
	n.register(env)
	env.RegisterWorkflowWithOptions(Nightly, workflow.RegisterOptions{Name: NightlyName})
	env.RegisterWorkflowWithOptions(n.generate([]outcome{{schema.StatePublished, 90 * time.Minute}, {schema.StatePublished, time.Minute}}), workflow.RegisterOptions{Name: GenerateName})
	both := func(ctx workflow.Context) (took time.Duration, err error) {
		manual := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: nightsOf})
		if err := workflow.ExecuteChildWorkflow(manual, GenerateName, GenerateInput{}).GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return 0, err
		}
		began := workflow.Now(ctx)
		err = workflow.ExecuteChildWorkflow(ctx, NightlyName, NightlyInput{Dataset: "d", Workflow: nightsOf, Buffer: true}).Get(ctx, nil)
		return workflow.Now(ctx).Sub(began), err
	}
	env.RegisterWorkflow(both)
	env.ExecuteWorkflow(both)
	var took time.Duration
	if err := env.GetWorkflowResult(&took); err != nil {
		t.Fatal(err)
	}
	if took < 90*time.Minute || took > 93*time.Minute || len(n.log) != 1 {
		t.Errorf("it took %s: %v", took, n.log)
	}
}

// A night that can't begin fails with its code, and says so before it fails.
func TestNightThatCannotBegin(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet)
	env := suite.NewTestWorkflowEnvironment()
	n := &nights{}
	n.register(env)
	env.OnActivity(schema.StepBeginNight, mock.Anything, mock.Anything).Return(schema.Night{}, faulty(schema.KindInvalid, "recipe"))
	env.RegisterWorkflowWithOptions(Nightly, workflow.RegisterOptions{Name: NightlyName})
	env.ExecuteWorkflow(NightlyName, NightlyInput{Dataset: "d", Workflow: nightsOf})
	if err := env.GetWorkflowError(); err == nil {
		t.Error("the night didn't fail")
	}
	if len(n.log) != 1 || n.paused != 1 {
		t.Errorf("log %v, paused %d", n.log, n.paused)
	}
}
