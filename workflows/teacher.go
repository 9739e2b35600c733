package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// TeacherName is the registered name of Teacher.
const TeacherName = "Teacher"

// TeacherInput is what a teacher's workflow carries from one history to the next.
type TeacherInput struct {
	Ledger Ledger `json:"ledger"`
}

const (
	// idleFor is how long nobody needs to ask while all holds: lease holders confirm by queries, which leave no events. After it,
	// those who hold something are called, so that a lease whose holder died is noticed and the workflow ends.
	idleFor = 10 * time.Minute
	// mostAsks is the number of asks after which a fresh history is begun; each is five events.
	mostAsks = 400
)

// Teacher lends a teacher's limit to worker processes: one for each teacher of a namespace, over all runs and datasets. It is started
// by the first worker that has something to ask, and ends when nobody has for some time.
func Teacher(ctx workflow.Context, in TeacherInput) error {
	l := &in.Ledger
	asks := 0
	err := workflow.SetUpdateHandler(ctx, schema.UpdateLease, func(ctx workflow.Context, a schema.LeaseAsk) (schema.Lease, error) {
		asks++
		return l.Lend(workflow.Now(ctx), a), nil
	})
	if err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(ctx, schema.QueryLease, func(worker string, number int64) (bool, error) {
		return l.Stands(workflow.Now(ctx), worker, number), nil
	}); err != nil {
		return err
	}
	if err := workflow.SetQueryHandler(ctx, schema.QueryShares, func() (Ledger, error) { return *l, nil }); err != nil {
		return err
	}
	for before := 0; ; before = asks {
		full, err := workflow.AwaitWithTimeout(ctx, idleFor, func() bool { return asks >= mostAsks })
		switch {
		case err != nil:
			return err
		case full:
			return workflow.NewContinueAsNewError(ctx, TeacherName, in)
		case asks > before:
		case l.Empty(workflow.Now(ctx)):
			return nil
		default:
			l.CallAll(workflow.Now(ctx))
		}
	}
}
