package activities

import (
	"context"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
	"github.com/retort-data/retort/telemetry"
)

// What is told of the work: names, counts and codes.

// observer gives each call of a teacher a span; nil where nothing is traced.
func observer() teacher.Observer {
	if !telemetry.Tracing() {
		return nil
	}
	return func(ctx context.Context, c teacher.Call) func(teacher.CallEnd) {
		end := telemetry.StartCall(ctx, c.Teacher, c.Sampling, c.Attempt)
		return func(e teacher.CallEnd) { end(telemetry.CallEnd(e)) }
	}
}

// annotate says in a trace which run and page an activity works on.
func annotate(ctx context.Context, args []any) {
	if !telemetry.Tracing() || len(args) == 0 {
		return
	}
	if of, ok := args[0].(interface{ Ref() schema.RunRef }); ok {
		telemetry.Annotate(ctx, "retort.dataset", of.Ref().Dataset, "retort.run", of.Ref().Run)
	}
	switch in := args[0].(type) {
	case schema.AskInput:
		telemetry.Annotate(ctx, "retort.page", in.Page.String())
	case schema.AdmitInput:
		telemetry.Annotate(ctx, "retort.page", in.Page.String())
	}
}

// countAsk counts a request by its teacher: answered, or the code of what went wrong.
func countAsk(name string, r *schema.Response, err error, took time.Duration) {
	outcome := "answered"
	switch code := codeOf(err); {
	case code != "":
		outcome = code
	case r.Failed():
		outcome = r.FailCode
	}
	m := telemetry.Default
	m.Count("retort_requests_total", 1, "teacher", name, "outcome", outcome)
	m.Count("retort_tokens_total", r.InputTokens, "teacher", name, "type", "input")
	m.Count("retort_tokens_total", r.OutputTokens, "teacher", name, "type", "output")
	if r.CostMicros != nil {
		m.Count("retort_cost_microdollars_total", *r.CostMicros, "teacher", name)
	}
	m.Took("retort_request_seconds", took, "teacher", name)
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
