package telemetry

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/retort-data/retort/schema"
)

// CallEnd is what became of a call of a teacher.
type CallEnd struct {
	Code         string // of the fault; "" is an answer
	Model        string // as the teacher named it
	FinishReason string
	InputTokens  int64 // 0 where it isn't known
	OutputTokens int64
}

// StartCall begins the span of a call of a teacher, by OpenTelemetry's conventions for generative AI. What it returns ends it.
func StartCall(ctx context.Context, t *schema.Teacher, s schema.Sampling, attempt int) func(CallEnd) {
	tracing := current.Load()
	if tracing == nil || !tracing.sampled() {
		return func(CallEnd) {}
	}
	about := []attribute.KeyValue{attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", t.Name), attribute.String("gen_ai.request.model", t.Model),
		attribute.String("gen_ai.output.type", "text")}
	if u, err := url.Parse(t.BaseURL); err == nil && u.Hostname() != "" {
		about = append(about, attribute.String("server.address", u.Hostname()))
		if port, err := strconv.Atoi(u.Port()); err == nil {
			about = append(about, attribute.Int("server.port", port))
		}
	}
	if s.Temperature != nil {
		about = append(about, attribute.Float64("gen_ai.request.temperature", *s.Temperature))
	}
	if s.TopP != nil {
		about = append(about, attribute.Float64("gen_ai.request.top_p", *s.TopP))
	}
	if s.MaxTokens != nil {
		about = append(about, attribute.Int("gen_ai.request.max_tokens", *s.MaxTokens))
	}
	if attempt > 1 {
		about = append(about, attribute.Int("http.request.resend_count", attempt-1))
	}
	_, span := tracing.tracer.Start(ctx, "chat "+t.Model, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(about...))
	return func(e CallEnd) { endCall(span, t.Model, e) }
}

func endCall(span trace.Span, asked string, e CallEnd) {
	if e.Code != "" {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(attribute.String("error.type", e.Code))
	} else {
		span.SetAttributes(attribute.String("gen_ai.response.model", modelName(asked, e.Model)), attribute.StringSlice("gen_ai.response.finish_reasons", []string{finishName(e.FinishReason)}))
	}
	if e.InputTokens > 0 || e.OutputTokens > 0 {
		span.SetAttributes(attribute.Int64("gen_ai.usage.input_tokens", e.InputTokens), attribute.Int64("gen_ai.usage.output_tokens", e.OutputTokens))
	}
	span.End()
}

// A teacher may write anything as its model's name, a key that it was sent too: said is what was asked for, with a date or number behind it.
var modelDate = regexp.MustCompile(`^[-@:_.]?v?[0-9][0-9.-]{0,12}$`)

func modelName(asked, answered string) string {
	behind, same := strings.CutPrefix(answered, asked)
	if same && (behind == "" || modelDate.MatchString(behind)) {
		return answered
	}
	return "other"
}

func finishName(s string) string {
	switch s {
	case schema.FinishStop, schema.FinishLength, schema.FinishContentFilter, "tool_calls", "function_call":
		return s
	}
	return "other"
}
