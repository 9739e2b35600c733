package main

import "time"

// trail is what a view remembers of the looks before: a status has counts, not how they grew.
type trail struct {
	asked  []mark
	wealth map[string][]float64 // of each gate, where it has changed
}

type mark struct {
	at time.Time
	n  int64
}

const (
	// rateOver is the time that rates are taken over: long enough for pages, which end in lumps, to even out.
	rateOver = time.Minute
	// mostWealth bounds the points of a sparkline.
	mostWealth = 60
)

// add notes a look.
func (t *trail) add(s *snapshot, now time.Time) {
	t.asked = append(t.asked, mark{now, s.asked()})
	for len(t.asked) > 2 && now.Sub(t.asked[1].at) >= rateOver {
		t.asked = t.asked[1:]
	}
	if t.wealth == nil {
		t.wealth = map[string][]float64{}
	}
	for i := range s.Gate.Gates {
		g := &s.Gate.Gates[i]
		name := gateName(g)
		had := t.wealth[name]
		if len(had) == 0 || had[len(had)-1] != g.Wealth {
			had = append(had, g.Wealth)
			t.wealth[name] = had[max(0, len(had)-mostWealth):]
		}
	}
}

// rate is requests a second over the last minute; where it hasn't looked for long, since the first answer. Not known: false.
func (t *trail) rate(s *snapshot, now time.Time) (rate float64, known bool) {
	if t != nil && len(t.asked) > 1 {
		first, last := t.asked[0], t.asked[len(t.asked)-1]
		if over := last.at.Sub(first.at); over >= rateOver/4 {
			return float64(max(0, last.n-first.n)) / over.Seconds(), true
		}
	}
	if s.FirstAt == 0 {
		return 0, false
	}
	since := now.Sub(time.UnixMilli(s.FirstAt)).Seconds()
	if since < 1 {
		return 0, false
	}
	return float64(s.asked()) / since, true
}
