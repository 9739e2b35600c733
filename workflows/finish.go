package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// mostWriting bounds the files written at once over all workers.
const mostWriting = 4

// finish writes the files and publishes, once every page is decided.
func (g *generation) finish() error {
	c, p := g.Status.Counts, g.Plan.Policy
	if decided := c.Planned - c.Unasked; decided > 0 && float64(c.Failed) > p.Failed*float64(decided) && !g.waived("failed") {
		return &verdict{schema.StateHeld, "failed", ""}
	}
	g.waitsOver()
	g.Status.State = schema.StateWriting
	g.save(true)
	var layout schema.LayoutResult
	if err := g.stoppably(schema.StepLayout, schema.LayoutInput{RunRef: g.in.RunRef, Pages: g.Seq, Root: g.Root}, &layout); err != nil {
		return g.stopped(err)
	}
	g.Status.Counts.Human = layout.Human
	if err := g.write(layout); err != nil {
		return g.stopped(err)
	}
	if err := g.rest(); err != nil {
		return err
	}
	if c.Admitted == 0 {
		return g.publishNothing()
	}
	return g.publish()
}

// write writes the layout's files, some at once.
func (g *generation) write(layout schema.LayoutResult) error {
	total := layout.Shards + layout.Rejects
	g.Status.Files = schema.Progress{Total: total}
	ctx, cancel := workflow.WithCancel(long(g.ctx))
	defer cancel()
	sel := workflow.NewSelector(g.ctx)
	if g.stoppable() {
		g.signals.listen(sel)
	}
	next, flying := 0, 0
	var failed error
	for next < total && failed == nil || flying > 0 {
		if flying == 0 {
			failed = g.rest()
		}
		if g.stoppable() && g.signals.cancelled {
			cancel()
			failed = g.stopped(failed)
		}
		paused := g.stoppable() && g.signals.paused
		for ; flying < mostWriting && next < total && failed == nil && !paused; next++ {
			flying++
			f := workflow.ExecuteActivity(ctx, schema.StepWrite, schema.WriteInput{RunRef: g.in.RunRef, File: next})
			sel.AddFuture(f, func(f workflow.Future) {
				flying--
				if err := f.Get(g.ctx, nil); err != nil {
					failed = err
					return
				}
				g.Status.Files.Done++
			})
		}
		if flying == 0 {
			continue
		}
		sel.Select(g.ctx)
		g.save(false)
	}
	return failed
}

func (g *generation) publishNothing() error {
	g.tidy()
	g.Status.State = schema.StateNothing
	g.save(true)
	return nil
}

func (g *generation) publish() error {
	g.Status.State = schema.StatePublishing
	g.save(true)
	in := schema.PublishInput{RunRef: g.in.RunRef, Counts: g.Status.Counts, Cost: g.Status.Cost, Created: workflow.Now(g.ctx),
		Gate: g.Status.Gate, GateLog: g.Gate, Released: g.State.Released, Teachers: g.Status.Teachers}
	var got schema.PublishResult
	if err := g.stoppably(schema.StepPublish, in, &got); err != nil {
		if got, err = g.publishedYet(err); err != nil {
			return err
		}
	}
	g.Status.State, g.Status.Version = schema.StatePublished, got.Version
	g.save(true)
	g.tidy()
	return nil
}

// publishedYet is for a publish that was cancelled: where the manifest had been put before anyone heard of it the run is published, as
// nothing takes a version back.
func (g *generation) publishedYet(err error) (got schema.PublishResult, _ error) {
	cause := g.stopped(err)
	if cause == err {
		return got, err
	}
	if err := workflow.ExecuteActivity(light(g.ctx), schema.StepPublished, g.in.RunRef).Get(g.ctx, &got); err != nil {
		return got, err
	}
	if got.Version > 0 {
		return got, nil
	}
	return got, cause
}

// tidy deletes journals, whose answers stand in the pages' final objects. What stays behind costs space, not truth.
func (g *generation) tidy() {
	if err := workflow.ExecuteActivity(light(g.ctx), schema.StepTidy, g.in.RunRef).Get(g.ctx, nil); err != nil {
		workflow.GetLogger(g.ctx).Warn("journals could not be deleted", "run", g.in.Run)
	}
}
