package main

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// RejudgeCmd decides the paid answers of a run again under other checks.
type RejudgeCmd struct {
	Dataset string `arg:"" help:"DATASET@N for the run of a version; DATASET for the newest run, whether or not it was published." placeholder:"DATASET[@N]"`
	Checks  string `required:"" help:"Recipe whose checks are applied." placeholder:"RECIPE"`
}

// Run prints what would change. It asks nobody and writes nothing; it needs neither worker nor Temporal.
func (c *RejudgeCmd) Run(a *app) error {
	recipe, err := schema.LoadRecipe(c.Checks)
	if errors.Is(err, fs.ErrNotExist) {
		return schema.Faults{{File: c.Checks, What: "there is no such file", Mend: "give the path of a recipe"}}
	}
	if err != nil {
		return err
	}
	run, err := a.answeredRun(c.Dataset)
	if err != nil {
		return err
	}
	rooms := &activities.Rooms{Config: a.config, Store: a.objects, Buckets: a.bucket}
	got, err := rooms.Rejudge(a.ctx, schema.RunRef{Dataset: run.Name, Run: run.ID}, recipe.Checks, c.Checks)
	if err != nil {
		return err
	}
	if got.Answers == 0 {
		return &schema.Error{Kind: schema.KindInvalid, Code: "no_decisions", Op: "rejudge", Subject: c.Dataset, Cause: errors.New("the run's decisions aren't there any more: " + run.URI(run.Home())), Hint: "See retort status " + run.Name + " --all."}
	}
	if a.json {
		return a.printJSON(got)
	}
	a.printRejudged(got)
	return nil
}

// answeredRun is the run of a version, or the newest of which something was decided.
func (a *app) answeredRun(arg string) (store.Run, error) {
	if strings.Contains(arg, "@") {
		d, m, err := a.version(arg)
		if err != nil {
			return store.Run{}, err
		}
		return d.Run(m.Run), nil
	}
	d, err := a.dataset(arg)
	if err != nil {
		return store.Run{}, err
	}
	s, err := a.store()
	if err != nil {
		return store.Run{}, err
	}
	ids, err := s.Folders(a.ctx, d.Runs())
	if err != nil {
		return store.Run{}, err
	}
	for _, id := range slices.Backward(ids) {
		run := d.Run(id)
		if strings.HasPrefix(id, "preview-") {
			continue
		}
		if _, err := s.Head(a.ctx, run.Decisions(0)); err == nil {
			return run, nil
		} else if !errors.Is(err, store.ErrNotFound) {
			return run, err
		}
	}
	return store.Run{}, &schema.Error{Kind: schema.KindInvalid, Code: "no_runs", Op: "rejudge", Subject: arg, Cause: errors.New("no run of it has decided anything"), Hint: "See retort status " + arg + " --all."}
}

func (a *app) printRejudged(r *activities.Rejudged) {
	a.printf("%s  run %s  %s answers\n\n%-14s %12s %12s\n", r.Dataset, r.Run, number(r.Answers), "", "before", "after")
	names := maps.Clone(r.Before)
	maps.Copy(names, r.After)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a.printf("%-14s %12s %12s\n", name, number(r.Before[name]), number(r.After[name]))
	}
	for _, c := range r.Changes {
		a.printf("\n%s → %s: %s\n", c.From, c.To, number(c.Count))
		for _, s := range c.Samples {
			a.printf("  %s  %s\n    %s\n", s.ID, s.Prompt, s.Text)
			if f := s.Why; f.Signal != "" || f.Match != "" {
				a.printf("    %s %.3g (limit %.3g) %s\n", f.Signal, f.Value, f.Limit, f.Match)
			}
			if s.Of != "" {
				a.printf("    alike to %s\n", s.Of)
			}
		}
	}
	if len(r.Changes) == 0 {
		a.printf("\nNothing changes.\n")
	}
	for _, n := range r.Notes {
		a.printf("\nnote: %s\n", n)
	}
	a.printf("\nNothing was asked, and nothing was written.\n")
}
