package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// reservePercent makes the collector run when the heap has grown by half: a worker's memory is bounded by pages and index, and
	// twice as much as lives is more than a small machine should need.
	reservePercent = 50
	// mostReserve bounds what may be garbage at once: an index of near-duplicates makes none, however large it is.
	mostReserve = 32 << 20
	// leastPercent bounds the collector's work where much else lives.
	leastPercent = 10
)

// percentFor is by how many percent a heap of which live bytes were alive may grow before the collector runs.
func percentFor(live uint64) int {
	if live*reservePercent/100 <= mostReserve {
		return reservePercent
	}
	return max(leastPercent, int(mostReserve*100/live)) //nolint:gosec // below reservePercent
}

// boundReserve keeps the collector's reserve so, anew after each of its cycles. GOGC wins.
func boundReserve() {
	if os.Getenv("GOGC") != "" {
		return
	}
	set := reservePercent
	debug.SetGCPercent(set)
	afterEachCycle(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if want := percentFor(live[0].Value.Uint64()); want != set {
			set = want
			debug.SetGCPercent(set)
		}
	})
}

// afterEachCycle calls do after each cycle of the collector, as nothing holds what a finalizer stands on.
func afterEachCycle(do func()) {
	type sentinel struct{ _ *byte }
	var again func(*sentinel)
	again = func(s *sentinel) {
		do()
		runtime.SetFinalizer(s, again)
	}
	runtime.SetFinalizer(&sentinel{}, again)
}
