package activities

import (
	"errors"
	"testing"

	"go.temporal.io/sdk/temporal"

	"github.com/retort-data/retort/schema"
)

// refused says with which code and kind an error reaches Temporal, and what stands in it.
func refused(err error) (kind schema.Kind, code string) {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return schema.Kind(app.Type()), app.Message()
	}
	var e *schema.Error
	if errors.As(err, &e) {
		return e.Kind, e.Code
	}
	return "", ""
}

// A run that was begun by a command with a wider configuration is refused by the worker's own, at each door that matters, and nobody is
// asked and nothing written.
func TestWorkersCheckWhatIsAllowed(t *testing.T) {
	small, few := 0.5, int64(3)
	for name, c := range map[string]struct {
		allow  schema.Allow
		budget string
	}{
		"dataset":       {allow: schema.Allow{Datasets: []string{"other"}}},
		"teacher":       {allow: schema.Allow{Teachers: []string{"another"}}},
		"no budget":     {allow: schema.Allow{Budget: schema.Budget{USD: &small}}},
		"large budget":  {allow: schema.Allow{Budget: schema.Budget{USD: &small}}, budget: "budget: {usd: 100}\n"},
		"many requests": {allow: schema.Allow{Budget: schema.Budget{Requests: &few}}, budget: "budget: {requests: 100}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			l, wide := planned(t, c.budget)
			l.begin("r2")
			narrow := *l.config
			narrow.Allow = c.allow
			narrow.Allow.Paths = l.config.Allow.Paths
			r := l.rooms(l.store)
			r.Config = &narrow
			_, err := r.Plan(t.Context(), l.ref)
			if kind, code := refused(err); kind != schema.KindInvalid || code != "not_allowed" {
				t.Errorf("planned: %v", err)
			}
			l.ref.Run = "r1" // planned by a worker that allows it: its pages are there
			if _, err := r.Plan(t.Context(), l.ref); err == nil {
				t.Error("a plan that stands was taken")
			}
			in := l.unbounded(0)
			_, err = l.ask(r, in)
			if kind, code := refused(err); kind != schema.KindHold || code != "not_allowed" || l.calls() > 0 {
				t.Errorf("asked (%d calls): %v", l.calls(), err)
			}
			if name == "dataset" {
				for _, err := range []error{r.Write(t.Context(), schema.WriteInput{RunRef: l.ref}), second(r.Publish(t.Context(), schema.PublishInput{RunRef: l.ref})), second(r.Retract(t.Context(), l.ref))} {
					if _, code := refused(err); code != "not_allowed" {
						t.Errorf("written: %v", err)
					}
				}
			}
			if c.budget == "" {
				if _, err := l.ask(wide, in); err != nil {
					t.Errorf("the worker that allows it: %v", err)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// What a page may spend is the recipe's budget at most, whatever lease or plan it comes with.
func TestLeasesStayWithinTheRecipesBudget(t *testing.T) {
	l, r := planned(t, "budget: {usd: 1, requests: 5}\n")
	for _, lease := range [][2]int64{{-1, 5}, {1_000_000, -1}, {1_000_001, 5}, {1_000_000, 6}} {
		in := l.unbounded(0)
		in.LeaseMicros, in.LeaseRequests = lease[0], lease[1]
		if _, err := l.ask(r, in); err == nil || l.calls() > 0 {
			t.Errorf("lease %v: %d calls, %v", lease, l.calls(), err)
		}
	}
	in := l.unbounded(0)
	in.LeaseMicros, in.LeaseRequests = 1_000_000, 5
	if got, err := l.ask(r, in); err != nil || got.Calls != 5 {
		t.Errorf("within: %+v, %v", got, err)
	}

	var plan schema.PlanResult
	l.must(r.getJSON(t.Context(), l.run.Plan(), &plan))
	plan.Policy.BudgetMicros = -1
	l.must(l.store.Delete(t.Context(), l.run.Plan()))
	l.must(r.putJSON(t.Context(), l.run.Plan(), plan, &plan))
	_, err := l.rooms(l.store).Plan(t.Context(), l.ref)
	if _, code := refused(err); code != "object_broken" {
		t.Errorf("a plan without the budget: %v", err)
	}
}
