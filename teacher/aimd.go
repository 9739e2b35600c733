package teacher

import (
	"math"
	"time"
)

// AIMD of a teacher's rate: a window in which more than a tenth of the calls fail by overload halves it, a
// better one adds a tenth of the full rate back.
const (
	aimdCalls    = 20
	aimdTime     = time.Second
	aimdQuiet    = 30 * time.Second // a window with fewer calls ends after this, and can only speed up
	aimdLeast    = 1.0 / 64
	aimdStep     = 0.1
	aimdMostFail = 0.1
)

// aimd is not for concurrent use.
type aimd struct {
	share         float64 // of the lease that is used; 0 stands for 1 before the first window
	calls, failed int
	since         time.Time
	epoch         uint64 // counts cuts: calls sent before the last one say nothing about the new rate
}

func (a *aimd) factor() float64 {
	if a.share == 0 {
		return 1
	}
	return a.share
}

// record counts a call that was sent in an epoch.
func (a *aimd) record(now time.Time, epoch uint64, overloaded bool) {
	if epoch != a.epoch {
		return
	}
	if a.calls == 0 {
		a.since = now
	}
	a.calls++
	if overloaded {
		a.failed++
	}
	age := now.Sub(a.since)
	full := a.calls >= aimdCalls && age >= aimdTime
	switch {
	case full && beyondChance(a.failed, a.calls):
		a.share = max(aimdLeast, a.factor()/2)
		a.epoch++
	case full, age >= aimdQuiet && a.failed == 0:
		a.share = min(1, a.factor()+aimdStep)
	case age < aimdQuiet:
		return
	}
	a.calls, a.failed = 0, 0
}

// beyondChance says whether more than a tenth failed, and by more than a window of that size varies by itself
// (one-sided, 5%): a teacher that fails 7 in a hundred isn't slowed each time that chance makes it 3 in twenty.
func beyondChance(failed, calls int) bool {
	n := float64(calls)
	return float64(failed) > aimdMostFail*n+1.645*math.Sqrt(aimdMostFail*(1-aimdMostFail)*n)
}
