package quality

import (
	"fmt"
	"slices"
	"sort"
)

// Verdicts.
const (
	VerdictPass     = "pass"
	VerdictHold     = "hold"
	VerdictNoAnchor = "no-anchor" // rates alone were watched
)

// Verdict is what the gate says of the stream so far.
type Verdict struct {
	Verdict   string  `json:"verdict"`
	Wealth    float64 `json:"wealth"`
	Peak      float64 `json:"peak"`
	Threshold float64 `json:"threshold"` // 1/α
	Records   int     `json:"records"`
	Pairs     int     `json:"pairs"`
	ByKey     int     `json:"by_key"`               // pairs with the twin of the same prompt
	Unmatched int     `json:"unmatched"`            // answers without a twin: the anchor has too few
	Profiled  int     `json:"in_profile,omitempty"` // answers to prompts whose twins lie in a version\'s profile, or were used: left out
	Short     int     `json:"short"`                // answers or twins of fewer than 8 words
	Releases  int     `json:"releases,omitempty"`   // how often a person let it go on, each time with a fresh α
	AlarmAt   int     `json:"alarm_at_record,omitempty"`
	Why       string  `json:"why,omitempty"`    // wealth or band
	Account   string  `json:"signal,omitempty"` // the wealthiest account, or the band's limit
	Since     int     `json:"since,omitempty"`  // pair (for rates: record) behind which its wealth rose
	Text      string  `json:"text"`             // for a person

	Examples []TwinExample    `json:"examples,omitempty"`
	Accounts []AccountReading `json:"accounts"`
	Band     *BandReading     `json:"band,omitempty"`
	Warnings []string         `json:"warnings,omitempty"` // outside of α
	Over     []string         `json:"over,omitempty"`     // rates that went above their ceiling, outside of α
}

// TwinExample is a record with the text that it was compared with.
type TwinExample struct {
	Example
	TwinText string `json:"twin_text"`
	TwinKey  string `json:"twin_key,omitempty"`
}

// AccountReading is one account.
type AccountReading struct {
	Name      string  `json:"name"`
	Wealth    float64 `json:"wealth"`
	Tolerance float64 `json:"tolerance"`
	Mean      float64 `json:"mean"` // of D since the first bet; of a rate: its share of records
	Since     int     `json:"since"`
	weight    float64
}

// Verdict reads the gate.
func (g *Gate) Verdict() Verdict {
	v := Verdict{Verdict: VerdictPass, Wealth: g.Wealth(), Peak: g.s.Peak, Threshold: 1 / g.o.Alpha, Records: g.s.Records,
		Pairs: g.s.Pairs, ByKey: g.s.ByKey, Unmatched: g.s.Unmatched, Short: g.s.Short, Profiled: g.s.Profiled, AlarmAt: g.s.AlarmAt, Why: g.s.Why, Releases: g.s.Releases}
	v.Accounts = g.readings()
	if g.s.Band.Windows > 0 {
		last := g.s.Band.Last
		v.Band = &last
	}
	v.Warnings, v.Over = g.warnings()
	switch {
	case g.s.AlarmAt > 0:
		v.Verdict = VerdictHold
		g.explain(&v)
	case g.anchor == nil:
		v.Verdict = VerdictNoAnchor
		v.Text = "no anchor: only rates with a ceiling were watched"
	default:
		v.Text = fmt.Sprintf("%d of %d records compared, wealth %.3g of %.3g", g.s.Pairs, g.s.Records, v.Wealth, v.Threshold)
	}
	return v
}

func (g *Gate) readings() []AccountReading {
	var all []AccountReading
	for k, name := range accountNames {
		if !g.bets(k) {
			continue
		}
		a := &g.s.Accounts[k]
		r := AccountReading{Name: name, weight: accountWeights[k], Wealth: a.wealth(), Tolerance: g.tolerance(k), Since: a.since()}
		if n := g.s.Pairs - a.Bets[0].From; n > 0 {
			r.Mean = a.Bets[0].S / float64(n)
		}
		all = append(all, r)
	}
	for i, name := range g.rates {
		x := &g.s.Rates[i]
		low, high := x.Low.asAccount(), x.High.asAccount()
		r := AccountReading{Name: name, weight: 1, Wealth: x.wealth(), Tolerance: x.Ceiling, Since: low.since()}
		if high.wealth() > low.wealth() {
			r.Since = high.since()
		}
		if x.N > 0 {
			r.Mean = float64(x.Events) / float64(x.N)
		}
		all = append(all, r)
	}
	return all
}

func (g *Gate) explain(v *Verdict) {
	if v.Why == whyBand {
		v.Account = g.s.Band.Broken
		v.Since = 1
		v.Text = fmt.Sprintf("held at record %d: %s, outside of the band around the anchor", v.AlarmAt, v.Account)
		return
	}
	best := 0
	for i := range v.Accounts {
		if v.Accounts[i].weight*v.Accounts[i].Wealth > v.Accounts[best].weight*v.Accounts[best].Wealth {
			best = i
		}
	}
	a := v.Accounts[best]
	v.Account, v.Since = a.Name, a.Since
	v.Text = fmt.Sprintf("held at record %d: account %s has won since pair %d (wealth %.3g, threshold %.3g)", v.AlarmAt, a.Name, a.Since, v.Peak, v.Threshold)
	for k, name := range accountNames {
		if name != v.Account {
			continue
		}
		all := slices.DeleteFunc(slices.Clone(g.s.Examples[k]), func(e Example) bool { return e.Pair < a.Since })
		sort.Slice(all, func(i, j int) bool {
			return all[i].D > all[j].D || all[i].D == all[j].D && all[i].Number < all[j].Number
		})
		for _, e := range all {
			t := g.anchor.Twins[e.Twin]
			v.Examples = append(v.Examples, TwinExample{e, t.Text, t.Key})
		}
	}
}

// rateWarning is the e-CUSUM's level: the mean time between false alarms is at least so many records.
const rateWarning = 20_000

func (g *Gate) warnings() (all, over []string) {
	for i, name := range g.rates {
		if x := &g.s.Rates[i]; x.CUSUMPeak >= rateWarning {
			over = append(over, name)
			all = append(all, fmt.Sprintf("%s: above its ceiling of %g at record %d (a healthy stream shows this once in %d records or more)",
				name, x.Ceiling, x.PeakRecord, rateWarning))
		}
	}
	if g.anchor != nil && g.s.Unmatched > 0 {
		all = append(all, fmt.Sprintf("%d records have no twin left in the anchor and were not compared", g.s.Unmatched))
	}
	return all, over
}
