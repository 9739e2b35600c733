package quality

// Rates of events (refusals, identity, truncation, duplicates) have a stated ceiling m. Two stakes, at 2½ and 8 times the ceiling,
// multiply by (q/m)^x ((1−q)/(1−m))^(1−x): an e-value for the rate being at most m.

// rateAccount bets that the rate is above its ceiling, with the restarts of the other accounts.
type rateAccount struct {
	Low, High  rateBets
	Events, N  int
	Ceiling    float64
	CUSUM      float64 // Shiryaev–Roberts-like e-CUSUM: max(M, 1) · e
	CUSUMPeak  float64
	PeakRecord int
}

// rateBets is an account whose stake is a fixed alternative.
type rateBets struct {
	Bets []bet
	Next int
	Gap  int
}

// newRateAccount watches the records behind number at.
func newRateAccount(ceiling float64, at int) rateAccount {
	return rateAccount{Low: newRateBets(at), High: newRateBets(at), Ceiling: ceiling, CUSUM: 1, CUSUMPeak: 1}
}

func newRateBets(at int) rateBets {
	return rateBets{Bets: []bet{newBet(at)}, Next: at + restartEvery, Gap: restartEvery}
}

// alternatives are the rates that the two stakes are made for.
func alternatives(m float64) (low, high float64) {
	return min(2.5*m, (1+m)/2), min(8*m, (1+3*m)/4+0.001)
}

func eValue(q, m float64, event bool) float64 {
	if event {
		return q / m
	}
	return (1 - q) / (1 - m)
}

func (r *rateAccount) observe(event bool, at int) {
	m := r.Ceiling
	low, high := alternatives(m)
	e1, e2 := eValue(low, m, event), eValue(high, m, event)
	r.Low.take(e1, event, at)
	r.High.take(e2, event, at)
	r.N++
	if event {
		r.Events++
	}
	r.CUSUM = min(max(r.CUSUM, 1)*e1, mostWealth)
	if r.CUSUM > r.CUSUMPeak {
		r.CUSUMPeak, r.PeakRecord = r.CUSUM, at
	}
}

func (b *rateBets) take(e float64, event bool, at int) {
	if at >= b.Next {
		b.Bets = append(b.Bets, newBet(at-1))
		if len(b.Bets)%restartsEqual == 0 {
			b.Gap *= 2
		}
		b.Next += b.Gap
	}
	for i := range b.Bets {
		x := &b.Bets[i]
		x.Wealth = min(x.Wealth*e, mostWealth)
		if event {
			x.S++
		}
		if x.Wealth <= x.Low {
			x.Low, x.LowAt = x.Wealth, at
		}
	}
}

func (b *rateBets) asAccount() *account { return &account{Bets: b.Bets} }

func (r *rateAccount) wealth() float64 {
	return (r.Low.asAccount().wealth() + r.High.asAccount().wealth()) / 2
}

func (g *Gate) observeRates(events []string) {
	for i, name := range g.rates {
		hit := false
		for _, e := range events {
			hit = hit || e == name
		}
		g.s.Rates[i].observe(hit, g.s.Records)
	}
}
