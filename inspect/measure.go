package inspect

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

const (
	pageRows  = 1024
	pageBytes = 8 << 20 // of text
)

// page is a run of rows with what was measured on them, each at its row's place.
type page struct {
	rows        []row
	inspections []schema.Inspection
	features    []quality.Features
	sketches    []dedup.Sketch
}

// pages cuts rows into pages.
func pages(rows iter.Seq2[row, error]) iter.Seq2[*page, error] {
	return func(yield func(*page, error) bool) {
		p, size := &page{}, 0
		for r, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			p.rows = append(p.rows, r)
			if size += len(r.text); len(p.rows) < pageRows && size < pageBytes {
				continue
			}
			if !yield(p, nil) {
				return
			}
			p, size = &page{}, 0
		}
		if len(p.rows) > 0 {
			yield(p, nil)
		}
	}
}

// measurer inspects and sketches pages on all cores. What it says of a row follows from the row alone.
type measurer struct {
	inspector *quality.Inspector
	sketchers []*dedup.Sketcher // one for each thread; none: no sketches are made
	threads   int
}

func newMeasurer(checks schema.Checks, against *quality.Evaluations) (*measurer, error) {
	inspector, err := quality.NewInspector(checks, quality.Options{Evaluations: against})
	if err != nil {
		return nil, err
	}
	m := &measurer{inspector: inspector, threads: runtime.GOMAXPROCS(0)}
	for range m.threads {
		s, err := dedup.NewSketcher(dedup.ParamsOf(checks.Near))
		if err != nil {
			return nil, err
		}
		m.sketchers = append(m.sketchers, s)
	}
	return m, nil
}

func (m *measurer) measure(p *page) {
	p.inspections = make([]schema.Inspection, len(p.rows))
	p.features = make([]quality.Features, len(p.rows))
	p.sketches = make([]dedup.Sketch, len(p.rows))
	var wait sync.WaitGroup
	for thread := range m.threads {
		wait.Go(func() {
			for i := thread; i < len(p.rows); i += m.threads {
				m.measureRow(p, i, thread)
			}
		})
	}
	wait.Wait()
}

func (m *measurer) measureRow(p *page, i, thread int) {
	r := &p.rows[i]
	answer := &schema.Response{RequestID: r.id, Text: r.text, FinishReason: r.finishReason}
	p.inspections[i], p.features[i] = m.inspector.InspectForGate(quality.Input{Prompt: r.prompt, Response: answer})
	if m.sketchers == nil {
		return
	}
	var without []string
	for _, message := range r.prompt {
		without = append(without, message.Content)
	}
	p.sketches[i] = m.sketchers[thread].Sketch(r.text, without...)
}

// measured reads and measures the next page while the one before it is decided.
func (m *measurer) measured(ctx context.Context, rows iter.Seq2[row, error]) iter.Seq2[*page, error] {
	type read struct {
		page *page
		err  error
	}
	return func(yield func(*page, error) bool) {
		ahead, stop := make(chan read), make(chan struct{})
		defer func() {
			close(stop)
			for range ahead { // until the reader has ended, so that no file is open behind it
			}
		}()
		go func() {
			defer close(ahead)
			for p, err := range pages(rows) {
				if err == nil {
					m.measure(p)
				}
				select {
				case ahead <- read{p, err}:
				case <-stop:
					return
				case <-ctx.Done():
					return
				}
			}
		}()
		for next := range ahead {
			if !yield(next.page, next.err) || next.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}
