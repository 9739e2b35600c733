// Package telemetry is what a process tells of itself: metrics for Prometheus, and whether it is well. Nothing is told unless worker.metrics
// gives an address. Metrics carry names, counts and codes: no prompt, no answer, no key.
package telemetry
