package quality

import "math"

// fewestAccepted is the number of pairs from which a bet says how much worse answers are.
const fewestAccepted = 50

// Release lets a gate that holds go on: a person has looked and takes what the accounts saw for the new level. Every account begins
// anew at it, so what grows worse than that is held again: a fresh test that spends α once more. Accounts of the stream's past that had
// won don't bet any more, as beside human text. Limits of the band that were broken aren't judged any more, for the band has no α. A
// gate that doesn't hold stays as it is.
func (g *Gate) Release() {
	if g.s.AlarmAt == 0 {
		return
	}
	s := &g.s
	if s.Band.Broken != "" {
		s.Accepted.Band = append(append(s.Accepted.Band, s.Band.Broken), g.allBroken(s.Band.Last)...)
		s.Band.Broken, s.Band.BrokenAt = "", 0
	}
	from := s.Pairs
	if g.o.Mode == ModeHuman {
		from = max(from, learnPairs)
	}
	for k := range s.Accounts {
		won := g.bets(k) && s.Accounts[k].wealth() > 1
		switch {
		case won && (k == accUni1 || k == accUni2 || k == accNov6Rep):
			// What comes again comes again the more often the longer the run is: a level taken now would be outgrown.
			s.Accepted.Off[k] = true
		case won:
			s.Accepted.D[k] = max(s.Accepted.D[k], s.Accounts[k].level(s.Pairs, g.tolerance(k)))
		}
		s.Accounts[k], s.Examples[k] = newAccount(from), nil
	}
	for i := range s.Rates {
		r := &s.Rates[i]
		if r.wealth() > 1 && r.N > 0 {
			r.Ceiling = max(r.Ceiling, r.level(s.Records))
		}
		*r = newRateAccount(r.Ceiling, s.Records)
	}
	s.AlarmAt, s.Why, s.Peak = 0, "", 1
	s.Releases++
}

// bets says whether an account bets on pairs.
func (g *Gate) bets(k int) bool { return g.active[k] && !g.s.Accepted.Off[k] }

// accepted is what releases let pass.
type accepted struct {
	D    [numAccounts]float64 // mean of D that an account lets pass
	Off  [numAccounts]bool    // accounts of the stream's past that don't bet any more
	Band []string             // limits that aren't judged any more
}

// level is the 99% upper bound of D's mean over the bet that saw the most of it; e is the tolerance that the bets were made with.
func (a *account) level(pairs int, e float64) float64 {
	best := e
	for i := range a.Bets {
		b := &a.Bets[i]
		n := float64(pairs - b.From)
		if n < fewestAccepted && i > 0 {
			continue
		}
		n = max(n, 2)
		mean := b.S / n
		bound := mean + learnSigma*math.Sqrt(max(0, b.Q/n-float64(mean*mean))/n)
		best = max(best, bound*(1+e)+e)
	}
	return min(0.99, best)
}

// level is the 99% upper bound of the rate over the stake that saw the most events.
func (r *rateAccount) level(records int) float64 {
	best := 0.0
	for i := range r.Low.Bets {
		b := &r.Low.Bets[i]
		n := float64(records - b.From)
		if n < fewestAccepted && i > 0 {
			continue
		}
		n = max(n, 2)
		p := b.S / n
		best = max(best, p+learnSigma*math.Sqrt(max(p*(1-p), 1/n)/n))
	}
	return min(0.99, best)
}
