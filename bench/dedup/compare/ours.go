package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
)

// runOurs finds pairs on one thread and writes them, and the seconds that it took. Reading the file is outside of the
// clock; cutting words, sketching, searching, verifying and all garbage collection are inside.
func runOurs(args []string) error {
	f := flag.NewFlagSet("ours", flag.ExitOnError)
	near := schema.NearCheck{}
	f.IntVar(&near.Bands, "bands", 16, "bands")
	f.IntVar(&near.Rows, "rows", 8, "rows of a band")
	least := f.Float64("jaccard", .75, "least Jaccard index")
	threads := f.Int("threads", 1, "threads")
	if err := f.Parse(args); err != nil {
		return err
	}
	path := f.Arg(0)
	texts, err := load(path)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(*threads)
	runtime.GC()
	wall, cpu := time.Now(), cpuSeconds()
	found, err := dedup.Pairs(context.Background(), slices.Values(texts), dedup.PairOptions{Near: near, Least: *least, Threads: *threads})
	if err != nil {
		return err
	}
	seconds, elapsed := cpuSeconds()-cpu, time.Since(wall).Seconds()
	name := fmt.Sprintf("%s.found.retort %d×%d, J ≥ %g", path, near.Bands, near.Rows, *least)
	if *threads > 1 {
		name += fmt.Sprintf(" on %d threads", *threads)
	}
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "# %.4f %.4f\n", seconds, elapsed)
	for _, p := range found.Pairs {
		fmt.Fprintf(w, "%d\t%d\t%.6f\n", p.A, p.B, p.Jaccard)
	}
	return w.Flush()
}

// cpuSeconds is what this process has used, user and system.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
