package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/report"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// measured is what a run's pages say when they are read once more: in the order of their decisions, one at a time.
type measured struct {
	summary  *report.Summary
	samples  *report.Samples
	clusters []report.Cluster
	missing  []string
}

// measure reads the run's pages.
func (r *Rooms) measure(ctx context.Context, run store.Run) (*measured, error) {
	pages, err := r.decidedPages(ctx, run)
	if err != nil {
		return nil, err
	}
	out := &measured{}
	if pages == 0 {
		out.missing = []string{"The run's own pages don't stand there any more, or it has none: signals, times and samples are not shown."}
		return out, nil
	}
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return nil, err
	}
	m := report.NewMeasurement(recipe.Seed)
	if out.clusters, err = r.largestClusters(ctx, run, m); err != nil {
		return nil, err
	}
	anchor, err := r.measureAnchor(ctx, run, recipe, m)
	if err != nil {
		return nil, err
	}
	gates, err := r.startGates(ctx, run, m)
	if err != nil {
		return nil, err
	}
	beat := beatOf(ctx)
	beat.start(pages, 0)
	ref := schema.RunRef{Dataset: run.Name, Run: run.ID}
	err = ahead(ctx, pages, pagesAhead, func(ctx context.Context, seq int) (read readPage, err error) {
		read.teacher, read.rows, err = r.Decided(ctx, ref, seq)
		return read, err
	}, func(seq int, page readPage) error {
		page.measure(m)
		if gates > 0 {
			if err := r.traceGates(ctx, run, seq, gates, m); err != nil {
				return err
			}
		}
		beat.done.Add(1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.summary, out.samples = m.Done(run.Name, run.ID, anchor)
	return out, nil
}

// decidedPages counts the pages that were decided: their sequence numbers are 0 to that.
func (r *Rooms) decidedPages(ctx context.Context, run store.Run) (n int, err error) {
	for _, err := range r.Store.List(ctx, run.DecisionsHome(), "") {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// readPage is a decided page that was read.
type readPage struct {
	teacher string
	rows    []Decided
}

func (p readPage) measure(m *report.Measurement) {
	for i := range p.rows {
		d := &p.rows[i]
		m.Add(&report.Answer{Teacher: p.teacher, Prompt: d.Request.Messages, Source: d.Request.Source, License: d.Request.License, Generation: d.Request.Generation,
			Response: &d.Response, Inspection: &d.Inspection, Decision: &d.Decision})
	}
}

// How many clusters are shown, and of each how many members.
const (
	mostClusters = 8
	mostMembers  = 3
)

// largestClusters asks for samples of the largest sets of near-duplicates.
func (r *Rooms) largestClusters(ctx context.Context, run store.Run, m *report.Measurement) (all []report.Cluster, err error) {
	rows, err := readTable[clusterRow](ctx, r, run.Clusters(), &struct{}{})
	if notFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var sets [][]clusterRow // as putClusters wrote them: one set after the other
	for i := 0; i < len(rows) && rows[i].Size > 0; {
		end := min(len(rows), i+int(rows[i].Size))
		sets = append(sets, rows[i:end])
		i = end
	}
	slices.SortStableFunc(sets, func(a, b []clusterRow) int { return len(b) - len(a) })
	for _, set := range sets[:min(mostClusters, len(sets))] {
		c := report.Cluster{Size: len(set)}
		for _, row := range set[:min(mostMembers, len(set))] {
			c.Members = append(c.Members, m.Want(row.ID))
		}
		all = append(all, c)
	}
	return all, nil
}

// mostTwins bounds the anchor's texts that are measured.
const mostTwins = 2000

// measureAnchor measures the text that answers were compared with as if it were answers, and says what it is: of several the version.
func (r *Rooms) measureAnchor(ctx context.Context, run store.Run, recipe *Recipe, m *report.Measurement) (name string, err error) {
	var plans []gatePlan
	if err := r.getJSON(ctx, run.Gates(), &plans); err != nil {
		if notFound(err) {
			return "", nil
		}
		return "", err
	}
	for _, p := range slices.Backward(plans) {
		if p.Anchor == "" {
			continue
		}
		anchor, err := r.openAnchor(ctx, recipe, p.Anchor)
		if err != nil {
			return "", err
		}
		for _, t := range anchor.Twins[:min(mostTwins, len(anchor.Twins))] {
			got := recipe.inspector.Inspect(quality.Input{Response: &schema.Response{Text: t.Text, FinishReason: schema.FinishStop}})
			m.AddAnchor(t.Key+"\x00"+t.Text, t.Text, got.Signals)
		}
		return report.AnchorName(p.Against, p.Version), nil
	}
	return "", nil
}

// startGates names the run's gates by the log of its first page.
func (r *Rooms) startGates(ctx context.Context, run store.Run, m *report.Measurement) (int, error) {
	var plans []gatePlan
	if err := r.getJSON(ctx, run.Gates(), &plans); err != nil {
		if notFound(err) {
			return 0, nil
		}
		return 0, err
	}
	head, err := r.readGateLog(ctx, run, 0)
	if notFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(head.Gates) != len(plans) {
		return 0, broken(run.GateLog(0), errors.New("it has the log of other gates"))
	}
	for i, p := range plans {
		m.StartGate(report.AnchorName(p.Against, p.Version), 1/p.Options.Alpha, head.Gates[i].Accounts)
	}
	return len(plans), nil
}

// traceGates follows the gates through a page. An answer's line has for each gate its twin, the wealth behind it, and D by account.
func (r *Rooms) traceGates(ctx context.Context, run store.Run, seq, gates int, m *report.Measurement) error {
	var head gateLogHeader
	rows, err := readTable[[][]float64](ctx, r, run.GateLog(seq), &head)
	if err != nil {
		return err
	}
	for _, row := range rows {
		for i := range min(gates, len(row)) {
			if len(row[i]) >= 2 {
				m.Bet(i, row[i][1], row[i][2:])
			}
		}
	}
	return nil
}

// Report gathers what the report of a version shows; read are the run's pages, where somebody has read them already.
func (r *Rooms) Report(ctx context.Context, papers *report.Papers, read *measured) (*report.Report, error) {
	m := papers.Manifest
	d := store.NewDataset(r.Store.Bucket(), r.Config.Store.Prefix, m.Dataset)
	if read == nil {
		var err error
		if read, err = r.measure(ctx, d.Run(m.Run)); err != nil {
			return nil, err
		}
	}
	out := &report.Report{Papers: papers, Samples: read.samples, Clusters: read.clusters, Missing: read.missing}
	if read.summary != nil {
		papers.Summary = read.summary
	}
	var err error
	out.History, err = history(ctx, r.Store, d, m)
	return out, err
}

// mostHistory bounds the earlier versions that are compared.
const mostHistory = 24

// history reads what was measured of earlier versions, oldest first.
func history(ctx context.Context, s store.Store, d store.Dataset, m *schema.Manifest) (all []report.Past, err error) {
	for n := m.Parent; n > 0 && len(all) < mostHistory; {
		parent, err := LoadManifest(ctx, s, d, n)
		if err != nil {
			return nil, err
		}
		past := report.Past{Version: n, Rows: (&report.Papers{Manifest: parent}).Rows()}
		if past.Summary, err = LoadSummary(ctx, s, d.Run(parent.Run)); err != nil {
			return nil, err
		}
		all = append(all, past)
		n = parent.Parent
	}
	slices.Reverse(all)
	return all, nil
}

// putReport puts the report of a version that is about to be committed, and what was measured for the versions to come.
func (r *Rooms) putReport(ctx context.Context, run store.Run, m *schema.Manifest, read *measured) error {
	body, err := schema.CanonicalManifest(m)
	if err != nil {
		return err
	}
	papers := &report.Papers{Manifest: m, Digest: digest(body), Home: run.Dataset.Home()}
	if papers.Earlier, err = earlier(ctx, r.Store, run.Dataset, m); err != nil {
		return err
	}
	if read.summary != nil {
		summary, err := json.Marshal(read.summary)
		if err != nil {
			return err
		}
		if err := put(ctx, r.Store, run.Summary(), summary); err != nil {
			return err
		}
	}
	rep, err := r.Report(ctx, papers, read)
	if err != nil {
		return err
	}
	var html bytes.Buffer
	if err := rep.HTML(&html); err != nil {
		return err
	}
	return put(ctx, r.Store, run.Report(m.Version, run.ID), html.Bytes())
}
