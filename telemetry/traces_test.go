package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/retort-data/retort/schema"
)

// inMemory traces into memory until the test ends.
func inMemory(t *testing.T) (*Traces, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tr, err := traceTo(t.Context(), sdktrace.WithSyncer(spans), "retort", "1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Stop)
	return tr, spans
}

// A call's span has the names that OpenTelemetry's conventions give, and nothing that a teacher may write freely.
func TestCallSpan(t *testing.T) {
	_, spans := inMemory(t)
	temperature, most := .8, 400
	teacher := &schema.Teacher{Name: "qwen", Model: "qwen3-32b", BaseURL: "https://llm.example.net:8443/v1", APIKeyEnv: "KEY"}
	StartCall(t.Context(), teacher, schema.Sampling{Temperature: &temperature, MaxTokens: &most}, 2)(CallEnd{Model: "qwen3-32b-2026-08", FinishReason: "stop", InputTokens: 10, OutputTokens: 20})
	StartCall(t.Context(), teacher, schema.Sampling{}, 1)(CallEnd{Model: "you said Bearer sk-canary", FinishReason: "sk-canary"})
	StartCall(t.Context(), teacher, schema.Sampling{}, 1)(CallEnd{Code: "status_500"})
	got := spans.GetSpans()
	for i, want := range [][]string{
		{"gen_ai.operation.name=chat", "gen_ai.provider.name=qwen", "gen_ai.request.model=qwen3-32b", "gen_ai.response.model=qwen3-32b-2026-08", "gen_ai.response.finish_reasons=[\"stop\"]", "gen_ai.usage.input_tokens=10",
			"gen_ai.usage.output_tokens=20", "gen_ai.request.temperature=0.8", "gen_ai.request.max_tokens=400", "server.address=llm.example.net", "server.port=8443", "http.request.resend_count=1"},
		{"gen_ai.response.model=other", "gen_ai.response.finish_reasons=[\"other\"]"},
		{"error.type=status_500"},
	} {
		all := attributes(got[i])
		for _, w := range want {
			if !strings.Contains(all, w+"\n") {
				t.Errorf("span %d lacks %s:\n%s", i, w, all)
			}
		}
		if strings.Contains(all, "canary") || got[i].Name != "chat qwen3-32b" || got[i].SpanKind != trace.SpanKindClient {
			t.Errorf("%s %v\n%s", got[i].Name, got[i].SpanKind, all)
		}
	}
}

func attributes(s tracetest.SpanStub) string {
	var b strings.Builder
	for _, a := range s.Attributes {
		fmt.Fprintf(&b, "%s=%s\n", a.Key, a.Value.String())
	}
	return b.String() + s.Status.Description
}

// Of an error a span has the code or the type, never the text.
func TestSpanHasNoTextOfErrors(t *testing.T) {
	tr, spans := inMemory(t)
	tt := &temporalTracer{tracer: tr.tracer}
	for err, want := range map[error]string{
		temporal.NewNonRetryableApplicationError("s3_slowdown", "retry", errors.New("canary")): "error.type=s3_slowdown",
		errors.New("canary"): "error.type=*errors.errorString",
		temporal.NewApplicationError("the answer was: canary", ""): "error.type=*internal.ApplicationError",
	} {
		spans.Reset()
		s, _ := tt.StartSpan(&interceptor.TracerStartSpanOptions{Operation: "RunActivity", Name: "Ask", Time: time.Now()})
		s.Finish(&interceptor.TracerFinishSpanOptions{Error: err})
		if all := attributes(spans.GetSpans()[0]); strings.Contains(all, "canary") || !strings.Contains(all, want) || len(spans.GetSpans()[0].Events) > 0 {
			t.Errorf("%v became\n%s", err, all)
		}
	}
}

// A workflow that another worker replays is the same span of the same trace, with a header and, as a night has it, without.
func TestReplayIsTheSameSpan(t *testing.T) {
	tr, _ := inMemory(t)
	tt := &temporalTracer{tracer: tr.tracer}
	start := func(parent interceptor.TracerSpanRef, operation, key string) *temporalSpan {
		s, err := tt.StartSpan(&interceptor.TracerStartSpanOptions{Parent: parent, Operation: operation, Name: "x", IdempotencyKey: key, Time: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return s.(*temporalSpan)
	}
	command := start(nil, "StartWorkflow", "")
	header, err := tt.MarshalSpan(command)
	if err != nil || header["traceparent"] == "" {
		t.Fatal(header, err)
	}
	parent, err := tt.UnmarshalSpan(header)
	if err != nil {
		t.Fatal(err)
	}
	first, again, other := start(parent, "RunWorkflow", "run-1"), start(parent, "RunWorkflow", "run-1"), start(parent, "RunWorkflow", "run-2")
	if !first.SpanContext().Equal(again.SpanContext()) || first.SpanContext().SpanID() == other.SpanContext().SpanID() || first.SpanContext().TraceID() != command.SpanContext().TraceID() {
		t.Error("a replay is another span")
	}
	night, replayed, next := start(nil, "RunWorkflow", "night-1"), start(nil, "RunWorkflow", "night-1"), start(nil, "RunWorkflow", "night-2")
	if !night.SpanContext().Equal(replayed.SpanContext()) || night.SpanContext().TraceID() == next.SpanContext().TraceID() {
		t.Error("a night isn't one trace")
	}
	if header, _ := tt.MarshalSpan(start(nil, "CreateSchedule", "")); len(header) > 0 {
		t.Error("all nights of a schedule would be one trace")
	}
	if parent, err := tt.UnmarshalSpan(map[string]string{"traceparent": "junk"}); parent != nil || err != nil {
		t.Error(parent, err)
	}
}

// Off, as it is by default, tracing costs no allocation.
func TestTracingOffCostsNothing(t *testing.T) {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		t.Setenv(name, "")
	}
	if tr, err := StartTraces(t.Context(), "retort", "1"); tr != nil || err != nil {
		t.Fatal(tr, err)
	}
	teacher, ctx := &schema.Teacher{Name: "t"}, context.Background()
	if n := testing.AllocsPerRun(100, func() {
		StartCall(ctx, teacher, schema.Sampling{}, 1)(CallEnd{})
		Annotate(ctx, "a", "b")
		_, end := StartCommand(ctx, "run")
		end(0)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	var none *Traces
	none.Stop()
	none.Intercept(nil)
}

// What is wrong with the environment is said with the mend.
func TestTracesAreRefused(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	for name, value := range map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", callShareEnv: "2"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if _, err := StartTraces(t.Context(), "retort", "1"); schema.KindOf(err) != schema.KindInvalid || !strings.Contains(err.Error(), name) {
				t.Error(err)
			}
		})
	}
	t.Setenv("OTEL_TRACES_EXPORTER", "none")
	if tr, err := StartTraces(t.Context(), "retort", "1"); tr != nil || err != nil {
		t.Error(tr, err)
	}
}

// A share of none of the calls leaves runs and their steps traced.
func TestShareOfCalls(t *testing.T) {
	t.Setenv(callShareEnv, "0")
	_, spans := inMemory(t)
	ctx, end := StartCommand(t.Context(), "run")
	StartCall(ctx, &schema.Teacher{}, schema.Sampling{}, 1)(CallEnd{})
	end(3)
	if got := spans.GetSpans(); len(got) != 1 || got[0].Name != "retort run" {
		t.Error(got)
	}
}
