package activities

import (
	"context"
	"errors"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/telemetry"
)

// Admit decides one page for good: against its checks' findings, and against everything admitted before, earlier versions and what else
// the recipe names included. The decisions are put if absent; index segments follow from them. The same page on the same root is decided
// the same, whoever does it. Objects of the index that are damaged or missing are said, and made again from what they were made of.
func (r *Rooms) Admit(ctx context.Context, in schema.AdmitInput) (schema.AdmitResult, error) {
	run := r.run(in.RunRef)
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	var mended mending
	for {
		out, err := r.admit(ctx, run, recipe, in)
		if key := damagedKey(err); key == "" || mended[key] == mostMended {
			return out, err
		} else if err := r.mend(ctx, run, recipe, in, key, err); err != nil {
			return out, err
		} else {
			mended.add(key)
		}
	}
}

func (r *Rooms) admit(ctx context.Context, run store.Run, recipe *Recipe, in schema.AdmitInput) (schema.AdmitResult, error) {
	head, rows, err := r.takeInspected(ctx, run, in.Page)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	with, err := r.comparedWith(ctx, run, recipe)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	index, giveBack, err := r.openIndex(ctx, run, recipe, in.Root)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	defer giveBack()
	j, err := newJudgement(recipe, with, rows)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	if err := j.decide(ctx, index, in.Seq, in.RowsLeft); err != nil {
		return schema.AdmitResult{}, err
	}
	if j.decisions, err = r.putDecisions(ctx, run, in, j.decisions); err != nil {
		return schema.AdmitResult{}, err
	}
	root, err := j.commit(ctx, index, in.Seq)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	telemetry.Default.Set(indexBytes, float64(index.Memory()), "dataset", in.Dataset)
	gate, verdict, err := r.judge(ctx, run, recipe, in, rows, j.decisions)
	if err != nil {
		return schema.AdmitResult{}, err
	}
	out := countDecisions(j.decisions)
	out.Root, out.Unasked = root, head.Unasked
	out.Gate, out.Verdict = gate, verdict
	countDecided(in.Dataset, &out)
	return out, nil
}

// takeInspected returns a page's inspections: what Inspect has handed over, or what stands on S3.
func (r *Rooms) takeInspected(ctx context.Context, run store.Run, page schema.PageRef) (inspectedHeader, []schema.Inspection, error) {
	if p, ok := r.handed.take(run.Inspected(page)).(inspectedPage); ok {
		return p.head, p.rows, nil
	}
	return r.readInspected(ctx, run, page)
}

func (r *Rooms) readInspected(ctx context.Context, run store.Run, page schema.PageRef) (inspectedHeader, []schema.Inspection, error) {
	var head inspectedHeader
	rows, err := readTable[schema.Inspection](ctx, r, run.Inspected(page), &head)
	return head, rows, err
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
