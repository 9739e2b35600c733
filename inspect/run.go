package inspect

import (
	"context"
	"errors"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// Options say what is inspected, and by what measure.
type Options struct {
	Files   []string // paths; * and ? match within a name
	Columns Columns
	Checks  schema.Checks // without Columns.Prompt the scope of duplicates is the whole; paths of evaluation sets are relative to the current folder
	Against []Corpus      // stands for Checks.Near.Against

	Anchor     []string           // files that the gate compares with; none: no gate
	Tolerance  string             // schema.ToleranceWide (default) or schema.ToleranceNone: an earlier version by the same teacher, which files don't say
	FalseAlarm float64            // 0 is the gate's default
	Ceilings   map[string]float64 // highest healthy rates of findings, by check
	Seed       uint64             // of the anchor's parts

	Pairs  string // file for the pairs of near-duplicates; "" is none
	Output string // folder for kept/ and rejected/; "" is none

	MemoryBytes int64  // bound of the index; 0 is 256 MiB
	Scratch     string // folder for what doesn't fit in memory; "" is the system's
}

const indexBytes = 256 << 20

// Run inspects. What is wrong with the files is schema.Faults with file and line, or a schema.Error of KindInvalid; a gate that would
// hold is no error.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	if o.Columns.Prompt == "" {
		o.Checks.Exact.Scope, o.Checks.Near.Scope = schema.ScopeDataset, schema.ScopeDataset
	}
	from, err := openFiles(ctx, o.Files, o.Scratch)
	if err != nil {
		return nil, err
	}
	if err := checkPairs(o.Pairs, from); err != nil {
		return nil, err
	}
	against, err := evaluations(ctx, &o)
	if err != nil {
		return nil, err
	}
	m, err := newMeasurer(o.Checks, against)
	if err != nil {
		return nil, err
	}
	out, err := openOutput(o.Output)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := out.close(err != nil); err == nil {
			err = closeErr
		}
	}()
	gate, anchor, err := openGate(ctx, &o, m)
	if err != nil {
		return nil, err
	}
	index, err := openIndex(ctx, &o)
	if err != nil {
		return nil, err
	}
	defer index.Close()
	j := &judge{report: newReport(), index: index, gate: gate, out: out, signals: means{}}
	for p, err := range m.measured(ctx, from.rows(ctx, o.Columns, o.Output != "")) {
		if err == nil {
			err = j.page(ctx, p)
		}
		if err != nil {
			return nil, err
		}
	}
	if j.report.Records == 0 {
		return nil, &schema.Error{Kind: schema.KindInvalid, Code: "no_rows", Op: "inspect", Subject: o.Files[0], Cause: errors.New("there are no rows"), Hint: "Give files with rows."}
	}
	j.report.finish(j.signals, anchor, gate.Verdict())
	if err := j.report.findTexts(ctx, &o, from); err != nil {
		return nil, err
	}
	if o.Pairs != "" {
		err = j.report.findPairs(ctx, &o, from, m.threads)
	}
	return j.report, err
}

func openIndex(ctx context.Context, o *Options) (*dedup.Index, error) {
	against, err := layers(ctx, o)
	if err != nil {
		return nil, err
	}
	options := dedup.Options{Exact: o.Checks.Exact, Near: o.Checks.Near, MemoryBytes: o.MemoryBytes, Scratch: o.Scratch, Layers: against}
	if options.MemoryBytes == 0 {
		options.MemoryBytes = indexBytes
	}
	return dedup.Open(ctx, nil, "", "", options)
}

func newReport() *Report {
	return &Report{Rejected: map[string]int64{}, Tagged: map[string]int64{}, Signals: map[string]Signal{}}
}

// judge decides pages in their order.
type judge struct {
	report  *Report
	index   *dedup.Index
	gate    *quality.Gate
	out     *output
	signals means
	seq     int
}

func (j *judge) page(ctx context.Context, p *page) error {
	items := make([]dedup.Item, len(p.rows))
	for i := range p.rows {
		items[i] = dedup.Item{ID: p.rows[i].id, PromptID: p.rows[i].promptID, Sketch: p.sketches[i], Live: p.inspections[i].Dropped() == nil}
	}
	decisions, err := j.index.Decide(ctx, j.seq, items)
	if err != nil {
		return err
	}
	answers := make([]quality.Answer, len(p.rows))
	for i := range p.rows {
		if answers[i], err = j.row(&p.rows[i], &p.inspections[i], p.features[i], &decisions[i]); err != nil {
			return err
		}
	}
	j.gate.ObserveAll(answers)
	_, err = j.index.Commit(ctx, j.seq, items, decisions)
	j.seq++
	return err
}

// row counts one row, and returns it as the gate sees it, which sees every row, before any filter.
func (j *judge) row(r *row, found *schema.Inspection, features quality.Features, dup *dedup.Decision) (quality.Answer, error) {
	j.report.Records++
	j.signals.add(found.Signals)
	seen := quality.Answer{ID: r.id, Key: r.key, Stratum: r.stratum, Features: features}
	for _, f := range found.Findings {
		seen.Events = append(seen.Events, f.Check)
		if f.Do == schema.DoTag {
			j.report.Tagged[f.Check]++
		}
	}
	switch dup.Check {
	case dedup.CheckExact:
		j.report.Duplicates.Exact++
	case dedup.CheckNear:
		j.report.Duplicates.Near++
	}
	if dup.Check != "" {
		seen.Events = append(seen.Events, schema.EventDuplicate)
	}
	if dup.Near != "" {
		j.report.Duplicates.Other++
	}
	why := reasonOf(found, dup)
	if why == nil {
		j.report.Kept++
		return seen, j.out.keep(r)
	}
	j.report.Rejected[why.reason]++
	return seen, j.out.reject(r, why)
}

// reasonOf says why a row is rejected; nil: it isn't.
func reasonOf(found *schema.Inspection, dup *dedup.Decision) *rejection {
	if f := found.Dropped(); f != nil {
		return &rejection{reason: f.Check, Signal: f.Signal, Value: f.Value, Limit: f.Limit, Match: f.Match}
	}
	if dup.Drop {
		return &rejection{reason: dup.Check, Of: dup.Of, In: dup.OfIn, Jaccard: dup.Jaccard}
	}
	return nil
}
