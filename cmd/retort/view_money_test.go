package main

import (
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
)

// What a run's money comes to, its batches, what it reuses and a teacher that changed stand in the view; what is unknown isn't shown as zero.
func TestViewOfMoneyAndBatches(t *testing.T) {
	s := schema.Status{Dataset: "d", Run: "r", State: schema.StateAsking, Counts: schema.Counts{Planned: 100, Unasked: 50, Admitted: 40, Rejected: map[string]int64{"near": 10}},
		Asked: 50, Cost: schema.Cost{Micros: 500_000}, Reuse: &schema.Reuse{Policy: "failed-run", Runs: 1, Requests: 20, Pages: 1}, Reused: 10,
		Teachers: []schema.TeacherStatus{{Name: "t", Requests: 100, Answered: 50, Reused: 10, Reusable: 20, Admitted: 40, Cost: schema.Cost{Micros: 500_000}, Served: []string{"a", "b"},
			Batches: &schema.BatchStatus{Submitted: 3, Queued: 1, Running: 2, Requests: 30, Completed: 12, Failed: 1}}}}
	s.Figure()
	text := still(&s, time.Now())
	for _, want := range []string{"$0.0125 an admitted record", "about $1.00 to the end", "batches 1 queued, 2 running, 12 of 30 requests answered, 1 failed", "10 of 20 answers that an earlier run had paid for",
		"answered under 2 names", "63 of 100"} {
		if !strings.Contains(text, want) {
			t.Errorf("the view lacks %q:\n%s", want, text)
		}
	}
	s.Cost.Unknown, s.Teachers[0].Cost.Unknown = 50, 50
	s.Figure()
	if text := still(&s, time.Now()); strings.Contains(text, "an admitted record") || strings.Contains(text, "to the end") {
		t.Errorf("an unknown price is given as known:\n%s", text)
	}
}
