//go:build profiling

package main

import (
	"net/http"
	_ "net/http/pprof" // profiles show what a process has in memory: no build that is given away has this
	"os"
)

// `go build -tags profiling` serves profiles of a worker at the address in RETORT_PPROF.
func init() {
	if address := os.Getenv("RETORT_PPROF"); address != "" && os.Args[len(os.Args)-1] == "worker" {
		go http.ListenAndServe(address, nil) //nolint:errcheck,gosec // a developer's own
	}
}
