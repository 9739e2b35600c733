package workflows

import (
	"testing"

	"go.temporal.io/sdk/testsuite"

	"github.com/retort-data/retort/schema"
)

// Leases never pass the cap (the world holds that at every ask), and what is left is used to less than one request a page.
func TestBudget(t *testing.T) {
	for name, c := range map[string]struct {
		micros, calls int64
		publish       bool
		most          int64 // requests that the cap allows
		state         string
	}{
		"money, publish":              {300, -1, true, 100, schema.StatePublished},
		"money, hold":                 {300, -1, false, 100, schema.StateHeld},
		"requests, publish":           {-1, 77, true, 77, schema.StatePublished},
		"requests, hold":              {-1, 77, false, 77, schema.StateHeld},
		"both, the smaller one binds": {300, 77, true, 77, schema.StatePublished},
		"more than enough":            {1e6, 1e6, false, 400, schema.StatePublished},
		"nothing at all, publish":     {0, -1, true, 0, schema.StateNothing},
		"nothing at all, hold":        {2, -1, false, 0, schema.StateHeld},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(20, 20)
			w.plan.Policy.BudgetMicros, w.plan.Policy.BudgetRequests, w.plan.Policy.PublishBudget = c.micros, c.calls, c.publish
			got := w.mustEnd(t, GenerateInput{}, c.state)
			if got.OnBudget != (c.most < 400) {
				t.Errorf("budget reached: %v", got.OnBudget)
			}
			var answered int64
			for _, n := range w.journals {
				answered += int64(n)
			}
			if answered != c.most {
				t.Errorf("%d requests were answered, the cap allows %d", answered, c.most)
			}
			if c.state == schema.StateHeld {
				if got.Reason != "budget" || len(w.held) != 1 {
					t.Errorf("reason %q, %d held states", got.Reason, len(w.held))
				}
				return
			}
			if got.Counts.Admitted != answered || got.Cost.Micros != 3*answered {
				t.Errorf("%d were answered; counts %+v, cost %+v", answered, got.Counts, got.Cost)
			}
		})
	}
}

// Pages that a block stopped keep their leases, which aren't used up: a release goes on with them, to the last request that the
// budget covers.
func TestLeasesSurviveAHold(t *testing.T) {
	w := newWorld(20)
	w.plan.Policy.BudgetMicros = 3 * w.plan.Requests
	blocked := true
	held := make(chan struct{})
	w.onAsk = func(_ *testsuite.TestWorkflowEnvironment, in schema.AskInput) (got schema.PageCounts, err error, handled bool) {
		switch {
		case !blocked:
			return
		case in.Page.Number == 0:
			return got, faulty(schema.KindHold, "teacher_blocked"), true
		}
		<-held
		return got, faulty(schema.KindRetry, "interrupted"), true
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StateHeld)
	blocked = false
	close(held)
	got = w.mustEnd(t, GenerateInput{Released: got.HeldAs}, schema.StatePublished)
	if got.Counts.Admitted != w.plan.Requests || got.OnBudget {
		t.Errorf("counts %+v, budget reached %v: the budget covers every request", got.Counts, got.OnBudget)
	}
}

// A page whose dearest request costs more than its lease, as when a price was raised after the plan, ends at the budget too: it isn't
// asked over and over.
func TestLeaseThatIsTooSmallEnds(t *testing.T) {
	w := newWorld(2)
	w.plan.Policy.BudgetMicros = 50
	asked := 0
	w.onAsk = func(*testsuite.TestWorkflowEnvironment, schema.AskInput) (schema.PageCounts, error, bool) {
		if asked++; asked > 50 {
			return schema.PageCounts{}, faulty(schema.KindFailed, "asked_for_ever"), true
		}
		return schema.PageCounts{Requests: pageOf, Unasked: pageOf, Stopped: "budget"}, nil, true
	}
	if got := w.mustEnd(t, GenerateInput{}, schema.StateHeld); got.Reason != "budget" {
		t.Errorf("reason %q", got.Reason)
	}
}
