package workflows

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// asker is a worker process in a test of the workflow.
type asker struct {
	t     *testing.T
	lease schema.Lease
	asks  int64
}

func (a *asker) ask(env *testsuite.TestWorkflowEnvironment, worker string, want int64) {
	a.asks++
	env.UpdateWorkflow(schema.UpdateLease, fmt.Sprint(worker, a.asks), &testsuite.TestUpdateCallback{
		OnAccept: func() {}, OnReject: func(err error) { a.t.Error(err) },
		OnComplete: func(got any, err error) {
			if err != nil {
				a.t.Error(err)
			}
			a.lease = got.(schema.Lease)
		}}, schema.LeaseAsk{Worker: worker, Ask: a.asks, Using: a.lease.Number, Want: want, Limits: schema.Limits{RPM: 600, Concurrency: 64}})
}

func stands(t *testing.T, env *testsuite.TestWorkflowEnvironment, worker string, number int64) (ok bool) {
	t.Helper()
	got, err := env.QueryWorkflow(schema.QueryLease, worker, number)
	if err == nil {
		err = got.Get(&ok)
	}
	if err != nil {
		t.Error(err)
	}
	return ok
}

// Two workers share a limit; when nobody has asked for long they are called, and where nobody answers the workflow ends.
func TestTeacherLendsAndEnds(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet)
	env := suite.NewTestWorkflowEnvironment()
	one, two := &asker{t: t}, &asker{t: t}
	env.RegisterDelayedCallback(func() { one.ask(env, "one", 100) }, time.Second)
	env.RegisterDelayedCallback(func() {
		if one.lease.Share.Concurrency != 64 || !stands(t, env, "one", one.lease.Number) {
			t.Errorf("alone it has %+v", one.lease)
		}
		two.ask(env, "two", 100)
	}, 2*time.Second)
	env.RegisterDelayedCallback(func() {
		if two.lease.Number != 0 || stands(t, env, "one", one.lease.Number) {
			t.Errorf("two got %+v, while one has all of it and isn't called", two.lease)
		}
		one.ask(env, "one", 100)
	}, 3*time.Second)
	env.RegisterDelayedCallback(func() { one.ask(env, "one", 100); two.ask(env, "two", 100) }, 4*time.Second)
	env.RegisterDelayedCallback(func() {
		if one.lease.Share.Concurrency != 32 || two.lease.Share.Concurrency != 32 || two.lease.Share.Pace != schema.WholePace/2 {
			t.Errorf("they share %+v and %+v", one.lease, two.lease)
		}
		if !stands(t, env, "one", one.lease.Number) || !stands(t, env, "two", two.lease.Number) {
			t.Error("their leases don't stand")
		}
	}, 5*time.Second)
	start := env.Now()
	env.ExecuteWorkflow(Teacher, TeacherInput{})
	if err := env.GetWorkflowError(); err != nil {
		t.Error(err)
	}
	if took := env.Now().Sub(start); took < idleFor || took > 4*idleFor {
		t.Errorf("it ended after %v", took)
	}
}

// After so many asks it begins a fresh history, with what is lent.
func TestTeacherContinuesAsNew(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet)
	env := suite.NewTestWorkflowEnvironment()
	one := &asker{t: t}
	for i := range mostAsks {
		env.RegisterDelayedCallback(func() { one.ask(env, "one", 100) }, time.Duration(i+1)*time.Second)
	}
	env.ExecuteWorkflow(Teacher, TeacherInput{})
	var renewed *workflow.ContinueAsNewError
	if err := env.GetWorkflowError(); !errors.As(err, &renewed) {
		t.Fatalf("it ended with %v", err)
	}
	var in TeacherInput
	if err := converter.GetDefaultDataConverter().FromPayloads(renewed.Input, &in); err != nil {
		t.Fatal(err)
	}
	if !in.Ledger.Stands(time.Now(), "one", one.lease.Number) {
		t.Errorf("the next history begins with %+v", in.Ledger)
	}
}
