package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// PingName is the registered name of Ping.
const PingName = "Ping"

// Ping asks teachers whether they are there, on a worker, as keys are there alone. It answers in the order of names.
func Ping(ctx workflow.Context, askQueue string, names []string) ([]schema.PingResult, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: askQueue, StartToCloseTimeout: 2 * time.Minute, HeartbeatTimeout: heartbeat,
		ScheduleToStartTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})
	futures := make([]workflow.Future, len(names))
	for i, name := range names {
		futures[i] = workflow.ExecuteActivity(ctx, schema.StepPing, name)
	}
	out := make([]schema.PingResult, len(names))
	for i := range futures {
		if err := futures[i].Get(ctx, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
