package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// errWorkerStops ends an attempt of a page when the worker drains; another worker goes on at once.
var errWorkerStops = &schema.Error{Kind: schema.KindRetry, Code: "worker_stops", Op: "ask", Cause: errors.New("the worker is draining")}

// mostUnknown bounds the tries after an error that no room has classified: a bug must show, not be tried for ever.
const mostUnknown = 5

// Guard is the interceptor around every activity: it heartbeats, turns panics into errors, logs errors in full on the
// worker, and hands Temporal no more of them than kind and code.
type Guard struct {
	interceptor.WorkerInterceptorBase
	Rooms *Rooms
}

// InterceptActivity wraps an activity's execution.
func (g *Guard) InterceptActivity(ctx context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &guarded{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, rooms: g.Rooms}
}

type guarded struct {
	interceptor.ActivityInboundInterceptorBase
	rooms *Rooms
}

func (g *guarded) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (result any, err error) {
	info := activity.GetInfo(ctx)
	annotate(ctx, in.Args)
	ctx, stop := beating(ctx)
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			g.rooms.Log.Error("an activity panicked; this is a bug", "step", info.ActivityType.Name, "workflow", info.WorkflowExecution.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = temporal.NewNonRetryableApplicationError("panic", string(schema.KindFailed), nil)
		}
	}()
	if err := checkRef(in.Args); err != nil {
		return nil, outward(err, info.Attempt)
	}
	result, err = g.Next.ExecuteActivity(ctx, in)
	if err == nil {
		return result, nil
	}
	if ctx.Err() != nil && temporal.IsCanceledError(context.Cause(ctx)) {
		return nil, temporal.NewCanceledError()
	}
	g.rooms.Log.Warn("an activity failed", append(about(in.Args, info), "attempt", info.Attempt, logged(err))...)
	out := outward(err, info.Attempt)
	g.rooms.keepProblem(in.Args, info, out, err)
	return nil, out
}

// about names what an activity works on, for a log.
func about(args []any, info activity.Info) []any {
	out := []any{"step", info.ActivityType.Name, "workflow", info.WorkflowExecution.ID}
	if len(args) == 0 {
		return out
	}
	if of, ok := args[0].(interface{ Ref() schema.RunRef }); ok {
		out = append(out, "dataset", of.Ref().Dataset, "run", of.Ref().Run)
	}
	switch in := args[0].(type) {
	case schema.AskInput:
		out = append(out, "page", in.Page.String())
	case schema.AdmitInput:
		out = append(out, "page", in.Page.String())
	}
	return out
}

// keepProblem puts the full text of an error beside the run: Temporal, and so the run's status, has its code alone.
func (r *Rooms) keepProblem(args []any, info activity.Info, out *temporal.ApplicationError, err error) {
	if len(args) == 0 || !out.NonRetryable() && info.Attempt < mostUnknown {
		return
	}
	of, ok := args[0].(interface{ Ref() schema.RunRef })
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b, jsonErr := json.MarshalIndent(Problem{Step: info.ActivityType.Name, Code: out.Message(), Message: err.Error(), Attempt: info.Attempt, At: time.Now().UTC()}, "", " ")
	if putErr := errors.Join(jsonErr, r.Store.Put(ctx, r.run(of.Ref()).Problem(out.Message()), b)); putErr != nil {
		r.Log.Warn("an error's text could not be kept", "error", putErr)
	}
}

// passes says of an error that no room has classified that a server didn't answer in time, or not at all: on a machine that is too busy, or while
// Temporal is away, for longer than some tries take. The SDK's errors of that kind aren't the context's.
func passes(err error) bool {
	var timeout interface{ Timeout() bool }
	var away *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	var busy *serviceerror.ResourceExhausted
	return errors.As(err, &timeout) && timeout.Timeout() || errors.As(err, &away) || errors.As(err, &late) || errors.As(err, &busy) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// outward keeps kind and code of an error alone.
func outward(err error, attempt int32) *temporal.ApplicationError {
	kind, code := schema.KindOf(err), "internal"
	var e *schema.Error
	var faults schema.Faults
	switch {
	case errors.As(err, &e):
		code = e.Code
	case errors.As(err, &faults):
		code = "recipe"
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrExists), errors.Is(err, store.ErrChanged):
		code = "store_state"
		if attempt >= mostUnknown {
			kind = schema.KindFailed
		}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		code = "interrupted"
	case passes(err):
		code = "unreachable"
	case attempt >= mostUnknown:
		kind = schema.KindFailed
	}
	opts := temporal.ApplicationErrorOptions{NonRetryable: kind != schema.KindRetry}
	if errors.Is(err, errWorkerStops) {
		opts.NextRetryDelay = time.Millisecond
	}
	var app *temporal.ApplicationError
	errors.As(temporal.NewApplicationErrorWithOptions(code, string(kind), opts), &app)
	return app
}
