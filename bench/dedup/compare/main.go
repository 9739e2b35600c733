// Command compare measures near-duplicate search on one corpus, beside other libraries (peers.py). run.sh calls its parts:
//
//	compare corpus -n 100000 -o FILE        writes the corpus, a JSON string a line, and its labels beside it
//	compare truth FILE                      writes every pair with its exact Jaccard index from .5 on
//	compare ours -bands 16 -rows 8 FILE     finds pairs with dedup.Pairs on one thread
//	compare table FILE                      compares what all of them found with the truth
package main

import (
	"fmt"
	"os"
)

func main() {
	parts := map[string]func([]string) error{"corpus": writeCorpus, "truth": writeTruth, "ours": runOurs, "table": printTable}
	if len(os.Args) < 2 || parts[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: compare corpus|truth|ours|table ...")
		os.Exit(2)
	}
	if err := parts[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}
