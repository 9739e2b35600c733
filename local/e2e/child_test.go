package e2e

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/retort-data/retort/local/stack"
)

// The test binary is the Temporal server when these are set, so that a test can kill it alone.
const (
	childDir   = "RETORT_E2E_TEMPORAL_DIR"
	childPort  = "RETORT_E2E_TEMPORAL_PORT"
	childReady = "RETORT_E2E_TEMPORAL_READY"
)

// child serves Temporal until it is killed; false where this process is no child.
func child() bool {
	dir := os.Getenv(childDir)
	if dir == "" {
		return false
	}
	port, _ := strconv.Atoi(os.Getenv(childPort))
	s, err := stack.Start(context.Background(), stack.Options{Dir: dir, Only: []stack.Service{stack.Temporal}, TemporalPort: port})
	if err != nil {
		fmt.Fprintln(os.Stderr, "temporal:", err)
		os.Exit(1)
	}
	part := os.Getenv(childReady) + ".part"
	if err := os.WriteFile(part, []byte(s.TemporalAddress), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := os.Rename(part, os.Getenv(childReady)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}
