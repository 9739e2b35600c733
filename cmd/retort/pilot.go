package main

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/teacher"
)

// Pilot is what a sample of a recipe's prompts says of the whole. Intervals are of 95%: of shares Wilson's, of all else the percentile
// bootstrap over prompts. What is nil is unknown.
type Pilot struct {
	State       string              `json:"state"`
	Reason      string              `json:"reason,omitempty"`
	Prompts     int64               `json:"prompts"` // asked
	Of          int64               `json:"of"`      // prompts of the recipe
	Requests    int64               `json:"requests"`
	Admitted    int64               `json:"admitted"`
	Cost        schema.Cost         `json:"cost"`                    // of the pilot itself
	PerAdmitted *Interval           `json:"cost_per_admitted_micro"` // micro-dollars, at batch prices where batches will answer
	Whole       *Interval           `json:"cost_micro"`              // micro-dollars, all requests of the recipe
	Seconds     *Interval           `json:"seconds"`                 // of all requests at the teachers' limits
	Rejected    map[string]Interval `json:"rejected"`                // share of the answers, by reason
	Failed      map[string]Interval `json:"failed"`                  // share of the requests, by code
	Notes       []string            `json:"notes,omitempty"`
}

const mostPilot = 5000

func (c *CheckCmd) checkPilot() error {
	if c.Pilot != 0 && (c.Pilot < 2 || c.Pilot > mostPilot) {
		return &schema.Error{Kind: schema.KindInvalid, Code: "arguments", Op: "check", Subject: "--pilot", Cause: fmt.Errorf("%d isn't between 2 and %d", c.Pilot, mostPilot), Hint: "200 gives useful intervals."}
	}
	return nil
}

// pilot asks a sample on a worker, as keys are there alone, and leaves nothing behind.
func (a *app) pilot(b *activities.Beginning, est *Estimate, n int64) error {
	d, err := a.dataset(b.Recipe.Dataset)
	if err != nil {
		return err
	}
	t, err := a.client(a.quiet())
	if err != nil {
		return err
	}
	run := d.Run("preview-" + activities.NewRunID(time.Now()))
	b.Begun.Most, b.Begun.Of = min(n, est.Prompts), est.Prompts
	defer a.forget(run)
	if err := b.Begin(a.ctx, a.objects, run); err != nil {
		return err
	}
	status, err := a.previewed(t, run)
	if err != nil {
		return err
	}
	p, err := a.measured(run, b, est, &status)
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(map[string]any{"estimate": est, "pilot": p})
	} else {
		p.print(a, est)
	}
	if err == nil && status.State == schema.StateHeld {
		return exitStatus(exitHeld)
	}
	return err
}

// measured reads what was decided, and reckons.
func (a *app) measured(run store.Run, b *activities.Beginning, est *Estimate, status *schema.Status) (*Pilot, error) {
	rooms := &activities.Rooms{Config: a.config, Store: a.objects}
	m := newMeasure(b, est)
	for seq := range status.Pages.Done {
		name, rows, err := rooms.Decided(a.ctx, schema.RunRef{Dataset: run.Name, Run: run.ID}, seq)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			m.add(name, &rows[i])
		}
	}
	p := m.pilot()
	p.State, p.Reason, p.Cost = status.State, status.Reason, status.Cost
	if status.OnBudget {
		p.Notes = append(p.Notes, "the budget ended the pilot before all of its prompts were asked")
	}
	return p, nil
}

// measure sums a sample up by prompt: answers to one prompt are alike, so prompts are what the bootstrap draws.
type measure struct {
	recipe   *schema.Recipe
	config   *schema.Config
	est      *Estimate
	units    []unit
	at       map[string]int // prompt → unit
	rejected map[string]int64
	failed   map[string]int64
	total    unit
	teachers map[string]int // name → index in est
}

// unit is a prompt's requests.
type unit struct {
	teacher                    int
	requests, calls, admitted  float64
	micros, tokens, ms, priced float64
}

func newMeasure(b *activities.Beginning, est *Estimate) *measure {
	m := &measure{recipe: b.Recipe, config: b.Config, est: est, at: map[string]int{}, rejected: map[string]int64{}, failed: map[string]int64{}, teachers: map[string]int{}}
	for i, t := range est.Teachers {
		m.teachers[t.Name] = i
	}
	return m
}

func (m *measure) add(name string, d *activities.Decided) {
	i, ok := m.at[d.Request.ID]
	if !ok {
		i = len(m.units)
		m.at[d.Request.ID] = i
		m.units = append(m.units, unit{teacher: m.teachers[name]})
	}
	declared := m.config.Teacher(name)
	for _, u := range []*unit{&m.units[i], &m.total} {
		u.requests++
		u.calls += float64(max(1, d.Response.Attempts))
		u.tokens += float64(d.Response.InputTokens + d.Response.OutputTokens)
		u.ms += float64(d.Response.MillisFirst)
		if d.Response.CostMicros != nil {
			micros := *d.Response.CostMicros
			if declared.Batch {
				micros = teacher.AtBatchPrice(declared.Price, micros)
			}
			u.micros += float64(micros)
			u.priced++
		}
		if d.Decision.Outcome == schema.OutcomeAdmitted {
			u.admitted++
		}
	}
	switch {
	case d.Response.Failed():
		m.failed[d.Response.FailCode]++
	case d.Decision.Outcome != schema.OutcomeAdmitted:
		m.rejected[d.Decision.Reason]++
	}
}

func (m *measure) pilot() *Pilot {
	p := &Pilot{Prompts: int64(len(m.units)), Of: m.est.Prompts, Requests: int64(m.total.requests), Admitted: int64(m.total.admitted), Rejected: map[string]Interval{}, Failed: map[string]Interval{}}
	answered := p.Requests
	for code, n := range m.failed {
		p.Failed[code] = wilson(n, p.Requests)
		answered -= n
	}
	for reason, n := range m.rejected {
		p.Rejected[reason] = wilson(n, answered)
	}
	if m.total.priced == m.total.requests {
		p.PerAdmitted = m.ratio(1, func(u *unit) float64 { return u.admitted })
		p.Whole = m.ratio(float64(m.est.Requests), func(u *unit) float64 { return u.requests })
	}
	p.Seconds = m.seconds(p)
	return p
}

// ratio is the cost of something, times n.
func (m *measure) ratio(n float64, of func(*unit) float64) *Interval {
	return bootstrap(len(m.units), m.recipe.Seed, func(times []int) float64 {
		var micros, sum float64
		for i, k := range times {
			micros += float64(k) * m.units[i].micros
			sum += float64(k) * of(&m.units[i])
		}
		return n * micros / sum
	})
}

// seconds is how long the whole takes at the teachers' limits: the slowest teacher's requests, with their retries, at its rpm, its tpm
// or its concurrency, whichever binds. Retort's own share isn't in it.
func (m *measure) seconds(p *Pilot) *Interval {
	for _, t := range m.est.Teachers {
		if m.config.Teacher(t.Name).Batch {
			p.Notes = append(p.Notes, fmt.Sprintf("%s answers by provider batches, which take up to a day: the time of the whole is unknown, and the pilot asked it directly", t.Name))
			return nil
		}
	}
	return bootstrap(len(m.units), m.recipe.Seed, func(times []int) float64 {
		sums := make([]unit, len(m.est.Teachers))
		for i, k := range times {
			u, s := &m.units[i], &sums[m.units[i].teacher]
			s.requests += float64(k) * u.requests
			s.calls += float64(k) * u.calls
			s.tokens += float64(k) * u.tokens
			s.ms += float64(k) * u.ms
		}
		slowest := 0.0
		for i := range sums {
			if t := &m.est.Teachers[i]; t.Requests > 0 {
				slowest = max(slowest, atLimits(m.config.Teacher(t.Name).Limits, &sums[i], float64(t.Requests)))
			}
		}
		return slowest
	})
}

// atLimits is how many seconds n requests like those of a sample take.
func atLimits(l schema.Limits, s *unit, n float64) float64 {
	if s.requests == 0 {
		return math.Inf(1)
	}
	calls := n * s.calls / s.requests
	seconds := calls * s.ms / 1000 / s.requests / float64(max(1, l.Concurrency))
	if l.RPM > 0 {
		seconds = max(seconds, calls*60/float64(l.RPM))
	}
	if l.TPM > 0 {
		seconds = max(seconds, n*s.tokens/s.requests*60/float64(l.TPM))
	}
	return seconds
}

func (p *Pilot) print(a *app, est *Estimate) {
	est.printTable(a)
	a.printf("\nPilot: %s of %s prompts, spread over the plan; %s requests, %s admitted; it cost %s. Nothing was published.\n", number(p.Prompts), number(p.Of), number(p.Requests), number(p.Admitted), costText(p.Cost))
	a.printf("\n  an admitted record costs   %s\n", moneyInterval(p.PerAdmitted))
	a.printf("  the whole costs            %s\n", moneyInterval(p.Whole))
	a.printf("  the whole takes            %s, at the teachers' limits\n", spanInterval(p.Seconds))
	for _, x := range []struct {
		what string
		of   map[string]Interval
	}{{"rejected", p.Rejected}, {"failed", p.Failed}} {
		for _, reason := range byShare(x.of) {
			i := x.of[reason]
			a.printf("  %-26s %.1f%% (%.1f%% to %.1f%%)\n", x.what+" "+reason, 100*i.Value, 100*i.Low, 100**i.High)
		}
	}
	a.printf("\nIntervals are of 95%%: of shares Wilson's, of the others the bootstrap over prompts (%d resamples). Duplicates between prompts are rarer in a sample than in the whole.\n", resamples)
	for _, n := range p.Notes {
		a.printf("  note: %s\n", n)
	}
	if p.State == schema.StateHeld {
		a.printf("A run would be held: %s\n", reasonText(&schema.Status{Reason: p.Reason}))
	}
}

func byShare(of map[string]Interval) (names []string) {
	for name := range of {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		x, y := of[names[i]].Value, of[names[j]].Value
		return x > y || x == y && strings.Compare(names[i], names[j]) < 0
	})
	return names
}

func moneyInterval(i *Interval) string {
	if i == nil {
		return "unknown"
	}
	return intervalText(i, func(v float64) string { return fmt.Sprintf("$%.4g", v/1e6) })
}

func spanInterval(i *Interval) string {
	if i == nil {
		return "unknown"
	}
	return intervalText(i, func(v float64) string { return span(time.Duration(v * float64(time.Second))) })
}

func intervalText(i *Interval, text func(float64) string) string {
	if i.High == nil {
		return fmt.Sprintf("%s (%s or more)", text(i.Value), text(i.Low))
	}
	return fmt.Sprintf("%s (%s to %s)", text(i.Value), text(i.Low), text(*i.High))
}
