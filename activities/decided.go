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
	defer p.release()
	rows = make([]Decided, len(p.decisions))
	for i := range rows {
		if err := p.row(i, &rows[i]); err != nil {
			return "", nil, err
		}
	}
	return p.planned.Teacher, rows, nil
}

// errDiffer says that objects of one page don't belong together.
var errDiffer = errors.New("page, answers, inspections and decisions don't fit together")

// decidedPage is a decided page whose rows are decoded one by one, in order: a file of rejects needs few of them.
type decidedPage struct {
	*pageOrigin
	decisions []schema.Decision
	requests  [][]byte // those of answers that were decided, and of what was never asked, in one order with them
	answers   [][]byte
	inspected [][]byte
	next      int // the first of requests that may belong to the row after the last one that was read
	plains    []*plain
}

func (r *Rooms) openDecided(ctx context.Context, run store.Run, seq int) (*decidedPage, error) {
	p, err := r.openDecisions(ctx, run, seq)
	if err != nil {
		return nil, err
	}
	for _, o := range p.objects() {
		into := plains.Get().(*plain)
		p.plains = append(p.plains, into)
		if *o.lines, err = p.read(ctx, r, o, into); err != nil {
			p.release()
			return nil, err
		}
	}
	return p, nil
}

// openDecisions reads the decisions alone.
func (r *Rooms) openDecisions(ctx context.Context, run store.Run, seq int) (*decidedPage, error) {
	head, decisions, err := r.readDecisions(ctx, run, seq)
	if err != nil {
		return nil, err
	}
	return &decidedPage{pageOrigin: &pageOrigin{run: run, seq: seq, page: head.Page}, decisions: decisions}, nil
}

// pageOrigin says where a page's rows are from.
type pageOrigin struct {
	run     store.Run
	seq     int
	page    schema.PageRef
	planned schema.PageHeader // once its requests are read
}

// pageObject is one of the objects of a page, and where its lines go.
type pageObject struct {
	key   string
	head  any
	lines *[][]byte
	each  bool // it has a line for each decision
}

func (p *decidedPage) objects() []pageObject {
	return []pageObject{{p.run.Page(p.page), &p.planned, &p.requests, false}, {p.run.Answers(p.page), &answersHeader{}, &p.answers, true},
		{p.run.Inspected(p.page), &inspectedHeader{}, &p.inspected, true}}
}

// read reads the lines of an object, which stand in the buffer.
func (p *decidedPage) read(ctx context.Context, r *Rooms, o pageObject, into *plain) ([][]byte, error) {
	lines, err := r.readLinesInto(ctx, o.key, o.head, into)
	if err == nil && o.each && len(lines) != len(p.decisions) {
		err = broken(p.run.Decisions(p.seq), errDiffer)
	}
	return lines, err
}

// release gives back the page's buffers, once all rows that are wanted are decoded or copied.
func (p *decidedPage) release() {
	for _, b := range p.plains {
		b.release()
	}
	p.plains, p.requests, p.answers, p.inspected = nil, nil, nil, nil
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
	row := p.undecoded(i)
	return row.decode(d)
}

// undecodedRow is a row of a decided page as it stands in the page's objects. It holds nothing else of the page.
type undecodedRow struct {
	from                        *pageOrigin
	decision                    schema.Decision
	request, answer, inspection []byte
}

// undecoded finds row i; rows are found in order. A key of JSON can't stand in a text of JSON, where quotes are escaped.
func (p *decidedPage) undecoded(i int) undecodedRow {
	row := p.of(i)
	row.request, row.answer, row.inspection = p.request(i), p.answers[i], p.inspected[i]
	return row
}

// of is row i without its lines.
func (p *decidedPage) of(i int) undecodedRow {
	return undecodedRow{from: p.pageOrigin, decision: p.decisions[i]}
}

// request is the line of row i's request, nil where there is none.
func (p *decidedPage) request(i int) []byte {
	key := []byte(`"request_id":"` + p.decisions[i].RequestID + `"`)
	for p.next < len(p.requests) {
		line := p.requests[p.next]
		if p.next++; bytes.Contains(line, key) {
			return line
		}
	}
	return nil
}

func (u *undecodedRow) decode(d *Decided) error {
	p := u.from
	if u.request == nil {
		return broken(p.run.Decisions(p.seq), errDiffer)
	}
	if err := decode(p.run.Answers(p.page), u.answer, &d.Response); err != nil {
		return err
	}
	if err := decode(p.run.Inspected(p.page), u.inspection, &unsketched{Inspection: &d.Inspection}); err != nil {
		return err
	}
	if err := decode(p.run.Page(p.page), u.request, &d.Request); err != nil {
		return err
	}
	d.Decision = u.decision
	if id := d.Decision.RequestID; d.Request.RequestID != id || d.Response.RequestID != id || d.Inspection.RequestID != id {
		return broken(p.run.Decisions(p.seq), errDiffer)
	}
	return nil
}
