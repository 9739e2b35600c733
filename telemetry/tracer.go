package telemetry

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
)

// temporalTracer passes traces through Temporal. Unlike the SDK's own for OpenTelemetry it gives what a workflow does the same span
// when it is replayed by another worker, keeps the texts of errors out of spans, and begins a trace for each night of a schedule.
type temporalTracer struct {
	interceptor.BaseTracer
	tracer trace.Tracer
	wire   propagation.TraceContext
}

type spanKey struct{}

// Options leave out what isn't a step of a run: watch asks all the time, and waits for a teacher are signalled often.
func (t *temporalTracer) Options() interceptor.TracerOptions {
	return interceptor.TracerOptions{SpanContextKey: spanKey{}, HeaderKey: "_tracer-data",
		DisableQueryTracing: true, DisableSignalTracing: true, DisableUpdateTracing: true, AllowInvalidParentSpans: true}
}

// UnmarshalSpan reads whose child a span is from a header.
func (t *temporalTracer) UnmarshalSpan(header map[string]string) (interceptor.TracerSpanRef, error) {
	parent := trace.SpanContextFromContext(t.wire.Extract(context.Background(), propagation.MapCarrier(header)))
	if !parent.IsValid() {
		return nil, nil
	}
	return parent, nil
}

// MarshalSpan writes a span into a header. A schedule's is left out: it would make one trace of all nights.
func (t *temporalTracer) MarshalSpan(span interceptor.TracerSpan) (map[string]string, error) {
	s := span.(*temporalSpan)
	header := propagation.MapCarrier{}
	if s.operation != "CreateSchedule" {
		t.wire.Inject(trace.ContextWithSpan(context.Background(), s.Span), header)
	}
	return header, nil
}

// SpanFromContext returns the span that ctx is in; nil where it is in none.
func (t *temporalTracer) SpanFromContext(ctx context.Context) interceptor.TracerSpan {
	if span := trace.SpanFromContext(ctx); span.SpanContext().IsValid() {
		return &temporalSpan{Span: span}
	}
	return nil
}

// ContextWithSpan puts a span into ctx.
func (t *temporalTracer) ContextWithSpan(ctx context.Context, span interceptor.TracerSpan) context.Context {
	return trace.ContextWithSpan(ctx, span.(*temporalSpan).Span)
}

// StartSpan begins a span.
func (t *temporalTracer) StartSpan(o *interceptor.TracerStartSpanOptions) (interceptor.TracerSpan, error) {
	ctx := context.Background()
	switch parent := o.Parent.(type) {
	case trace.SpanContext:
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
	case *temporalSpan:
		ctx = trace.ContextWithSpan(ctx, parent.Span)
	}
	if o.IdempotencyKey != "" {
		ctx = context.WithValue(ctx, replayKey{}, o.IdempotencyKey)
	}
	kind := trace.SpanKindServer
	if o.ToHeader {
		kind = trace.SpanKindClient
	}
	var about []attribute.KeyValue
	for name, value := range o.Tags {
		about = append(about, attribute.String(name, value))
	}
	_, span := t.tracer.Start(ctx, o.Operation+":"+o.Name, trace.WithTimestamp(o.Time), trace.WithSpanKind(kind), trace.WithAttributes(about...))
	return &temporalSpan{span, o.Operation}, nil
}

type temporalSpan struct {
	trace.Span
	operation string
}

// Finish ends a span. Of an error it has the code, or its type: a text may quote what a person or a model wrote.
func (s *temporalSpan) Finish(o *interceptor.TracerFinishSpanOptions) {
	if o.Error != nil {
		s.SetAttributes(attribute.String("error.type", errorType(o.Error)))
		s.SetStatus(codes.Error, "")
	}
	s.End()
}

var code = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// errorType is the code of an error of an activity, else the name of the error's type.
func errorType(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) && code.MatchString(app.Message()) {
		return app.Message()
	}
	return fmt.Sprintf("%T", err)
}

// ids gives a span that a replay begins again the id that it had.
type ids struct{}

type replayKey struct{}

func (ids) NewIDs(ctx context.Context) (t trace.TraceID, s trace.SpanID) {
	if key, ok := ctx.Value(replayKey{}).(string); ok {
		sum := sha256.Sum256([]byte(key))
		copy(t[:], sum[8:])
		copy(s[:], sum[:8])
		return t, s
	}
	binary.NativeEndian.PutUint64(t[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(t[8:], rand.Uint64()|1) // all zeros is no id
	return t, randomSpan()
}

func (ids) NewSpanID(ctx context.Context, t trace.TraceID) trace.SpanID {
	if key, ok := ctx.Value(replayKey{}).(string); ok {
		sum := sha256.Sum256(append(t[:], key...))
		return trace.SpanID(sum[:8])
	}
	return randomSpan()
}

func randomSpan() (s trace.SpanID) {
	binary.NativeEndian.PutUint64(s[:], rand.Uint64()|1)
	return s
}
