package activities

import (
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/telemetry"
)

// What is told of the work: names, counts and codes.

// countAsk counts a request by its teacher: answered, or the code of what went wrong.
func countAsk(teacher string, r *schema.Response, err error, took time.Duration) {
	outcome := "answered"
	switch code := codeOf(err); {
	case code != "":
		outcome = code
	case r.Failed():
		outcome = r.FailCode
	}
	m := telemetry.Default
	m.Count("retort_requests_total", 1, "teacher", teacher, "outcome", outcome)
	m.Count("retort_tokens_total", r.InputTokens, "teacher", teacher, "type", "input")
	m.Count("retort_tokens_total", r.OutputTokens, "teacher", teacher, "type", "output")
	if r.CostMicros != nil {
		m.Count("retort_cost_microdollars_total", *r.CostMicros, "teacher", teacher)
	}
	m.Took("retort_request_seconds", took, "teacher", teacher)
}

// countDecided counts a page's decisions.
func countDecided(dataset string, got *schema.AdmitResult) {
	add := func(n int64, outcome, reason string) {
		if n > 0 {
			telemetry.Default.Count("retort_decisions_total", n, "dataset", dataset, "outcome", outcome, "reason", reason)
		}
	}
	add(got.Admitted, "admitted", "")
	add(got.Failed, "failed", "")
	for reason, n := range got.Rejected {
		add(n, "rejected", reason)
	}
}

// countNight counts a night by its outcome.
func countNight(n *schema.Night) {
	telemetry.Default.Count("retort_nights_total", 1, "dataset", n.Dataset, "outcome", n.Outcome)
}
