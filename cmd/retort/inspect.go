package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/retort-data/retort/inspect"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// InspectCmd runs the checks, the search for duplicates and the gate over files that exist already.
type InspectCmd struct {
	Files     []string `arg:"" help:"Parquet, JSONL, CSV or text, also .gz and .zst; * and ? match within a name." placeholder:"FILE"`
	Text      string   `help:"Column with the text (default: text, completion, answer, response, or the last assistant message of messages)." placeholder:"COL"`
	Prompt    string   `help:"Column with the prompt or its id; duplicates are then those of the same prompt." placeholder:"COL"`
	Key       string   `help:"Column that matches a row to the anchor's of the same key." placeholder:"COL"`
	Stratum   string   `help:"Column with the kind of a row; it is compared with the anchor's of that kind." placeholder:"COL"`
	Anchor    []string `help:"Files of text to compare with, with commas between; * and ? match within a name, quoted." placeholder:"FILE"`
	Tolerance string   `enum:"wide,0" default:"wide" help:"How far rows may stand from the anchor: wide (text of people) or 0 (an earlier version by the same teacher: nothing may be worse)."`
	Checks    string   `help:"Recipe whose checks are applied (default: those of a recipe that says nothing)." placeholder:"RECIPE"`
	Pairs     string   `help:"Write all pairs of near-duplicates: id, id, Jaccard index, with tabs. A row's id is its id column, else its number, from 0." placeholder:"FILE"`
	Output    string   `short:"o" help:"Write kept/ and rejected/ as JSONL; the folder must be empty or not there." placeholder:"DIR"`
}

// Run inspects, and ends with the status of a hold where the gate would hold.
func (c *InspectCmd) Run(a *app) error {
	o := inspect.Options{Files: c.Files, Columns: inspect.Columns{Text: c.Text, Prompt: c.Prompt, Key: c.Key, Stratum: c.Stratum},
		Checks: schema.DefaultChecks(), Anchor: c.Anchor, Tolerance: c.Tolerance, Pairs: c.Pairs, Output: c.Output}
	var passed []string
	if c.Checks != "" {
		recipe, err := schema.LoadRecipe(c.Checks)
		if errors.Is(err, fs.ErrNotExist) {
			return schema.Faults{{File: c.Checks, What: "there is no such file", Mend: "give the path of a recipe"}}
		}
		if err != nil {
			return err
		}
		o.Checks, o.FalseAlarm, o.Seed, o.Ceilings = recipe.Checks, recipe.Gate.FalseAlarm, recipe.Seed, recipe.Gate.Ceilings
		o.Checks.Contamination.Against = besideRecipe(c.Checks, recipe.Checks.Contamination.Against)
		if o.Against, passed, err = corporaOf(c.Checks, recipe); err != nil {
			return err
		}
	}
	report, err := inspect.Run(a.ctx, o)
	if err != nil {
		return err
	}
	for _, name := range passed {
		report.Warnings = append(report.Warnings, "checks.near.against: not compared with "+name+": here are files alone; retort export writes a dataset to one")
	}
	if a.json {
		err = a.printJSON(report)
	} else {
		a.printInspected(report)
	}
	if err == nil && report.Held() {
		return exitStatus(exitHeld)
	}
	return err
}

// corporaOf are the files that a recipe's checks.near.against names, and the datasets among them, which need a store.
func corporaOf(path string, recipe *schema.Recipe) (files []inspect.Corpus, datasets []string, err error) {
	for i, name := range recipe.Checks.Near.Against {
		corpus := inspect.Corpus{Name: name, Files: name}
		if name == schema.AgainstAnchor {
			if recipe.Anchor == nil || recipe.Anchor.From == "" {
				return nil, nil, schema.Faults{recipe.At(fmt.Sprintf("checks.near.against[%d]", i), "the recipe has no human text as its anchor", "give anchor.from")}
			}
			corpus.Files, corpus.Column = recipe.Anchor.From, recipe.Anchor.Text
		} else if _, _, isFile := schema.SourceFormat(name); !isFile {
			datasets = append(datasets, name)
			continue
		}
		corpus.Files = besideRecipe(path, []string{corpus.Files})[0]
		files = append(files, corpus)
	}
	return files, datasets, nil
}

// besideRecipe are paths of a recipe as seen from the current folder.
func besideRecipe(recipe string, paths []string) (out []string) {
	for _, p := range paths {
		if _, _, s3 := schema.SplitS3(p); !s3 && !filepath.IsAbs(p) {
			p = filepath.Join(filepath.Dir(recipe), p)
		}
		out = append(out, p)
	}
	return out
}

func (a *app) printInspected(r *inspect.Report) {
	a.printf("records     %d\nkept        %d\n", r.Records, r.Kept)
	for _, why := range slices.Sorted(maps.Keys(r.Rejected)) {
		a.printf("rejected    %-8d %s\n", r.Rejected[why], why)
	}
	for _, check := range slices.Sorted(maps.Keys(r.Tagged)) {
		a.printf("tagged      %-8d %s\n", r.Tagged[check], check)
	}
	a.printf("duplicates  %d exact, %d near\n", r.Duplicates.Exact, r.Duplicates.Near)
	if r.Pairs != nil {
		a.printf("pairs       %d\n", *r.Pairs)
	}
	a.printf("signals     %-22s %10s %10s %10s\n", "mean of", "rows", "anchor", "tolerance")
	for _, name := range slices.Sorted(maps.Keys(r.Signals)) {
		s := r.Signals[name]
		a.printf("            %-22s %10.4g %10s %10s\n", name, s.Value, known(s.Anchor), known(s.Tolerance))
	}
	if r.Gate.Verdict.Verdict == quality.VerdictNoAnchor {
		a.printf("gate        no anchor given; --anchor FILE compares with text of people or an earlier version\n")
	} else {
		a.printf("gate        %s: %s\n", r.Gate.Verdict.Verdict, r.Gate.Text)
	}
	for _, w := range append(slices.Clone(r.Gate.Warnings), r.Warnings...) {
		a.printf("warning     %s\n", w)
	}
	if r.Held() {
		a.printExamples(r)
	}
}

// printExamples shows the rows that the gate went by, beside what they were compared with.
func (a *app) printExamples(r *inspect.Report) {
	for _, e := range r.Gate.Examples[:min(3, len(r.Gate.Examples))] {
		a.printf("example     record %d, id %s: %.160q\n            beside: %.160q\n", e.Number, e.Record, r.Gate.Texts[e.Number], e.TwinText)
	}
	a.printf("            Look at what changed since pair %d; -o writes what was kept and rejected.\n", r.Gate.Since)
}

// known is a number, or a dash where there is none.
func known(v *float64) string {
	if v == nil {
		return "–"
	}
	return strconv.FormatFloat(*v, 'g', 4, 64)
}
