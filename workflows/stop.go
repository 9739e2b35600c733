package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// stoppable says whether a cancel or pause is obeyed while files are written; runs that an earlier build has brought there go on as they began.
func (g *generation) stoppable() bool {
	if g.stops == 0 {
		g.stops = workflow.GetVersion(g.ctx, "stop-while-writing", workflow.DefaultVersion, 1)
	}
	return g.stops == 1
}

// stoppably runs an activity to its end. A cancel meanwhile cancels it: then it has stopped when this returns.
func (g *generation) stoppably(step string, in, out any) error {
	ctx, cancel := workflow.WithCancel(long(g.ctx))
	defer cancel()
	f := workflow.ExecuteActivity(ctx, step, in)
	if !g.stoppable() {
		return f.Get(g.ctx, out)
	}
	done := false
	sel := workflow.NewSelector(g.ctx)
	sel.AddFuture(f, func(workflow.Future) { done = true })
	g.signals.listen(sel)
	for !done {
		if g.signals.cancelled {
			cancel()
		}
		sel.Select(g.ctx)
	}
	return f.Get(g.ctx, out)
}

// rest waits while the run is paused, and says whether it was cancelled.
func (g *generation) rest() error {
	if !g.stoppable() {
		return nil
	}
	g.signals.drain()
	if g.signals.paused && !g.signals.cancelled {
		was := g.Status.State
		g.Status.State = schema.StatePaused
		g.save(true)
		sel := workflow.NewSelector(g.ctx)
		g.signals.listen(sel)
		for g.signals.paused && !g.signals.cancelled {
			sel.Select(g.ctx)
		}
		g.Status.State = was
		g.save(true)
	}
	return g.stopped(nil)
}

// stopped is what a step's error means in a run that was cancelled: nothing of it is published. Files that were written stay: they stand
// under the run's name, and its status says that it was cancelled.
func (g *generation) stopped(err error) error {
	if g.stoppable() && g.signals.cancelled && (err == nil || stoppedBy(err)) {
		return &verdict{schema.StateCancelled, "cancelled", ""}
	}
	return err
}
