package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// reserve is what may be garbage before the collector runs, whatever lives: each cycle costs what all that lives costs, so half of little
	// would be collected often; and an index of near-duplicates makes no garbage, however large it is.
	reserve = 32 << 20
	// leastPercent bounds the collector's work where much lives, mostPercent what a process holds that does little.
	leastPercent, mostPercent = 10, 400
)

// percentFor is by how many percent a heap of which live bytes were alive may grow before the collector runs.
func percentFor(live uint64) int {
	return int(min(max(leastPercent, reserve*100/max(live, 1)), mostPercent)) //nolint:gosec // bounded
}

// boundReserve keeps the collector's reserve so, anew after each of its cycles. GOGC wins.
func boundReserve() {
	if os.Getenv("GOGC") != "" {
		return
	}
	set := percentFor(0)
	debug.SetGCPercent(set)
	afterEachCycle(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if want := percentFor(live[0].Value.Uint64()); want < set*9/10 || want > set*11/10 { // setting it stops the world
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
