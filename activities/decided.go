package activities

import (
	"context"

	"github.com/retort-data/retort/schema"
)

// Decided is one answered request with all that the steps have said of it.
type Decided struct {
	Request    schema.Request    `json:"request"`
	Response   schema.Response   `json:"response"`
	Inspection schema.Inspection `json:"inspection"`
	Decision   schema.Decision   `json:"decision"`
}

// Decided reads the page that was decided as number seq.
func (r *Rooms) Decided(ctx context.Context, ref schema.RunRef, seq int) (teacher string, rows []Decided, err error) {
	run := r.run(ref)
	head, decisions, err := r.readDecisions(ctx, run, seq)
	if err != nil {
		return "", nil, err
	}
	p, err := r.readPage(ctx, run, head.Page)
	if err != nil {
		return "", nil, err
	}
	_, answers, err := r.readAnswers(ctx, run, head.Page)
	if err != nil {
		return "", nil, err
	}
	_, inspected, err := r.readInspected(ctx, run, head.Page)
	if err != nil {
		return "", nil, err
	}
	if len(inspected) != len(decisions) || len(answers) != len(decisions) {
		return "", nil, broken(run.Decisions(seq), errDiffer)
	}
	requests := map[string]*schema.Request{}
	for i := range p.requests {
		requests[p.requests[i].RequestID] = &p.requests[i]
	}
	for i := range decisions {
		req, ok := requests[decisions[i].RequestID]
		if !ok {
			return "", nil, broken(run.Decisions(seq), errDiffer)
		}
		inspected[i].Sketch = nil // half of a row's bytes, and of use to Admit alone
		rows = append(rows, Decided{*req, answers[i], inspected[i], decisions[i]})
	}
	return p.Teacher, rows, nil
}
