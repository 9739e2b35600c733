package telemetry

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"

	"github.com/retort-data/retort/schema"
)

// Traces are on their way to a collector.
type Traces struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	share    float64 // of teacher calls that get a span
}

// current is the process's tracing; nil: nothing is traced, and nothing is spent on it.
var current atomic.Pointer[Traces]

// callShareEnv names the share of teacher calls that get a span: a run of a million requests is one trace.
const callShareEnv = "RETORT_TRACE_CALLS"

// wanted says whether the environment asks for traces.
func wanted() bool {
	return (os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "") &&
		!strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") && os.Getenv("OTEL_TRACES_EXPORTER") != "none"
}

// StartTraces starts tracing where the environment asks for it, by the variables that OpenTelemetry documents; else it returns nil,
// whose methods do nothing. service is what the process is, such as retort or retort-worker.
func StartTraces(ctx context.Context, service, version string) (*Traces, error) {
	if !wanted() {
		return nil, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := os.Getenv(name); p != "" && p != "http/protobuf" {
			return nil, invalid(name, errors.New("traces are sent by http/protobuf alone"), "Leave it out, and give the collector's HTTP port, mostly 4318.")
		}
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, invalid("OTEL_EXPORTER_OTLP_ENDPOINT", err, "Give it as http://HOST:4318.")
	}
	return traceTo(ctx, sdktrace.WithBatcher(exporter), service, version)
}

func invalid(subject string, cause error, hint string) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "traces", Op: "send traces by", Subject: subject, Cause: cause, Hint: hint}
}

// traceTo traces to whatever takes spans.
func traceTo(ctx context.Context, to sdktrace.TracerProviderOption, service, version string) (*Traces, error) {
	share := 1.0
	if text := os.Getenv(callShareEnv); text != "" {
		var err error
		if share, err = strconv.ParseFloat(text, 64); err != nil || !(share >= 0 && share <= 1) {
			return nil, invalid(callShareEnv, errors.New("it is no share from 0 to 1"), "Such as 0.01 for one teacher call in a hundred.")
		}
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", service), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, invalid("OTEL_RESOURCE_ATTRIBUTES", err, "")
	}
	t := &Traces{provider: sdktrace.NewTracerProvider(to, sdktrace.WithResource(about), sdktrace.WithIDGenerator(ids{})), share: share}
	t.tracer = t.provider.Tracer("github.com/retort-data/retort")
	current.Store(t)
	return t, nil
}

// Intercept makes a client of Temporal, and workers that use it, pass traces on.
func (t *Traces) Intercept(o *client.Options) {
	if t != nil {
		o.Interceptors = append(o.Interceptors, interceptor.NewTracingInterceptor(&temporalTracer{tracer: t.tracer}))
	}
}

// flushFor bounds the last words of a process.
const flushFor = 5 * time.Second

// Stop sends what is left. That a collector is away is no fault of what was traced.
func (t *Traces) Stop() {
	if t == nil {
		return
	}
	current.CompareAndSwap(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), flushFor)
	defer cancel()
	t.provider.Shutdown(ctx) //nolint:errcheck // see above
}

// Tracing says whether the process traces.
func Tracing() bool { return current.Load() != nil }

// StartCommand begins the root of a trace: a command of a person or a script.
func StartCommand(ctx context.Context, name string) (context.Context, func(status int)) {
	t := current.Load()
	if t == nil {
		return ctx, func(int) {}
	}
	ctx, span := t.tracer.Start(ctx, "retort "+name)
	return ctx, func(status int) {
		span.SetAttributes(attribute.Int("process.exit.code", status))
		span.End()
	}
}

// Annotate adds names to the span that ctx is in.
func Annotate(ctx context.Context, pairs ...string) {
	if current.Load() == nil {
		return
	}
	span := trace.SpanFromContext(ctx)
	for i := 0; i+1 < len(pairs); i += 2 {
		span.SetAttributes(attribute.String(pairs[i], pairs[i+1]))
	}
}

// sampled draws whether a teacher call gets a span.
func (t *Traces) sampled() bool { return t.share >= 1 || rand.Float64() < t.share }
