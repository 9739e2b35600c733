package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/retort-data/retort/local/teacher"
)

// A pilot asks a sample on a worker and publishes nothing; its intervals say what the whole run then comes to.
func TestPilot(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.Modes = map[string]float64{"refuse": 0.2, "empty": 0.05}
	l := newLab(t, cfg)
	l.startWorker()
	recipe := l.questions("pilot", 1000, "budget: {usd: 1}\n")
	var got struct {
		Pilot struct {
			Prompts, Of, Requests int64
			PerAdmitted           *interval           `json:"cost_per_admitted_micro"`
			Whole                 *interval           `json:"cost_micro"`
			Seconds               *interval           `json:"seconds"`
			Rejected              map[string]interval `json:"rejected"`
		} `json:"pilot"`
	}
	l.must(json.Unmarshal([]byte(l.ok("--json", "check", recipe, "--pilot", "200")), &got))
	p := got.Pilot
	if asked := l.teacher.Stats().Answered; p.Prompts != 200 || p.Of != 1000 || p.Requests != 200 || asked != 200 {
		t.Errorf("%+v; the teacher answered %d", p, asked)
	}
	if keys := l.keys("pilot/"); len(keys) > 0 {
		t.Errorf("a pilot left %v", keys)
	}
	if text := l.ok("check", recipe, "--pilot", "20"); !strings.Contains(text, "an admitted record costs") || !strings.Contains(text, "Nothing was published") {
		t.Errorf("it says\n%s", text)
	}
	l.ok("run", recipe)
	m := l.manifest("pilot", 1)
	p.Whole.holds(t, "cost of the whole", float64(m.Cost.Micros))
	p.PerAdmitted.holds(t, "cost of an admitted record", float64(m.Cost.Micros)/float64(m.Counts.Admitted))
	for _, reason := range []string{"refusal", "empty"} {
		i := p.Rejected[reason]
		i.holds(t, reason, float64(m.Counts.Rejected[reason])/1000)
	}
	if p.Seconds == nil || p.Seconds.Value <= 0 {
		t.Errorf("seconds %+v", p.Seconds)
	}
	t.Logf("whole %.0f (%.0f to %.0f), was %d; refusals %.3f (%.3f to %.3f), were %d of 1000", p.Whole.Value, p.Whole.Low, *p.Whole.High, m.Cost.Micros,
		p.Rejected["refusal"].Value, p.Rejected["refusal"].Low, *p.Rejected["refusal"].High, m.Counts.Rejected["refusal"])
	if s := l.status("pilot"); s.PerAdmitted == nil || *s.PerAdmitted == 0 || s.Projected == nil || *s.Projected != s.Cost.Micros || s.Teachers[0].PerAdmitted == nil {
		t.Errorf("figures of the status: %+v of cost %+v", s.Figures, s.Cost)
	}
}

type interval struct {
	Value, Low float64
	High       *float64
}

// holds allows for twice the interval's width: of 95% one in twenty misses, of these one in ten thousand.
func (i *interval) holds(t *testing.T, what string, v float64) {
	t.Helper()
	if i == nil || i.High == nil || v < i.Value-2*(i.Value-i.Low) || v > i.Value+2*(*i.High-i.Value) {
		t.Errorf("%s is %v; the pilot said %+v", what, v, i)
	}
}
