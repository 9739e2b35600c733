package activities

import (
	"context"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Inspect measures a page's answers: signals, findings, sketches. It is a pure function of page, answers and recipe, so that it can
// run again with other thresholds without paying anyone.
func (r *Rooms) Inspect(ctx context.Context, in schema.AskInput) error {
	run := r.run(in.RunRef)
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return err
	}
	p, err := r.readAnswered(ctx, run, in.Page)
	if err != nil {
		return err
	}
	inspector, err := r.inspectorOf(ctx, run, recipe)
	if err != nil {
		return err
	}
	l := newLines()
	done := inspectedPage{head: inspectedHeader{in.Page, p.head.Counts.Unasked}, rows: make([]schema.Inspection, 0, len(p.answers))}
	if err := l.add(done.head); err != nil {
		return err
	}
	err = recipe.inspectAll(inspector, p.page.requests, p.answers, func(got *schema.Inspection) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		done.rows = append(done.rows, *got)
		return l.add(got)
	})
	if err != nil {
		return err
	}
	own := true
	err = r.putOnce(ctx, run.Inspected(in.Page), l.packed(), func() error { own = false; return nil }) // equal by construction
	if err == nil && own {
		r.handInspected(run, in.Page, done)
	}
	return err
}

// readAnswered returns a page with its answers: what Ask has handed over, or what stands on S3.
func (r *Rooms) readAnswered(ctx context.Context, run store.Run, ref schema.PageRef) (answeredPage, error) {
	if p, ok := r.handed.take(run.Answers(ref)).(answeredPage); ok {
		return p, nil
	}
	p, err := r.readPage(ctx, run, ref)
	if err != nil {
		return answeredPage{}, err
	}
	head, answers, err := r.readAnswers(ctx, run, ref)
	return answeredPage{p, head, answers}, err
}

// inspectedHeader is the first line of an inspected page.
type inspectedHeader struct {
	Page    schema.PageRef `json:"page"`
	Unasked int64          `json:"unasked"`
}

// inspectAll yields an inspection for each answer; answers stand in the order of their requests, with gaps.
func (recipe *Recipe) inspectAll(inspector *quality.Inspector, requests []schema.Request, answers []schema.Response, yield func(*schema.Inspection) error) error {
	sketcher, err := dedup.NewSketcher(recipe.sketches)
	if err != nil {
		return err
	}
	next := 0
	for i := range requests {
		req := &requests[i]
		if next == len(answers) {
			break
		}
		if answers[next].RequestID != req.RequestID {
			continue
		}
		got, err := recipe.inspect(inspector, sketcher, req, &answers[next])
		if err != nil {
			return err
		}
		if err := yield(got); err != nil {
			return err
		}
		next++
	}
	return nil
}

func (recipe *Recipe) inspect(inspector *quality.Inspector, sketcher *dedup.Sketcher, req *schema.Request, answer *schema.Response) (*schema.Inspection, error) {
	got := inspector.Inspect(quality.Input{Prompt: req.Messages, Template: recipe.template, Response: answer})
	got.RequestID, got.PromptID = req.RequestID, req.ID
	if answer.Failed() {
		return &got, nil
	}
	without := append([]string(nil), recipe.template...)
	for _, m := range req.Messages {
		without = append(without, m.Content)
	}
	sketch := sketcher.Sketch(answer.Text, without...)
	var err error
	got.Sketch, err = sketch.MarshalBinary()
	return &got, err
}
