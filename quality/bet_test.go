package quality

import (
	"encoding/json"
	"math"
	"testing"
)

// A stream that stays bad long after the alarm still has a wealth that can be written down.
func TestWealthStaysANumber(t *testing.T) {
	a, r := newAccount(0), newRateAccount(0.01, 0)
	for at := range 20000 {
		a.take(1, at)
		r.observe(true, at)
	}
	for name, w := range map[string]float64{"account": a.wealth(), "rate": r.wealth(), "CUSUM": r.CUSUM} {
		if math.IsInf(w, 0) || math.IsNaN(w) || w < 1e50 {
			t.Errorf("%s: wealth %v", name, w)
		}
	}
	if _, err := json.Marshal([]any{a, r}); err != nil {
		t.Error(err)
	}
}
