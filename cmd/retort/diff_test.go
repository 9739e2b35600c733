package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// A diff says what was added and left out, and how outcomes, teachers, cost and signals moved.
func TestDiff(t *testing.T) {
	s := newShelf(t)
	s.publish(1, "r1")
	s.publish(2, "r2", func(m *schema.Manifest) {
		m.Shards = m.Shards[1:] // one superseded
		m.Counts = schema.Counts{Planned: 25, Admitted: 20, Rejected: map[string]int64{"near": 5}}
		m.Cost.Micros = 2_500_000
		m.Teachers[0].Revision, m.Generations = "2", map[string]int64{"1": 25, "2": 5}
	})
	out, status := s.do("--json", "diff", "d", "1", "2")
	if status != 0 {
		t.Fatal(out)
	}
	var d Difference
	s.must(json.Unmarshal([]byte(out), &d))
	if d.Records != [2]int64{20, 30} || d.Added != (Moved{2, 20}) || d.Removed != (Moved{1, 10}) || d.Rejected["near"] != [2]int64{0, 5} ||
		d.Cost[1].Micros != 2_500_000 || d.Teachers["tester"][1].Revision != "2" || d.Generations["2"] != [2]int64{0, 5} || d.Outcomes["planned"] != [2]int64{20, 25} {
		t.Errorf("%s", out)
	}
	if w := d.Signals["words"]; w[0] != (SignalMean{9.5, 20}) || w[1] != (SignalMean{(145 + 190) / 30., 30}) {
		t.Errorf("signals %+v", d.Signals)
	}
	if out, status := s.do("diff", "d", "1", "2"); status != 0 || !strings.Contains(out, "20 → 30 (+10)") || !strings.Contains(out, "rejected for near: 0 → 5") || !strings.Contains(out, "$2.50") {
		t.Errorf("status %d: %s", status, out)
	}
	if out, status := s.do("diff", "d", "1", "2", "--quick"); status != 0 || strings.Contains(out, "Signals") {
		t.Errorf("status %d: %s", status, out)
	}
	s.publish(3, "x1", func(m *schema.Manifest) {
		m.Counts, m.Shards = schema.Counts{Rejected: map[string]int64{}}, m.Shards[:2]
		m.Retraction = &schema.Retraction{Removed: 10, Why: "asked for"}
	})
	if out, status := s.do("diff", "d", "2", "3", "--quick"); status != 0 || !strings.Contains(out, "retracted    10 records") || !strings.Contains(out, "20 → 0 requests") {
		t.Errorf("status %d: %s", status, out)
	}
	if out, status := s.do("versions", "d"); status != 0 || !strings.Contains(out, "retracted 10: asked for") {
		t.Errorf("status %d: %s", status, out)
	}
	if _, status := s.do("diff", "d", "1", "7"); status != 2 {
		t.Error("a version that isn't there")
	}
}
