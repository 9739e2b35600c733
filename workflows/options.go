package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// A worker that dies is noticed after heartbeat; activities beat every half second.
const heartbeat = 8 * time.Second

// Activities decide themselves what can't be mended by trying again; what can (S3 away, a worker stopped) is tried until it
// works, so that a night's run survives an outage.
var retries = &temporal.RetryPolicy{InitialInterval: 500 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second}

func light(ctx workflow.Context) workflow.Context { return with(ctx, "", 10*time.Minute) }

func long(ctx workflow.Context) workflow.Context { return with(ctx, "", 24*time.Hour) }

func with(ctx workflow.Context, queue string, most time.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: queue, StartToCloseTimeout: most,
		HeartbeatTimeout: heartbeat, WaitForCancellation: true, RetryPolicy: retries})
}
