package e2e

import (
	"strings"
	"testing"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
)

// What becomes of answers by why they ended, and of reasoning, from the teacher's reply to the shard.
func TestFinishReasonsAndReasoning(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.Modes = map[string]float64{"truncated": 0.15, "filtered": 0.15, "think": 0.15, "reasoning": 0.15}
	l := newLab(t, cfg)
	l.startWorker()
	const more = "failed: 0.5\nchecks: {template: off, repetition: off, quality: off, exact: off, near: off}\n"
	l.ok("run", l.questions("kept", 200, more+"response: {reasoning: keep, finish: {length: tag, content_filter: fail}}\n"))
	modes := l.teacher.Stats().Modes
	m := l.manifest("kept", 1)
	if m.Counts.Failed != modes["filtered"] || m.Counts.Rejected["truncated"] != 0 || m.Counts.Admitted != 200-modes["filtered"] {
		t.Errorf("%+v of %v", m.Counts, modes)
	}
	if s := l.status("kept"); s.Teachers[0].Failed["finish_content_filter"] != modes["filtered"] {
		t.Errorf("failed: %v", s.Teachers[0].Failed)
	}
	reasoned, cut := int64(0), int64(0)
	for _, r := range l.records("kept", 1) {
		if answer := r.Messages[len(r.Messages)-1].Content; strings.Contains(answer, "<think>") {
			t.Errorf("reasoning in the answer: %.80s", answer)
		}
		if r.Reasoning != "" {
			reasoned++
		}
		if r.FinishReason == schema.FinishLength {
			cut++
		}
	}
	if want := modes["think"] + modes["reasoning"]; reasoned != want || want == 0 || cut < modes["truncated"] {
		t.Errorf("%d records with reasoning, want %d; %d cut, want %d or more", reasoned, want, cut, modes["truncated"])
	}
	l.teacher.Reset()
	l.ok("run", l.questions("dropped", 100, more+"response: {reasoning: drop}\n"))
	modes = l.teacher.Stats().Modes
	r := l.manifest("dropped", 1).Counts.Rejected // a filtered answer has no text, which is said first
	if r["truncated"] < modes["truncated"] || r["empty"] != modes["filtered"] || modes["truncated"]*modes["filtered"] == 0 {
		t.Errorf("rejected %v of %v", r, modes)
	}
	for _, r := range l.records("dropped", 1) {
		if r.Reasoning != "" {
			t.Errorf("reasoning was kept: %.80s", r.Reasoning)
		}
	}
}
