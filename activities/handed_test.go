package activities

import (
	"testing"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// What is handed over is taken once; what was kept longest makes room.
func TestHanded(t *testing.T) {
	var h handed
	h.give("a", 10, "A")
	h.give("b", 10, "B")
	if got := h.take("a"); got != "A" {
		t.Errorf("took %v", got)
	}
	if got := h.take("a"); got != nil {
		t.Errorf("took %v twice", got)
	}
	h.give("c", mostHanded-5, "C")
	if h.take("b") != nil || h.take("c") != "C" || h.rows != 0 || len(h.held) != 0 {
		t.Errorf("%d rows are left in %d values", h.rows, len(h.held))
	}
	h.give("d", mostHanded+1, "D")
	if h.take("d") != nil {
		t.Error("more than the bound is kept")
	}
	h.give("e", 10, "E")
	h.give("e", 20, "F")
	if h.take("e") != "F" || h.rows != 0 {
		t.Errorf("%d rows are left", h.rows)
	}
}

// What would be read back otherwise isn't handed over: steps decide by what stands on S3, on any machine.
func TestHandedIsReadBackTheSame(t *testing.T) {
	r := &Rooms{}
	run := store.NewDataset("b", "", "d").Run("r")
	ref := schema.PageRef{Number: 1}
	for text, kept := range map[string]bool{"sound é 😀 \u2028": true, "broken \xff": false} {
		r.handAnswers(run, ref, answeredPage{answers: []schema.Response{{Text: text}}})
		if got := r.handed.take(run.Answers(ref)) != nil; got != kept {
			t.Errorf("%q: handed over is %v", text, got)
		}
		r.handInspected(run, ref, inspectedPage{rows: []schema.Inspection{{Findings: []schema.Finding{{Match: text}}}}})
		if got := r.handed.take(run.Inspected(ref)) != nil; got != kept {
			t.Errorf("%q: handed over is %v", text, got)
		}
	}
}
