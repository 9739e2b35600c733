package workflows

import (
	"context"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// A hold expires after its time, with notice a day before; one that is decided meanwhile doesn't.
func TestHoldsExpire(t *testing.T) {
	for name, c := range map[string]struct {
		after   time.Duration
		decided time.Duration // a person decides; 0: nobody
		told    []string
		expired bool
	}{
		"nobody decides":             {7 * 24 * time.Hour, 0, []string{schema.EventExpiring, schema.EventExpired}, true},
		"released before the notice": {7 * 24 * time.Hour, time.Hour, nil, false},
		"released after the notice":  {7 * 24 * time.Hour, 6*24*time.Hour + time.Hour, []string{schema.EventExpiring}, false},
		"a short time":               {time.Hour, 0, []string{schema.EventExpiring, schema.EventExpired}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var suite testsuite.WorkflowTestSuite
			suite.SetLogger(quiet)
			env := suite.NewTestWorkflowEnvironment()
			began := env.Now()
			var told []string
			env.RegisterActivityWithOptions(func(_ context.Context, in schema.ExpireHeld) (bool, error) {
				return c.decided == 0 || env.Now().Sub(began) < c.decided, nil
			}, activity.RegisterOptions{Name: schema.StepExpire})
			env.RegisterActivityWithOptions(func(_ context.Context, in schema.NotifyInput) ([]int, error) {
				told = append(told, in.Event.Event)
				return nil, nil
			}, activity.RegisterOptions{Name: schema.StepNotify})
			env.RegisterWorkflowWithOptions(Notify, workflow.RegisterOptions{Name: NotifyName})
			env.RegisterWorkflowWithOptions(Expire, workflow.RegisterOptions{Name: ExpireName})
			env.ExecuteWorkflow(ExpireName, ExpireInput{HeldInput: schema.HeldInput{Number: 1}, After: c.after, Base: "b"})
			var expired bool
			if err := env.GetWorkflowResult(&expired); err != nil {
				t.Fatal(err)
			}
			if expired != c.expired || !slices.Equal(told, c.told) {
				t.Errorf("expired %v, told %v", expired, told)
			}
			if took := env.Now().Sub(began); c.expired && took < c.after {
				t.Errorf("it took %s, not %s", took, c.after)
			}
		})
	}
}

// What a run comes to is told, also to receivers that are away at first; never without bound.
func TestNotifyTriesAgain(t *testing.T) {
	for _, away := range []int{0, 2, 1000} {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(quiet)
		env := suite.NewTestWorkflowEnvironment()
		tries := 0
		env.RegisterActivityWithOptions(func(_ context.Context, in schema.NotifyInput) ([]int, error) {
			if tries++; tries <= away {
				return []int{1}, nil
			}
			return nil, nil
		}, activity.RegisterOptions{Name: schema.StepNotify})
		env.RegisterWorkflowWithOptions(Notify, workflow.RegisterOptions{Name: NotifyName})
		env.ExecuteWorkflow(NotifyName, schema.Event{})
		if err := env.GetWorkflowError(); err != nil {
			t.Error(err)
		}
		if want := min(away+1, len(notifyPauses)+1); tries != want {
			t.Errorf("away %d times: %d tries, not %d", away, tries, want)
		}
	}
}

// Each end of a run is told once.
func TestEndsAreTold(t *testing.T) {
	w := newWorld(2)
	w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if !slices.Equal(w.told, []string{schema.EventPublished}) {
		t.Errorf("told %v", w.told)
	}
	held := newWorld(2)
	held.plan.Policy.ExpiresSeconds = 3600
	held.verdict = func(schema.AdmitInput) schema.GateVerdict {
		return schema.GateVerdict{State: "hold", Account: "length"}
	}
	held.mustEnd(t, GenerateInput{}, schema.StateHeld)
	if !slices.Equal(held.told, []string{schema.EventHeld}) {
		t.Errorf("told %v", held.told)
	}
	budget := newWorld(4)
	budget.plan.Policy.BudgetRequests = 5
	budget.mustEnd(t, GenerateInput{}, schema.StateHeld)
	if !slices.Equal(budget.told, []string{schema.EventBudget}) {
		t.Errorf("told %v", budget.told)
	}
	preview := newWorld(1)
	if _, err := preview.run(t, GenerateInput{Preview: true}); err != nil || len(preview.told) > 0 {
		t.Errorf("a preview told %v: %v", preview.told, err)
	}
}
