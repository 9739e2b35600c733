package main

import (
	"runtime"
	"testing"
)

func TestReserveIsBounded(t *testing.T) {
	for _, mb := range []uint64{0, 1, 40, 64, 65, 100, 200, 400, 1000, 100_000} {
		live := mb << 20
		p := percentFor(live)
		if got := live * uint64(p) / 100; p != leastPercent && got > reserve {
			t.Errorf("%d MB alive: a reserve of %d bytes (%d%%)", mb, got, p)
		}
		if p < leastPercent || p > mostPercent || mb == 64 && p != 50 {
			t.Errorf("%d MB alive: %d%%", mb, p)
		}
	}
}

func TestAfterEachCycle(t *testing.T) {
	seen := make(chan struct{}, 100)
	afterEachCycle(func() { seen <- struct{}{} })
	for range 3 {
		runtime.GC()
		<-seen
	}
}
