package activities

import (
	"context"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
)

// judgement decides a page: what the checks found, duplicates, splits and the rows that are left make one outcome for each answer.
// It follows from the page, the index before it and the recipe alone.
type judgement struct {
	recipe    *Recipe
	with      *compared
	rows      []schema.Inspection
	items     []dedup.Item
	found     []dedup.Decision
	decisions []schema.Decision
	splits    *pageSplits // nil where all records go into one
	rowsLeft  int64
}

func newJudgement(recipe *Recipe, with *compared, rows []schema.Inspection) (*judgement, error) {
	j := &judgement{recipe: recipe, with: with, rows: rows, items: make([]dedup.Item, len(rows))}
	for i := range rows {
		row := &rows[i]
		j.items[i] = dedup.Item{ID: row.RequestID, PromptID: row.PromptID, Live: row.Failed == "" && row.Dropped() == nil}
		if row.Failed != "" {
			continue
		}
		var err error
		if j.items[i].Sketch, err = dedup.DecodeSketch(row.Sketch); err != nil {
			return nil, broken("sketch of "+row.RequestID, err)
		}
	}
	return j, nil
}

// decide decides the answers in order; rowsLeft of them are admitted at most (-1: all).
func (j *judgement) decide(ctx context.Context, index *dedup.Index, seq int, rowsLeft int64) (err error) {
	j.splits, j.rowsLeft = newPageSplits(j.recipe.Recipe, j.with), rowsLeft
	j.decisions = make([]schema.Decision, len(j.rows))
	j.found, err = index.DecideEach(ctx, seq, j.items, j.splits != nil, j.admit)
	return err
}

// admit makes one outcome of what was found of an answer; true where it is admitted.
func (j *judgement) admit(i int, dup *dedup.Decision, links []dedup.Link) bool {
	row, d := &j.rows[i], &j.decisions[i]
	*d = schema.Decision{RequestID: row.RequestID, PromptID: row.PromptID, Bytes: row.Bytes, Jaccard: dup.Jaccard, OfIn: dup.OfIn, NearIn: dup.NearIn,
		Of: j.named(dup.OfIn, dup.Of), Near: j.named(dup.NearIn, dup.Near)}
	drop := row.Dropped()
	switch {
	case row.Failed != "":
		d.Outcome, d.Reason = schema.OutcomeFailed, row.Failed
	case drop != nil:
		d.Outcome, d.Reason = schema.OutcomeRejected, drop.Check
	case dup.Drop:
		d.Outcome, d.Reason = schema.OutcomeRejected, dup.Check
	case !j.place(d, links):
		d.Outcome, d.Reason = schema.OutcomeRejected, schema.ReasonSplit
	case j.rowsLeft == 0:
		d.Outcome, d.Reason, d.Split = schema.OutcomeRejected, schema.ReasonSurplus, ""
	default:
		d.Outcome = schema.OutcomeAdmitted
		j.rowsLeft--
		if j.splits != nil {
			j.splits.prompts[d.PromptID] = d.Split
		}
		j.items[i].ID = entryID(row.RequestID, d.Split)
	}
	return d.Outcome == schema.OutcomeAdmitted
}

// place draws the record's split; false where what it hangs together with stands in two.
func (j *judgement) place(d *schema.Decision, links []dedup.Link) bool {
	if j.splits == nil {
		return true
	}
	split, other := j.splits.place(d.PromptID, links)
	if other == nil {
		d.Split = split
		return true
	}
	d.Of, d.OfIn = j.named(other.In, other.ID), other.In
	return false
}

// named is what a decision calls an entry.
func (j *judgement) named(part, entry string) string {
	if entry == "" {
		return ""
	}
	return j.with.recordID(part, entry)
}

// commit enters what the decisions admit, whoever made them: what stands on S3 decides what the index holds.
func (j *judgement) commit(ctx context.Context, index *dedup.Index, seq int) (root string, err error) {
	for i := range j.found {
		d := &j.decisions[i]
		j.found[i].Enter = d.Outcome == schema.OutcomeAdmitted && !j.items[i].Sketch.Empty()
		j.items[i].ID = entryID(d.RequestID, d.Split)
	}
	return index.Commit(ctx, seq, j.items, j.found)
}
