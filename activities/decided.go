package activities

import (
	"bytes"
	"context"
	"errors"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
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
	p, err := r.openDecided(ctx, r.run(ref), seq)
	if err != nil {
		return "", nil, err
	}
	rows = make([]Decided, len(p.decisions))
	for i := range rows {
		if err := p.row(i, &rows[i]); err != nil {
			return "", nil, err
		}
	}
	return p.teacher, rows, nil
}

// errDiffer says that objects of one page don't belong together.
var errDiffer = errors.New("page, answers, inspections and decisions don't fit together")

// decidedPage is a decided page whose rows are decoded one by one, in order: a file of rejects needs few of them.
type decidedPage struct {
	run       store.Run
	seq       int
	page      schema.PageRef
	teacher   string
	decisions []schema.Decision
	requests  [][]byte // those of answers that were decided, and of what was never asked, in one order with them
	answers   [][]byte
	inspected [][]byte
	next      int // the first of requests that may belong to the row after the last one that was read
}

func (r *Rooms) openDecided(ctx context.Context, run store.Run, seq int) (*decidedPage, error) {
	head, decisions, err := r.readDecisions(ctx, run, seq)
	if err != nil {
		return nil, err
	}
	p := &decidedPage{run: run, seq: seq, page: head.Page, decisions: decisions}
	var planned schema.PageHeader
	if p.requests, err = r.readLines(ctx, run.Page(p.page), &planned); err != nil {
		return nil, err
	}
	p.teacher = planned.Teacher
	if p.answers, err = r.readLines(ctx, run.Answers(p.page), &answersHeader{}); err != nil {
		return nil, err
	}
	if p.inspected, err = r.readLines(ctx, run.Inspected(p.page), &inspectedHeader{}); err != nil {
		return nil, err
	}
	if len(p.inspected) != len(decisions) || len(p.answers) != len(decisions) {
		return nil, broken(run.Decisions(seq), errDiffer)
	}
	return p, nil
}

// unsketched reads an inspection without its sketch: half of a row's bytes, and of use to Admit alone.
type unsketched struct {
	*schema.Inspection
	Sketch leftOut `json:"sketch,omitempty"`
}

type leftOut struct{}

func (*leftOut) UnmarshalJSON([]byte) error { return nil }

// row reads row i; rows are read in order.
func (p *decidedPage) row(i int, d *Decided) error {
	if err := decode(p.run.Answers(p.page), p.answers[i], &d.Response); err != nil {
		return err
	}
	if err := decode(p.run.Inspected(p.page), p.inspected[i], &unsketched{Inspection: &d.Inspection}); err != nil {
		return err
	}
	d.Decision = p.decisions[i]
	id := d.Decision.RequestID
	for ; p.next < len(p.requests); p.next++ {
		if !bytes.Contains(p.requests[p.next], []byte(id)) {
			continue
		}
		d.Request = schema.Request{}
		if err := decode(p.run.Page(p.page), p.requests[p.next], &d.Request); err != nil {
			return err
		}
		if d.Request.RequestID == id {
			break
		}
	}
	if p.next == len(p.requests) || d.Response.RequestID != id || d.Inspection.RequestID != id {
		return broken(p.run.Decisions(p.seq), errDiffer)
	}
	return nil
}
