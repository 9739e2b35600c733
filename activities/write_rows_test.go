package activities

import (
	"encoding/json"
	"runtime"
	"testing"
	"weak"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

// Without its sketch a line says the same of all else, whatever people and models wrote into it.
func TestCutSketch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `,"sketch":"AAAA"`, `\",\"sketch\":\"`, `"`})).Draw(t, "text")
		in := schema.Inspection{RequestID: text, Language: text, Findings: []schema.Finding{{Check: text, Match: text}}, Sketch: rapid.SliceOf(rapid.Byte()).Draw(t, "sketch"),
			Signals: []schema.Signal{{Name: text, Value: 1}}, Failed: text}
		line, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		in.Sketch = nil
		want, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := cutSketch(line); string(got) != string(want) {
			t.Fatalf("%s\nis not\n%s", got, want)
		}
	})
}

// Rows of many pages wait together for their places: they hold nothing else of their pages.
func TestRowHoldsNothingElseOfItsPage(t *testing.T) {
	l := newLab(t, "")
	l.sources(40)
	l.begin("r1")
	f := l.flow(l.rooms(l.store))
	f.decide()
	r := f.rooms()
	p, err := r.openDecided(t.Context(), l.run, 0)
	l.must(err)
	if len(p.decisions) < 3 {
		t.Fatalf("a page of %d", len(p.decisions))
	}
	row := p.undecoded(0)
	all := weak.Make(&p.decisions[1])
	p.release()
	if p.requests != nil || p.answers != nil || p.inspected != nil {
		t.Error("a page that was released has lines")
	}
	p = nil
	runtime.GC()
	if all.Value() != nil {
		t.Error("a row holds all decisions of its page")
	}
	runtime.KeepAlive(&row)
}

// TestRowsWaitOnDisk: a row is what its page has, whatever was read into the page's buffer since.
func TestRowsWaitOnDisk(t *testing.T) {
	l := newLab(t, "")
	l.sources(40)
	l.begin("r1")
	f := l.flow(l.rooms(l.store))
	f.decide()
	r := f.rooms()
	lines, err := r.scratchFile("rows-*")
	l.must(err)
	defer lines.end()
	w := &fileWriter{rooms: r, run: l.run, clusters: &clusterTable{}, plan: filePlan{Split: trainSplit}, lines: lines.File}
	w.recipe, err = r.recipe(t.Context(), l.run)
	l.must(err)
	rows, err := w.slice(t.Context(), rowSlice{Seq: 0, To: 3})
	l.must(err)
	more, err := w.slice(t.Context(), rowSlice{Seq: 0, From: 1, To: 3})
	l.must(err)
	if len(rows) != 3 || len(more) != 2 {
		t.Fatalf("%d and %d rows", len(rows), len(more))
	}
	_, want, err := r.Decided(t.Context(), schema.RunRef{Dataset: l.run.Name, Run: l.run.ID}, 0)
	l.must(err)
	answers := map[string]string{}
	for i := range want {
		answers[want[i].Request.RequestID] = want[i].Response.Text
	}
	var buf []byte
	for i, row := range append(rows, more...) {
		rec, err := w.decoded(&row, &buf, servedNames{})
		l.must(err)
		if text, ok := answers[rec.RequestID]; !ok || rec.Answer() != text || rec.RequestID != row.decision.RequestID {
			t.Errorf("row %d: %+v", i, rec)
		}
	}
	if info, err := lines.Stat(); err != nil || info.Size() != w.waiting.Load() {
		t.Errorf("%d bytes wait: %v", w.waiting.Load(), err)
	}
}
