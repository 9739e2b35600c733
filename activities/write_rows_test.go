package activities

import (
	"encoding/json"
	"runtime"
	"strings"
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

// Kept lines stand in one block that is just as large as they are, and no longer in the buffer which they were read into.
func TestKeepLines(t *testing.T) {
	buffer := []byte(strings.Repeat("one two three ", 1000))
	lines := [][]byte{buffer[0:3], buffer[4:7], nil, buffer[8:13]}
	keepLines(lines)
	clear(buffer)
	if string(lines[0]) != "one" || string(lines[1]) != "two" || lines[2] != nil || string(lines[3]) != "three" {
		t.Errorf("%q", lines)
	}
	if held := cap(lines[0]) + cap(lines[1]) + cap(lines[3]); held != 11 {
		t.Errorf("they hold %d bytes", held)
	}
}

// Rows of many pages wait together for their places: they hold nothing else of their pages.
func TestRowHoldsNothingElseOfItsPage(t *testing.T) {
	l := newLab(t, "")
	l.sources(40)
	l.begin("r1")
	f := l.flow(l.rooms(l.store))
	f.decide()
	w := &fileWriter{rooms: f.rooms(), run: l.run, clusters: &clusterTable{}, plan: filePlan{Split: trainSplit}}
	var err error
	w.recipe, err = w.rooms.recipe(t.Context(), l.run)
	l.must(err)
	p, err := w.rooms.openDecided(t.Context(), l.run, 0)
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

	rows, err := w.slice(t.Context(), rowSlice{Seq: 0, To: 2})
	l.must(err)
	var d Decided
	if len(rows) != 2 || rows[0].decode(&d) != nil || d.Request.RequestID != rows[0].decision.RequestID || cap(rows[0].answer) != len(rows[0].answer) {
		t.Errorf("%d rows, of the first %+v", len(rows), d)
	}
}
