package activities

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/retort-data/retort/schema"
)

const (
	// mixedRows is how many rows at least are shuffled together: whole pages. They wait undecoded, on local disk.
	// Another number would make other files of the same layout.
	mixedRows = 6000
	// rejectPages are read together for a file of rejects, which isn't shuffled: a page has few.
	rejectPages = 8
	// readingAtOnce is how many pages are read at once.
	readingAtOnce = 2
	// decodedRows are decoded together, while those before them are written.
	decodedRows  = 64
	decodedAhead = 2
)

// heldRow is a row that waits for its place in the file. Its lines wait on local disk.
type heldRow struct {
	from     *pageOrigin
	decision schema.Decision
	lines    [3]linePart    // of its request, answer and inspection
	human    *schema.Reject // instead
}

// linePart is where a line stands in the file of lines that wait.
type linePart struct {
	at int64
	n  int
}

// rows yields the file's records: rejects in order, others shuffled over some pages at a time.
func (w *fileWriter) rows(ctx context.Context, put func(*schema.Reject) error) error {
	rng := rand.New(rand.NewPCG(w.recipe.Seed, uint64(w.plan.Slices[0].Seq)+1)) //nolint:gosec // a shuffle
	beat := beatOf(ctx)
	beat.start(int(w.plan.Rows), 0)
	for next := 0; next < len(w.plan.Slices); {
		from, mixed := next, 0
		for ; next < len(w.plan.Slices) && mixed < mixedRows && (w.plan.Split != rejectsSplit || next < from+rejectPages); next++ {
			mixed += w.plan.Slices[next].To - w.plan.Slices[next].From
		}
		rows, err := w.read(ctx, w.plan.Slices[from:next])
		if err != nil {
			return err
		}
		if w.plan.Split != rejectsSplit {
			rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		}
		if err := w.putAll(ctx, rows, put, beat); err != nil {
			return err
		}
		w.waiting.Store(0)
	}
	return nil
}

// putAll decodes rows and writes them in order.
func (w *fileWriter) putAll(ctx context.Context, rows []heldRow, put func(*schema.Reject) error, beat *beat) error {
	type batch struct {
		records []*schema.Reject
		served  servedNames
	}
	batches := (len(rows) + decodedRows - 1) / decodedRows
	return ahead(ctx, batches, decodedAhead, func(_ context.Context, i int) (b batch, err error) {
		b.served = servedNames{}
		var buf []byte
		for _, row := range rows[i*decodedRows : min(len(rows), (i+1)*decodedRows)] {
			rec, err := w.decoded(&row, &buf, b.served)
			if err != nil {
				return b, err
			}
			b.records = append(b.records, rec)
		}
		return b, nil
	}, func(_ int, b batch) error {
		w.stats.Served.add(b.served)
		for _, rec := range b.records {
			if err := put(rec); err != nil {
				return err
			}
			w.stats.Generations[generation(rec.Generation)]++
			if rec.Origin == schema.OriginHuman {
				w.stats.Human++
			} else {
				w.stats.Teachers[rec.Teacher]++
			}
			beat.done.Add(1)
		}
		return nil
	})
}

// decoded makes a record of a row, whose lines it reads into buf.
func (w *fileWriter) decoded(row *heldRow, buf *[]byte, served servedNames) (*schema.Reject, error) {
	if row.human != nil {
		return row.human, nil
	}
	u := undecodedRow{from: row.from, decision: row.decision}
	*buf = slices.Grow((*buf)[:0], row.lines[0].n+row.lines[1].n+row.lines[2].n)
	for i, line := range []*[]byte{&u.request, &u.answer, &u.inspection} {
		from := len(*buf)
		*buf = (*buf)[:from+row.lines[i].n]
		if *line = (*buf)[from:]; len(*line) == 0 {
			*line = nil // there is none
			continue
		}
		if _, err := w.lines.ReadAt(*line, row.lines[i].at); err != nil {
			return nil, err
		}
	}
	var d Decided
	if err := u.decode(&d); err != nil {
		return nil, err
	}
	teacher := row.from.planned.Teacher
	served.note(teacher, &d.Response)
	return w.record(&d, w.recipe.teachers[teacher]), nil
}

// read reads some slices at once and returns their rows in order.
func (w *fileWriter) read(ctx context.Context, slices []rowSlice) (rows []heldRow, err error) {
	got := make([][]heldRow, len(slices))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readingAtOnce)
	for i, s := range slices {
		if s.Seq < 0 {
			human, err := w.humanSlice(ctx, s)
			if err != nil {
				return nil, errors.Join(err, g.Wait())
			}
			for _, rec := range human {
				got[i] = append(got[i], heldRow{human: rec})
			}
			continue
		}
		g.Go(func() (err error) { got[i], err = w.slice(ctx, s); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i := range slices {
		rows = append(rows, got[i]...)
	}
	return rows, nil
}

// reading are the pages that this process reads for files at once, whichever the file.
var reading = semaphore.NewWeighted(readingAtOnce)

// slice reads a page and returns its rows of the file's split that the file has. It reads the page's objects one after the other and puts the rows' lines aside.
func (w *fileWriter) slice(ctx context.Context, s rowSlice) ([]heldRow, error) {
	if err := reading.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer reading.Release(1)
	p, err := w.rooms.openDecisions(ctx, w.run, s.Seq)
	if err != nil {
		return nil, err
	}
	wanted := w.wanted(p, s)
	into := plains.Get().(*plain)
	defer into.release()
	rows := make([]heldRow, len(wanted))
	for i, o := range p.objects() {
		if *o.lines, err = p.read(ctx, w.rooms, o, into); err != nil {
			return nil, err
		}
		lines := make([][]byte, len(wanted))
		for k, at := range wanted {
			switch o.lines {
			case &p.requests:
				lines[k] = p.request(at)
			case &p.inspected:
				lines[k] = cutSketch(p.inspected[at])
			default:
				lines[k] = (*o.lines)[at]
			}
		}
		if err := w.putAside(lines, rows, i); err != nil {
			return nil, err
		}
	}
	for k, at := range wanted {
		rows[k].from, rows[k].decision = p.pageOrigin, p.decisions[at]
	}
	return rows, nil
}

// putAside writes the rows' i-th lines to the file of lines that wait.
func (w *fileWriter) putAside(lines [][]byte, rows []heldRow, i int) error {
	var n int64
	for _, line := range lines {
		n += int64(len(line))
	}
	at := w.waiting.Add(n) - n
	to := bufio.NewWriterSize(io.NewOffsetWriter(w.lines, at), 1<<16)
	for k, line := range lines {
		rows[k].lines[i] = linePart{at, len(line)}
		at += int64(len(line))
		if _, err := to.Write(line); err != nil {
			return err
		}
	}
	return to.Flush()
}

// wanted are the page's rows of the file's split that the file has.
func (w *fileWriter) wanted(p *decidedPage, s rowSlice) (rows []int) {
	for i, at := 0, 0; i < len(p.decisions) && at < s.To; i++ {
		if split, ok := splitOf(w.recipe.Recipe, w.clusters, &p.decisions[i]); !ok || split != w.plan.Split {
			continue
		}
		if at++; at > s.From {
			rows = append(rows, i)
		}
	}
	return rows
}

// sketchKey begins an inspection's sketch, half of its line and of use to Admit alone: base64. As a key of JSON it can't stand in a text of JSON, where quotes are escaped.
var sketchKey = []byte(`,"sketch":"`)

// cutSketch takes the sketch out of a line, in place.
func cutSketch(line []byte) []byte {
	before, rest, found := bytes.Cut(line, sketchKey)
	if !found {
		return line
	}
	_, after, found := bytes.Cut(rest, []byte(`"`))
	if !found {
		return line // no JSON: whoever decodes it says so
	}
	return append(before, after...)
}
