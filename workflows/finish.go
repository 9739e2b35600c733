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
	if err := workflow.ExecuteActivity(long(g.ctx), schema.StepLayout, schema.LayoutInput{RunRef: g.in.RunRef, Pages: g.Seq, Root: g.Root}).Get(g.ctx, &layout); err != nil {
		return err
	}
	g.Status.Counts.Human = layout.Human
	if err := g.write(layout); err != nil {
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
	sel := workflow.NewSelector(g.ctx)
	next, flying := 0, 0
	var failed error
	for next < total && failed == nil || flying > 0 {
		for ; flying < mostWriting && next < total && failed == nil; next++ {
			flying++
			f := workflow.ExecuteActivity(long(g.ctx), schema.StepWrite, schema.WriteInput{RunRef: g.in.RunRef, File: next})
			sel.AddFuture(f, func(f workflow.Future) {
				flying--
				if err := f.Get(g.ctx, nil); err != nil {
					failed = err
					return
				}
				g.Status.Files.Done++
			})
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
	if err := workflow.ExecuteActivity(long(g.ctx), schema.StepPublish, in).Get(g.ctx, &got); err != nil {
		return err
	}
	g.Status.State, g.Status.Version = schema.StatePublished, got.Version
	g.save(true)
	g.tidy()
	return nil
}

// tidy deletes journals, whose answers stand in the pages' final objects. What stays behind costs space, not truth.
func (g *generation) tidy() {
	if err := workflow.ExecuteActivity(light(g.ctx), schema.StepTidy, g.in.RunRef).Get(g.ctx, nil); err != nil {
		workflow.GetLogger(g.ctx).Warn("journals could not be deleted", "run", g.in.Run)
	}
}
