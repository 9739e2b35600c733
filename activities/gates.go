package activities

import (
	"context"
	"errors"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// gatePlan is one of a run's gates: what it measures answers against, and by which options. All of them stand on S3 once the run is
// planned, so that every worker judges alike.
type gatePlan struct {
	Against   string              `json:"against"`
	Version   int                 `json:"version,omitempty"`
	Anchor    string              `json:"anchor,omitempty"` // key
	ByTeacher bool                `json:"by_teacher,omitempty"`
	Options   quality.GateOptions `json:"options"`
}

// Judged says whether a recipe has a gate.
func Judged(r *schema.Recipe) bool {
	return Anchored(r) || Trended(r) || len(r.Gate.Ceilings) > 0 && !r.Gate.Off
}

// putGates cuts the run's anchors and puts its gates: the band to human text, the trend against a version, the rates with a
// ceiling, as far as the recipe has them. Each gets an equal share of the recipe's false_alarm: together they hold a healthy run
// with at most that probability.
func (r *Rooms) putGates(ctx context.Context, run store.Run, recipe *Recipe, access *prompt.Access) error {
	if !Judged(recipe.Recipe) {
		return nil
	}
	if _, err := r.Store.Head(ctx, run.Gates()); err == nil || !notFound(err) {
		return err
	}
	var pinned []schema.ManifestSource
	if err := r.getJSON(ctx, run.Sources(), &pinned); err != nil {
		return err
	}
	plans := []gatePlan{}
	for i := range pinned {
		switch pinned[i].Role {
		case RoleAnchor:
			if !Anchored(recipe.Recipe) {
				continue
			}
			key, err := r.putHumanAnchor(ctx, run, recipe.Recipe, access, pinned[i].Files)
			if err != nil {
				return err
			}
			plans = append(plans, gatePlan{Against: schema.AgainstHuman, Anchor: key, Options: quality.GateOptions{Mode: quality.ModeHuman}})
		case RoleVersion:
			plan, err := r.trend(ctx, run, recipe, pinned)
			if err != nil {
				return err
			}
			plans = append(plans, plan)
		}
	}
	if len(recipe.Gate.Ceilings) > 0 {
		plans = append(plans, gatePlan{Against: schema.AgainstCeilings, Options: quality.GateOptions{Ceilings: recipe.Gate.Ceilings}})
	}
	setTolerance(recipe.Recipe, plans)
	for i := range plans {
		plans[i].Options.Alpha, plans[i].Options.MinEffect = recipe.Gate.FalseAlarm/float64(len(plans)), -1
	}
	if Anchored(recipe.Recipe) && (len(plans) == 0 || plans[0].Against != schema.AgainstHuman) {
		return broken(run.Sources(), errors.New("it pins no anchor"))
	}
	return r.putJSON(ctx, run.Gates(), plans, nil)
}

// trend is the gate against the pinned version.
func (r *Rooms) trend(ctx context.Context, run store.Run, recipe *Recipe, pinned []schema.ManifestSource) (gatePlan, error) {
	m, err := LoadManifest(ctx, r.Store, run.Dataset, recipe.Anchor.Version)
	if err != nil {
		return gatePlan{}, err
	}
	plan := gatePlan{Against: schema.AgainstVersion, Version: m.Version, ByTeacher: sameTeachers(recipe, m)}
	then, err := r.recipe(ctx, run.Dataset.Run(m.Run))
	if err != nil {
		return gatePlan{}, err
	}
	plan.Options = quality.GateOptions{Mode: quality.ModeChanged, NewPrompts: !samePrompts(pinned, m.Sources), NewTemplate: !sameTemplate(recipe.Recipe, then.Recipe)}
	if plan.ByTeacher {
		plan.Options.Mode = quality.ModeSame
	}
	plan.Anchor, err = r.putVersionAnchor(ctx, run, recipe, m, plan.ByTeacher)
	return plan, err
}

// setTolerance gives what the recipe says to the gate that it is about: the trend, where there is one, else the human text.
func setTolerance(recipe *schema.Recipe, plans []gatePlan) {
	about := -1
	for i := range plans {
		if plans[i].Anchor != "" {
			about = i
		}
	}
	if about < 0 {
		return
	}
	switch o := &plans[about].Options; {
	case recipe.Gate.Tolerance == schema.ToleranceWide:
		o.Mode = quality.ModeHuman
	case recipe.Gate.Tolerance == schema.ToleranceNone && o.Mode == quality.ModeHuman:
		o.Mode = quality.ModeSame
	}
}
