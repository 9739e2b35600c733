package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/teacher"
)

// CheckCmd validates a recipe.
type CheckCmd struct {
	Recipe string `arg:"" optional:"" help:"Recipe to check." placeholder:"RECIPE"`
	Pilot  int64  `help:"Ask this many prompts, spread over the plan, on a worker, and give intervals for cost, rejects and time; publish nothing." placeholder:"N"`
	Schema bool   `help:"Print the JSON Schema of recipes and end."`
}

// Run checks, and prints what a run would come to.
func (c *CheckCmd) Run(a *app) error {
	if c.Schema {
		_, err := a.stdout.Write(schema.RecipeJSONSchema())
		return err
	}
	if c.Recipe == "" {
		return &schema.Error{Kind: schema.KindInvalid, Code: "arguments", Op: "check", Cause: errors.New("no recipe given"), Hint: "retort check RECIPE"}
	}
	if err := c.checkPilot(); err != nil {
		return err
	}
	b, est, err := a.check(c.Recipe)
	if err != nil {
		return err
	}
	if c.Pilot > 0 {
		return a.pilot(b, est, c.Pilot)
	}
	if a.json {
		return a.printJSON(est)
	}
	est.print(a)
	return nil
}

// Estimate is what a run of a recipe would come to.
type Estimate struct {
	Dataset  string            `json:"dataset"`
	Prompts  int64             `json:"prompts"`
	Repeats  int64             `json:"repeats"`
	Alike    int64             `json:"alike,omitempty"` // left out by checks.near.near_prompt
	Requests int64             `json:"requests"`
	Teachers []TeacherEstimate `json:"teachers"`
	Warnings []string          `json:"warnings,omitempty"`
}

// TeacherEstimate is a teacher's part. Input tokens are estimated at four bytes a token; an answer has between a tenth of
// max_tokens and all of it. Costs are nil where the price is unknown.
type TeacherEstimate struct {
	Name        string       `json:"name"`
	Model       string       `json:"model"`
	Requests    int64        `json:"requests"`
	InputTokens int64        `json:"input_tokens"`
	OutputLow   int64        `json:"output_tokens_low"`
	OutputHigh  int64        `json:"output_tokens_high"`
	CostLow     *int64       `json:"cost_low_micros"`
	CostHigh    *int64       `json:"cost_high_micros"`
	Terms       schema.Terms `json:"terms"`
}

// check reads a recipe, its sources and its teachers, renders every prompt, and changes nothing.
func (a *app) check(file string) (*activities.Beginning, *Estimate, error) {
	config, err := a.loadConfig()
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &schema.Error{Kind: schema.KindInvalid, Code: "recipe", Op: "read recipe", Subject: file, Cause: errors.New("there is no such file"), Hint: "Give the path of a recipe, such as examples/go-docs/recipe.yaml."}
	}
	if err != nil {
		return nil, nil, err
	}
	recipe, err := schema.LoadRecipe(file)
	if err != nil {
		return nil, nil, err
	}
	if err := schema.CheckTeachers(recipe, config).Err(); err != nil {
		return nil, nil, err
	}
	s, err := a.store()
	if err != nil {
		return nil, nil, err
	}
	access := &prompt.Access{Config: config, Store: s, Bucket: a.bucket}
	b := &activities.Beginning{Recipe: recipe, Text: text, Config: config, Begun: activities.Begun{Program: program(), At: time.Now().UTC()}}
	if b.Shape, err = readShape(access, recipe); err != nil {
		return nil, nil, err
	}
	if _, err := activities.NewRecipe(recipe, b.Shape); err != nil {
		return nil, nil, err
	}
	if b.Sources, err = access.ResolveAll(a.ctx, recipe); err != nil {
		return nil, nil, err
	}
	var holdout int
	b.Against, err = activities.ResolveAgainst(a.ctx, access, recipe, func(path, from string) ([]schema.PinnedFile, error) {
		return access.Resolve(a.ctx, recipe, path, from)
	})
	if err != nil {
		return nil, nil, err
	}
	if activities.ReadsHumanText(recipe) {
		if b.Anchor, err = access.Resolve(a.ctx, recipe, "anchor.from", recipe.Anchor.From); err != nil {
			return nil, nil, err
		}
		anchor, err := activities.CutAnchor(a.ctx, access, recipe, b.Anchor)
		if err != nil {
			return nil, nil, err
		}
		holdout = len(anchor.Holdout)
	}
	if _, err := b.DeclaredTeachers(a.ctx, s); err != nil {
		return nil, nil, err
	}
	var items int
	if b.Evaluations, items, err = activities.ResolveEvaluations(a.ctx, access, recipe); err != nil {
		return nil, nil, err
	}
	version, err := activities.PinVersion(a.ctx, s, store.NewDataset(s.Bucket(), config.Store.Prefix, recipe.Dataset), recipe)
	if err != nil {
		return nil, nil, err
	}
	est, err := a.estimate(b, access)
	if err != nil {
		return nil, nil, err
	}
	if len(b.Evaluations) > 0 {
		est.Warnings = append(est.Warnings, fmt.Sprintf("checks.contamination: answers and prompts are compared with %s texts of evaluation sets", number(int64(items))))
	}
	if want := activities.HumanRowsWanted(recipe, est.Requests); want > int64(holdout) {
		est.Warnings = append(est.Warnings, fmt.Sprintf("mix.human: %s human rows beside %s answers; the anchor's holdout has %s: give more human text, or a larger anchor.holdout",
			number(want), number(est.Requests), number(int64(holdout))))
	}
	if activities.Trended(recipe) && version == nil {
		est.Warnings = append(est.Warnings, fmt.Sprintf("anchor.version: %s has no version yet, so the trend isn't measured by this run", recipe.Dataset))
	}
	if version != nil {
		changes, err := activities.SamplingSince(a.ctx, s, store.NewDataset(s.Bucket(), config.Store.Prefix, recipe.Dataset), recipe)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range changes {
			est.Warnings = append(est.Warnings, fmt.Sprintf("sampling: since version %d, %s; the gate doesn't know that this is meant, and holds answers that are worse for it", recipe.Anchor.Version, c))
		}
	}
	return b, est, nil
}

// mostShape bounds a JSON Schema, in bytes: each worker compiles it.
const mostShape = 1 << 20

// readShape reads the JSON Schema of answers, which must lie where local files may be read.
func readShape(access *prompt.Access, recipe *schema.Recipe) ([]byte, error) {
	if recipe.Response.Schema == "" {
		return nil, nil
	}
	path, err := access.LocalPath(recipe, "response.schema", recipe.Response.Schema)
	if err != nil {
		return nil, err
	}
	raw, err := prompt.ReadLocal(path, mostShape)
	if err != nil {
		return nil, schema.Faults{recipe.At("response.schema", fmt.Sprintf("%s can't be read: %v", filepath.Base(path), err), "give the path of a JSON Schema, relative to the recipe")}
	}
	if _, err := teacher.CompileSchema(raw); err != nil {
		return nil, schema.Faults{recipe.At("response.schema", err.Error(), "")}
	}
	return raw, nil
}

// mostFaults bounds what is reported of the sources' rows.
const mostFaults = 20

// estimate renders every prompt and counts; faults of rows are collected.
func (a *app) estimate(b *activities.Beginning, access *prompt.Access) (*Estimate, error) {
	est := &Estimate{Dataset: b.Recipe.Dataset}
	for _, use := range b.Recipe.Teachers {
		t := b.Config.Teacher(use.Name)
		est.Teachers = append(est.Teachers, TeacherEstimate{Name: t.Name, Model: t.Model, Terms: t.Terms})
	}
	scratch, err := os.MkdirTemp("", "retort-check-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // scratch
	seen := prompt.NewSeen(scratch, 0)
	defer seen.Close()
	weights := prompt.Weights(b.Recipe)
	recipe, err := activities.NewRecipe(b.Recipe, b.Shape)
	if err != nil {
		return nil, err
	}
	novelty, err := activities.NewNovelty(a.ctx, recipe, 0, int64(b.Config.Worker.IndexMB)<<20/2, scratch, func(p schema.Prompt) error {
		est.add(b.Recipe, &p, prompt.AssignTeacher(b.Recipe.Seed, p.ID, weights))
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer novelty.Close()
	var faults schema.Faults
	leftOut := map[string]int64{}
	for p, err := range prompt.Stream(a.ctx, prompt.Plan{Recipe: b.Recipe, Sources: b.Sources, Access: access, LeftOut: func(license string) { leftOut[license]++ }}) {
		if err != nil {
			var fs schema.Faults
			if !errors.As(err, &fs) {
				return nil, err
			}
			if faults = append(faults, fs...); len(faults) >= mostFaults {
				break
			}
			continue
		}
		fresh, err := seen.Add(p.ID)
		if err != nil {
			return nil, err
		}
		if !fresh {
			est.Repeats++
			continue
		}
		if err := novelty.Add(a.ctx, p); err != nil {
			return nil, err
		}
	}
	if len(faults) > 0 {
		return nil, faults.Err()
	}
	if err := novelty.Flush(a.ctx); err != nil {
		return nil, err
	}
	est.Alike = novelty.Alike
	est.price(b)
	for _, license := range slices.Sorted(maps.Keys(leftOut)) {
		est.Warnings = append(est.Warnings, fmt.Sprintf("%s rows under %s are left out (licenses.exclude)", number(leftOut[license]), license))
	}
	return est, nil
}

func (e *Estimate) add(r *schema.Recipe, p *schema.Prompt, t int) {
	e.Prompts++
	e.Requests += int64(r.Samples)
	row := &e.Teachers[t]
	row.Requests += int64(r.Samples)
	likely, _ := prompt.EstimateTokens(p.Messages)
	row.InputTokens += int64(r.Samples) * likely
	most := teacher.DefaultMaxTokens
	if s := r.Sampling.Over(r.Teachers[t].Sampling); s.MaxTokens != nil {
		most = *s.MaxTokens
	}
	row.OutputLow += int64(r.Samples) * int64(most/10)
	row.OutputHigh += int64(r.Samples) * int64(most)
}

func (e *Estimate) price(b *activities.Beginning) {
	for i := range e.Teachers {
		row := &e.Teachers[i]
		t := b.Config.Teacher(row.Name)
		row.CostLow = teacher.Cost(t.Price, teacher.Usage{Input: row.InputTokens, Output: row.OutputLow}, t.Batch)
		row.CostHigh = teacher.Cost(t.Price, teacher.Usage{Input: row.InputTokens, Output: row.OutputHigh}, t.Batch)
		if b.Recipe.Budget.USD != nil && row.CostLow != nil && *row.CostLow > b.Recipe.Budget.Micros() {
			e.Warnings = append(e.Warnings, fmt.Sprintf("the budget of $%.2f is below the lowest estimate for %s (%s)", *b.Recipe.Budget.USD, row.Name, dollars(*row.CostLow)))
		}
	}
	for _, src := range b.Sources {
		if src.Origin == schema.OriginUnknown {
			e.Warnings = append(e.Warnings, fmt.Sprintf("the origin of %s isn't declared: its records' generation is unknown", src.From))
		}
	}
	if h := b.Recipe.Mix.Human; h > 0 && h < activities.LeastHumanShare {
		e.Warnings = append(e.Warnings, fmt.Sprintf("mix.human: %.0f%% human text is less than the %.0f%% below which a student that learns from its own answers decays", 100*h, 100*activities.LeastHumanShare))
	}
	if b.Recipe.Anchor == nil {
		e.Warnings = append(e.Warnings, "no anchor: degradation isn't measured")
	}
	sort.Strings(e.Warnings)
}

func (e *Estimate) print(a *app) {
	e.printTable(a)
	a.printf("\nThe recipe is fine. Start it with: retort run RECIPE\n")
}

func (e *Estimate) printTable(a *app) {
	a.printf("%s: %s prompts, %s requests", e.Dataset, number(e.Prompts), number(e.Requests))
	if e.Repeats > 0 {
		a.printf(" (%s repeats of prompts left out)", number(e.Repeats))
	}
	if e.Alike > 0 {
		a.printf(" (%s prompts left out as alike to one before)", number(e.Alike))
	}
	a.printf("\n\n")
	for _, t := range e.Teachers {
		a.printf("  %-20s %s requests, about %s tokens in, %s to %s out, cost %s\n", t.Name, number(t.Requests), number(t.InputTokens), number(t.OutputLow), number(t.OutputHigh), costRange(t.CostLow, t.CostHigh))
		a.printf("  %-20s training %s%s\n", "", t.Terms.Training, termsText(t.Terms))
	}
	for _, w := range e.Warnings {
		a.printf("\n  note: %s", w)
	}
	if len(e.Warnings) > 0 {
		a.printf("\n")
	}
}

func costRange(low, high *int64) string {
	if low == nil || high == nil {
		return "unknown (the teacher declares no price)"
	}
	if *low == *high {
		return dollars(*low)
	}
	return dollars(*low) + " to " + dollars(*high)
}

// termsText is what was declared of the terms, with what binds the student.
func termsText(t schema.Terms) string {
	var parts []string
	for _, p := range append([][2]string{{"licence", t.License}, {"source", t.Source}, {"read on", t.ReadOn}}, t.Binding()...) {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, "; ")
}
