package activities

import (
	"errors"
	"fmt"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// The command line checks a recipe against `allow:` before it begins a run. Workers check again, with their own temporal.yaml: who put
// the run's objects or started its workflow need not have used that command, or that file.

// mayWrite refuses datasets that this worker's configuration doesn't let recipes write.
func (r *Rooms) mayWrite(run store.Run) error {
	if r.Config.MayWrite(run.Name) {
		return nil
	}
	return notAllowed(schema.KindInvalid, run.Name, errors.New("the worker's allow.datasets doesn't let recipes write it"), "datasets")
}

// mayPlan refuses what this worker's configuration doesn't let a recipe do.
func (r *Rooms) mayPlan(run store.Run, recipe *schema.Recipe) error {
	if err := r.mayWrite(run); err != nil {
		return err
	}
	if err := schema.CheckAllowed(recipe, r.Config).Err(); err != nil {
		return notAllowed(schema.KindInvalid, run.Name, err, "datasets, teachers or budget")
	}
	return schema.CheckTeachers(recipe, r.Config).Err()
}

// mayAsk refuses a page of a teacher that recipes may not use, and a lease that is larger than the budget of an allowed recipe. It holds
// the run: the configuration may have changed under it.
func (r *Rooms) mayAsk(run store.Run, recipe *schema.Recipe, teacher string, in schema.AskInput) error {
	if err := r.mayPlan(run, recipe); err != nil {
		return notAllowed(schema.KindHold, run.Name, err, "datasets, teachers or budget")
	}
	if !r.Config.MayAsk(teacher) {
		return notAllowed(schema.KindHold, teacher, errors.New("the worker's allow.teachers doesn't let recipes use it"), "teachers")
	}
	if most := recipe.Budget.Micros(); above(in.LeaseMicros, most) {
		return notAllowed(schema.KindHold, in.Page.String(), fmt.Errorf("its lease of %d micro-dollars isn't within the recipe's budget of %d", in.LeaseMicros, most), "budget")
	}
	if most := recipe.Budget.Requests; most != nil && above(in.LeaseRequests, *most) {
		return notAllowed(schema.KindHold, in.Page.String(), fmt.Errorf("its lease of %d requests isn't within the recipe's budget of %d", in.LeaseRequests, *most), "budget")
	}
	return nil
}

// above says whether a lease breaks a bound; -1 is none.
func above(lease, most int64) bool { return most >= 0 && (lease < 0 || lease > most) }

// sameBudget refuses a plan that isn't the recipe's: a plan that stands already binds what may be spent.
func sameBudget(run store.Run, plan *schema.PlanResult, recipe *schema.Recipe) error {
	want := policyOf(recipe)
	if plan.Policy.BudgetMicros != want.BudgetMicros || plan.Policy.BudgetRequests != want.BudgetRequests {
		return broken(run.Plan(), errors.New("its budget isn't the recipe's"))
	}
	return nil
}

func notAllowed(kind schema.Kind, subject string, cause error, key string) error {
	return &schema.Error{Kind: kind, Code: "not_allowed", Op: "allow", Subject: subject, Cause: cause,
		Hint: "Ask who keeps the workers' temporal.yaml (allow: " + key + "), or change the recipe. A configuration that allows more on the machine where a run is started doesn't help."}
}
