package teacher

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A teacher that fails 7% by chance is hardly ever slowed; one that fails 25% soon is.
func TestChanceDoesNotSlow(t *testing.T) {
	cuts := func(rate float64, perWindow int) (n uint64) {
		rng, now := rand.New(rand.NewPCG(3, 4)), time.Unix(0, 0)
		var a aimd
		for range 1000 * perWindow {
			now = now.Add(aimdTime / time.Duration(perWindow-1))
			a.record(now, a.epoch, rng.Float64() < rate)
		}
		return a.epoch
	}
	for _, perWindow := range []int{20, 100, 1000} {
		if n := cuts(0.07, perWindow); n > 30 {
			t.Errorf("%d cuts in 1,000 windows of %d at 7%%", n, perWindow)
		}
		if n := cuts(0.25, perWindow); n < 500 {
			t.Errorf("%d cuts in 1,000 windows of %d at 25%%", n, perWindow)
		}
	}
}

// With few calls, those that were sent before a cut say nothing, and a quiet teacher recovers by time.
func TestQuietTeacherRecovers(t *testing.T) {
	a, now := aimd{share: 0.25, epoch: 2}, time.Unix(0, 0)
	for range 40 {
		a.record(now, 1, true)
	}
	if a.share != 0.25 || a.epoch != 2 {
		t.Errorf("calls of an earlier epoch moved it: %+v", a)
	}
	for range 40 {
		now = now.Add(10 * time.Second)
		a.record(now, 2, false)
	}
	if a.share != 1 {
		t.Errorf("share %v after 40 slow answers", a.share)
	}
}
