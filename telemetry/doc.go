// Package telemetry is what a process tells of itself: metrics for Prometheus, traces by OpenTelemetry, and whether it is well.
// Nothing is told unless worker.metrics gives an address, or OTEL_EXPORTER_OTLP_ENDPOINT a collector. What is told is names, counts and codes:
// no prompt, no answer, no key.
package telemetry
