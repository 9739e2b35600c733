package quality

// Testing by betting (Waudby-Smith and Ramdas 2024; Shafer 2021; the bound is Ville's, 1939): an account multiplies
// its wealth by 1 + λD for each pair, with λ fixed before D is seen. If the mean of D is at most 0, wealth is a
// supermartingale.

const (
	leastBet  = 0.02
	mostBet   = 0.9
	betShrink = 5.0

	// mostWealth keeps a stream that stays bad from running over the numbers; less wealth than earned leaves the bound true.
	mostWealth = 1e100
)

// bet is one account's stake since one starting record.
type bet struct {
	Wealth float64 // starts at 1
	S, Q   float64 // sums of D and D² so far
	Low    float64 // lowest wealth so far
	LowAt  int     // pair at which it was lowest: the rise began behind it
	From   int     // pair behind which it began
}

func newBet(at int) bet { return bet{Wealth: 1, Low: 1, LowAt: at, From: at} }

// take updates the wealth by d, in [-1, 1], of pair number at.
func (b *bet) take(d float64, at int) {
	lambda := min(max(b.S/(b.Q+betShrink), leastBet), mostBet)
	b.Wealth = min(b.Wealth*(1+float64(lambda*d)), mostWealth)
	b.S += d
	b.Q += float64(d * d)
	if b.Wealth <= b.Low {
		b.Low, b.LowAt = b.Wealth, at
	}
}

// Restarts: half of an account's capital is bet from the first pair; the j-th restart opens with ½ / (j (j + 1)) of it,
// so that a decay that begins in mid-run is seen by a bet that has no long healthy past to outweigh. After 40 restarts they
// become rarer, by doubling, so that the number of bets grows with the logarithm of the run.
const (
	restartEvery  = 500
	restartsEqual = 40
)

// account is one signal's bets.
type account struct {
	Bets []bet // the first from pair 0, then the restarts
	Next int   // pair at which the next restart opens
	Gap  int
}

func newAccount(at int) account {
	return account{Bets: []bet{newBet(at)}, Next: at + restartEvery, Gap: restartEvery}
}

func capital(j int) float64 {
	if j == 0 {
		return 0.5
	}
	return 0.5 / float64(j*(j+1))
}

func (a *account) take(d float64, at int) {
	if at >= a.Next {
		a.Bets = append(a.Bets, newBet(at-1))
		if len(a.Bets)%restartsEqual == 0 {
			a.Gap *= 2
		}
		a.Next += a.Gap
	}
	for i := range a.Bets {
		a.Bets[i].take(d, at)
	}
}

// wealth is that of all bets and of the capital that no restart has opened yet.
func (a *account) wealth() float64 {
	w := 0.5 / float64(len(a.Bets)) // ½ − Σ ½/(j(j+1)) over the opened
	for j, b := range a.Bets {
		w += float64(capital(j) * b.Wealth)
	}
	return w
}

// since returns the pair from which on the bet that holds most of the wealth has risen.
func (a *account) since() int {
	best := 0
	for j := range a.Bets {
		if capital(j)*a.Bets[j].Wealth > capital(best)*a.Bets[best].Wealth {
			best = j
		}
	}
	return a.Bets[best].LowAt + 1
}
