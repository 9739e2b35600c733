// Command quality measures the gate and the signals: false alarms and detection beside the usual alternatives, and speed.
//
//	go run ./bench/quality -corpus FILE.jsonl -do alarms   -runs 1000
//	go run ./bench/quality -corpus FILE.jsonl -do detect   -runs 50
//	go run ./bench/quality -corpus FILE.jsonl -do speed
//
// A corpus is a file of JSON lines with a field "text" (and, for other strata, several files separated by commas);
// without one, Go's own doc comments are read.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
)

func main() {
	corpus := flag.String("corpus", "", "JSON lines with a field text; several files, separated by commas, are strata; none: Go's doc comments")
	do := flag.String("do", "alarms", "alarms | detect | speed | signals | digest")
	runs := flag.Int("runs", 100, "runs of each experiment")
	records := flag.Int("records", 2000, "records of a run")
	version := flag.Int("version", 4000, "records of a published version, from which the next student learns")
	beside := flag.Int("beside", 100, "runs on which the usual alternatives are measured too")
	seed := flag.Uint64("seed", 1, "seed of the first run; the i-th takes seed+i")
	only := flag.String("only", "", "names of experiments, separated by commas; empty: all")
	profile := flag.String("cpuprofile", "", "file for a profile of the processor's time")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	b := bench{runs: *runs, records: *records, seed: *seed, version: *version, beside: *beside, only: *only}
	if err := b.run(*do, *corpus); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
