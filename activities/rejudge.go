package activities

import (
	"cmp"
	"context"
	"slices"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Rejudged is what a run's paid answers would come to under other checks, beside what was decided.
type Rejudged struct {
	Dataset string           `json:"dataset"`
	Run     string           `json:"run"`
	Answers int64            `json:"answers"` // and failed requests
	Before  map[string]int64 `json:"before"`  // admitted, failed, and each reason of a reject
	After   map[string]int64 `json:"after"`
	Changes []Change         `json:"changes"` // what went over, the most first
	Notes   []string         `json:"notes,omitempty"`
}

// Change is the answers that went from one outcome to another: admitted, or the reason for which they are rejected.
type Change struct {
	From    string         `json:"from"`
	To      string         `json:"to"`
	Count   int64          `json:"count"`
	IDs     []string       `json:"ids"` // record ids of the first MostChangedIDs
	Samples []ChangeSample `json:"samples"`
}

// ChangeSample is an answer that went over.
type ChangeSample struct {
	ID     string         `json:"id"`
	Prompt string         `json:"prompt"` // the last message of it, shortened
	Text   string         `json:"text"`   // shortened
	Why    schema.Finding `json:"why,omitzero"`
	Of     string         `json:"of,omitempty"` // what it duplicates
}

// MostChangedIDs and MostChangeSamples bound what is listed of a change.
const (
	MostChangedIDs    = 10_000
	MostChangeSamples = 3
)

// Rejudge decides the answers of a run again under the checks of another recipe: the same answers in the same order, compared with the
// same earlier versions and texts. file is where the checks stand, for the paths of evaluation sets that the run hasn't pinned. It asks
// nobody and writes nothing.
func (r *Rooms) Rejudge(ctx context.Context, ref schema.RunRef, checks schema.Checks, file string) (*Rejudged, error) {
	run := r.run(ref)
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return nil, err
	}
	again, err := r.otherChecks(ctx, run, recipe, checks)
	if err != nil {
		return nil, err
	}
	again.File = file
	inspector, err := r.inspectorAgain(ctx, run, recipe, again)
	if err != nil {
		return nil, err
	}
	out := &Rejudged{Dataset: ref.Dataset, Run: ref.Run, Before: map[string]int64{}, After: map[string]int64{}, Changes: []Change{}}
	with, err := r.comparedAgain(ctx, run, recipe, again, out)
	if err != nil {
		return nil, err
	}
	opts := r.indexOptions(again)
	opts.Layers = with.refs()
	for i := range opts.Layers {
		opts.Layers[i].Blobs = r.Store
	}
	index, err := dedup.Open(ctx, nil, "", "", opts)
	if err != nil {
		return nil, err
	}
	defer index.Close()
	j := &rejudger{rooms: r, run: run, recipe: again, inspector: inspector, with: with, index: index, out: out, changes: map[[2]string]*Change{}, rowsLeft: -1}
	if again.Rows > 0 {
		j.rowsLeft = again.Rows
	}
	for seq := 0; ; seq++ {
		more, err := j.page(ctx, seq)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	out.sort(j.changes)
	return out, nil
}

// otherChecks is the run's recipe with other checks.
func (r *Rooms) otherChecks(ctx context.Context, run store.Run, recipe *Recipe, checks schema.Checks) (*Recipe, error) {
	other := *recipe.Recipe
	other.Checks = checks
	var shape []byte
	if other.Response.Schema != "" {
		var err error
		if shape, err = r.Store.Get(ctx, run.Shape()); err != nil {
			return nil, err
		}
	}
	return NewRecipe(&other, shape)
}

// comparedAgain is what the run was compared with, where sketches of it fit.
func (r *Rooms) comparedAgain(ctx context.Context, run store.Run, recipe, again *Recipe, out *Rejudged) (*compared, error) {
	with, err := r.comparedWith(ctx, run, recipe)
	if err != nil {
		return nil, err
	}
	if len(with.Layers) > 0 && again.sketches != recipe.sketches {
		out.Notes = append(out.Notes, "near.shingle, bands or rows differ from the run's: earlier versions and near.against are not compared with")
		return &compared{}, nil
	}
	if !slices.Equal(again.Checks.Near.Against, recipe.Checks.Near.Against) {
		out.Notes = append(out.Notes, "near.against differs: what is compared with is what the run was compared with")
	}
	return with, nil
}

// rejudger decides pages again.
type rejudger struct {
	rooms     *Rooms
	run       store.Run
	recipe    *Recipe
	inspector *quality.Inspector
	with      *compared
	index     *dedup.Index
	out       *Rejudged
	changes   map[[2]string]*Change
	rowsLeft  int64
}

// page decides page seq again; false where the run has none.
func (j *rejudger) page(ctx context.Context, seq int) (bool, error) {
	r := j.rooms
	head, before, err := r.readDecisions(ctx, j.run, seq)
	if notFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p, err := r.readPage(ctx, j.run, head.Page)
	if err != nil {
		return false, err
	}
	_, answers, err := r.readAnswers(ctx, j.run, head.Page)
	if err != nil {
		return false, err
	}
	var rows []schema.Inspection
	err = j.recipe.inspectAll(j.inspector, p.requests, answers, func(got *schema.Inspection) error {
		rows = append(rows, *got)
		return ctx.Err()
	})
	if err == nil && (len(rows) != len(before) || len(answers) != len(before)) {
		err = broken(j.run.Decisions(seq), errDiffer)
	}
	if err != nil {
		return false, err
	}
	now, err := newJudgement(j.recipe, j.with, rows)
	if err != nil {
		return false, err
	}
	if err := now.decide(ctx, j.index, seq, j.rowsLeft); err != nil {
		return false, err
	}
	j.rowsLeft = now.rowsLeft
	if _, err := now.commit(ctx, j.index, seq); err != nil {
		return false, err
	}
	j.compare(p, answers, rows, before, now.decisions)
	return true, nil
}

func (j *rejudger) compare(p *page, answers []schema.Response, rows []schema.Inspection, before, after []schema.Decision) {
	requests := map[string]*schema.Request{}
	for i := range p.requests {
		requests[p.requests[i].RequestID] = &p.requests[i]
	}
	for i := range before {
		was, is := outcomeOf(&before[i]), outcomeOf(&after[i])
		j.out.Answers++
		j.out.Before[was]++
		j.out.After[is]++
		if was == is {
			continue
		}
		c := j.changes[[2]string{was, is}]
		if c == nil {
			c = &Change{From: was, To: is}
			j.changes[[2]string{was, is}] = c
		}
		c.Count++
		id := schema.RecordID(j.run.ID, before[i].RequestID)
		if len(c.IDs) < MostChangedIDs {
			c.IDs = append(c.IDs, id)
		}
		if len(c.Samples) < MostChangeSamples {
			s := ChangeSample{ID: id, Text: shorten(answers[i].Text)}
			if req := requests[before[i].RequestID]; req != nil && len(req.Messages) > 0 {
				s.Prompt = shorten(req.Messages[len(req.Messages)-1].Content)
			}
			if f := rows[i].Dropped(); f != nil && f.Check == is {
				s.Why = *f
			} else if after[i].Outcome == schema.OutcomeRejected {
				s.Of = j.recordOf(&after[i])
			}
			c.Samples = append(c.Samples, s)
		}
	}
}

func (j *rejudger) recordOf(d *schema.Decision) string {
	if d.Of == "" || d.OfIn != "" {
		return d.Of
	}
	return schema.RecordID(j.run.ID, d.Of)
}

// outcomeOf is admitted, failed, or the reason for which an answer was rejected.
func outcomeOf(d *schema.Decision) string {
	if d.Outcome == schema.OutcomeRejected {
		return d.Reason
	}
	return d.Outcome
}

func (out *Rejudged) sort(changes map[[2]string]*Change) {
	for _, c := range changes {
		out.Changes = append(out.Changes, *c)
	}
	slices.SortFunc(out.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}
