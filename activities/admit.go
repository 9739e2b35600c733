package activities

import (
	"context"
	"errors"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Admit decides one page for good: against its checks' findings, and against everything admitted before. The decisions are put if
// absent; index segments follow from them. The same page on the same root is decided the same, whoever does it.
func (r *Rooms) Admit(ctx context.Context, in schema.AdmitInput) (schema.AdmitResult, error) {
	run := r.run(in.RunRef)
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	head, rows, err := r.readInspected(ctx, run, in.Page)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	index, giveBack, err := r.openIndex(ctx, run, recipe, in.Root)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	defer giveBack()
	items, err := itemsOf(rows)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	found, err := index.Decide(ctx, in.Seq, items)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	decisions := decide(rows, found, in.RowsLeft)
	if decisions, err = r.putDecisions(ctx, run, in, decisions); err != nil {
		return schema.AdmitResult{}, err
	}
	for i := range found { // what stands on S3 decides what the index holds
		found[i].Enter = decisions[i].Outcome == schema.OutcomeAdmitted && found[i].Enter
	}
	root, err := index.Commit(ctx, in.Seq, items, found)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	gate, verdict, err := r.judge(ctx, run, recipe, in, rows, decisions)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	out := countDecisions(decisions)
	out.Root, out.Unasked = root, head.Unasked
	out.Gate, out.Verdict = gate, verdict
	return out, nil
}

func (r *Rooms) readInspected(ctx context.Context, run store.Run, page schema.PageRef) (inspectedHeader, []schema.Inspection, error) {
	var head inspectedHeader
	rows, err := readTable[schema.Inspection](ctx, r, run.Inspected(page), &head)
	return head, rows, err
}

func itemsOf(rows []schema.Inspection) ([]dedup.Item, error) {
	items := make([]dedup.Item, len(rows))
	for i := range rows {
		row := &rows[i]
		items[i] = dedup.Item{ID: row.RequestID, PromptID: row.PromptID, Live: row.Failed == "" && row.Dropped() == nil}
		if row.Failed != "" {
			continue
		}
		var err error
		if items[i].Sketch, err = dedup.DecodeSketch(row.Sketch); err != nil {
			return nil, broken("sketch of "+row.RequestID, err)
		}
	}
	return items, nil
}

// decide turns findings and duplicates into one outcome for each answer, in order; rowsLeft of them are admitted at most (-1: all).
func decide(rows []schema.Inspection, found []dedup.Decision, rowsLeft int64) []schema.Decision {
	out := make([]schema.Decision, len(rows))
	for i := range rows {
		row, dup := &rows[i], &found[i]
		d := schema.Decision{RequestID: row.RequestID, PromptID: row.PromptID, Bytes: row.Bytes, Of: dup.Of, Jaccard: dup.Jaccard, Near: dup.Near}
		drop := row.Dropped()
		switch {
		case row.Failed != "":
			d.Outcome, d.Reason = schema.OutcomeFailed, row.Failed
		case drop != nil:
			d.Outcome, d.Reason = schema.OutcomeRejected, drop.Check
		case dup.Drop:
			d.Outcome, d.Reason = schema.OutcomeRejected, dup.Check
		case rowsLeft == 0:
			d.Outcome, d.Reason = schema.OutcomeRejected, schema.ReasonSurplus
		default:
			d.Outcome = schema.OutcomeAdmitted
			rowsLeft--
		}
		out[i] = d
	}
	return out
}

// decisionsHeader is the first line of a decisions object.
type decisionsHeader struct {
	Page schema.PageRef `json:"page"`
	Seq  int            `json:"seq"`
	Root string         `json:"root"`
}

// putDecisions puts a page's decisions; where they stand already, those are returned.
func (r *Rooms) putDecisions(ctx context.Context, run store.Run, in schema.AdmitInput, decisions []schema.Decision) ([]schema.Decision, error) {
	l := newLines()
	if err := l.add(decisionsHeader{in.Page, in.Seq, in.Root}); err != nil {
		return nil, err
	}
	for i := range decisions {
		if err := l.add(&decisions[i]); err != nil {
			return nil, err
		}
	}
	err := r.putOnce(ctx, run.Decisions(in.Seq), l.packed(), func() error {
		head, stand, err := r.readDecisions(ctx, run, in.Seq)
		if err == nil && (head.Page != in.Page || len(stand) != len(decisions)) {
			return broken(run.Decisions(in.Seq), errors.New("it decides another page"))
		}
		decisions = stand
		return err
	})
	return decisions, err
}

func (r *Rooms) readDecisions(ctx context.Context, run store.Run, seq int) (decisionsHeader, []schema.Decision, error) {
	var head decisionsHeader
	rows, err := readTable[schema.Decision](ctx, r, run.Decisions(seq), &head)
	return head, rows, err
}

func countDecisions(decisions []schema.Decision) schema.AdmitResult {
	out := schema.AdmitResult{Rejected: map[string]int64{}}
	for i := range decisions {
		switch d := &decisions[i]; d.Outcome {
		case schema.OutcomeAdmitted:
			out.Admitted++
			out.Bytes += int64(d.Bytes)
		case schema.OutcomeRejected:
			out.Rejected[d.Reason]++
		case schema.OutcomeFailed:
			out.Failed++
		}
	}
	return out
}
