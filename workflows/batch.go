package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

const (
	// mostBatches bounds the batches of one teacher that are at its provider at once.
	mostBatches = 8
	// A batch is polled after pollFirst, and each time half as long again later, up to pollMost: days of waiting are some hundred polls.
	pollFirst = time.Second
	pollMost  = 10 * time.Minute
	// mostTries bounds how often what batches left unanswered is submitted again before it fails.
	mostTries = 5
	// mostRefused bounds the batches in a row that the provider fails as a whole, before a person must look.
	mostRefused = 3
	// cancelMost bounds the wait for a cancelled batch; what it has answered by then is charged at its worst.
	cancelMost = 30 * time.Minute
)

// Batch is a page that is at its provider. It is carried over continue-as-new; a run that holds takes its batches back first.
type Batch struct {
	Page      schema.PageRef       `json:"page"`
	ID        string               `json:"id,omitempty"`
	Round     int                  `json:"round,omitempty"`
	Requests  int64                `json:"requests,omitempty"`
	Progress  schema.BatchProgress `json:"progress"`
	Polls     int                  `json:"polls,omitempty"`
	Tries     int                  `json:"tries,omitempty"`   // batches of this page that left something unanswered
	Refused   int                  `json:"refused,omitempty"` // in a row that failed as a whole
	Cancelled int64                `json:"cancelled,omitempty"`

	busy bool                // a step is under way
	wake workflow.CancelFunc // ends the wait for the next step
}

// ending says whether batches are to be taken back.
func (g *generation) ending() bool {
	w := &g.window
	return w.fatal != nil || w.stop != nil || w.rowsDone
}

// batchesSettled says whether no batch keeps this history open: in the next one they are waited for again.
func (g *generation) batchesSettled() bool {
	if g.window.renew && !g.ending() {
		return !slices.ContainsFunc(g.Batches, func(b *Batch) bool { return b.busy })
	}
	return len(g.Batches) == 0
}

// idle says whether nothing is in flight.
func (g *generation) idle() bool { return g.window.idle() && g.batchesSettled() }

// resumeBatches goes on with the batches of the history before.
func (g *generation) resumeBatches(sel workflow.Selector) {
	for _, b := range g.Batches {
		g.window.perT[b.Page.Teacher]++
		if b.ID == "" {
			g.submit(sel, b)
		} else {
			g.await(sel, b)
		}
	}
}

// startBatch sends a page to its provider; false as ask's.
func (g *generation) startBatch(sel workflow.Selector, page schema.PageRef) bool {
	in := schema.AskInput{RunRef: g.in.RunRef, Page: page}
	if !g.lease(&in) {
		return g.budgetReached()
	}
	g.take(page)
	b := &Batch{Page: page}
	g.Batches = append(g.Batches, b)
	g.window.perT[page.Teacher]++
	g.submit(sel, b)
	return true
}

func (g *generation) batchInput(b *Batch) schema.BatchInput {
	in := schema.BatchInput{AskInput: schema.AskInput{RunRef: g.in.RunRef, Page: b.Page, LeaseMicros: -1, LeaseRequests: -1}, ID: b.ID, Round: b.Round}
	if l := g.leaseOf(b.Page); l != nil {
		if g.Plan.Policy.BudgetMicros >= 0 {
			in.LeaseMicros = l.Micros
		}
		if g.Plan.Policy.BudgetRequests >= 0 {
			in.LeaseRequests = l.Calls
		}
	}
	return in
}

// step runs an activity for a batch and hands its result on; where it fails, the page is given back, and its journal knows the rest.
func step[T any](g *generation, sel workflow.Selector, b *Batch, name string, in schema.BatchInput, then func(T)) {
	b.busy = true
	ctx := with(g.ctx, g.in.AskQueue, askMost)
	if b.Cancelled > 0 { // a provider that is away doesn't keep a run from its end
		ctx = workflow.WithScheduleToCloseTimeout(ctx, cancelMost)
	}
	sel.AddFuture(workflow.ExecuteActivity(ctx, name, in), func(f workflow.Future) {
		b.busy = false
		var got T
		switch err := f.Get(g.ctx, &got); {
		case err != nil && b.Cancelled > 0:
			workflow.GetLogger(g.ctx).Warn("a batch could not be taken back; it is charged at its worst", "run", g.in.Run, "batch", b.ID, "error", err)
			g.giveBack(b)
			return
		case err != nil:
			g.drop(b)
			g.asked(sel, b.Page, schema.PageCounts{}, err)
			return
		}
		then(got)
		g.countBatches(b.Page.Teacher)
	})
}

// submit brings the page to its next batch.
func (g *generation) submit(sel workflow.Selector, b *Batch) {
	in := g.batchInput(b)
	in.ID, in.GiveUp = "", b.Tries >= mostTries
	step(g, sel, b, schema.StepSubmit, in, func(got schema.BatchSubmitted) {
		if got.Counts != nil {
			g.drop(b)
			g.asked(sel, b.Page, *got.Counts, nil)
			return
		}
		if got.Round != b.Round {
			g.batchesOf(b.Page.Teacher).Submitted++
		}
		b.ID, b.Round, b.Requests, b.Polls = got.ID, got.Round, got.Requests, 0
		b.Progress = schema.BatchProgress{Phase: schema.BatchQueued, Total: got.Requests}
		g.await(sel, b)
	})
}

// await polls a batch after a while, or takes it back where the run ends.
func (g *generation) await(sel workflow.Selector, b *Batch) {
	if g.ending() && b.Cancelled == 0 {
		g.takeBack(sel, b)
		return
	}
	g.after(sel, b, pollEvery(b.Polls), func() {
		b.Polls++
		step(g, sel, b, schema.StepPoll, g.batchInput(b), func(got schema.BatchProgress) { g.polled(sel, b, got) })
	})
}

// after does something for a batch once d has passed, unless the history is renewed by then. A run that ends wakes it.
func (g *generation) after(sel workflow.Selector, b *Batch, d time.Duration, do func()) {
	ctx, cancel := workflow.WithCancel(g.ctx)
	b.wake = cancel
	sel.AddFuture(workflow.NewTimer(ctx, d), func(workflow.Future) {
		b.wake = nil
		switch {
		case g.ending() && b.Cancelled == 0:
			g.takeBack(sel, b)
		case !g.window.renew || g.ending():
			do()
		}
	})
}

// pollEvery is how long a batch is left alone after its n-th poll.
func pollEvery(n int) time.Duration {
	d := pollFirst
	for range n {
		if d += d / 2; d >= pollMost {
			return pollMost
		}
	}
	return d
}

func (g *generation) polled(sel workflow.Selector, b *Batch, got schema.BatchProgress) {
	b.Progress = got
	switch {
	case got.Phase == schema.BatchDone:
		step(g, sel, b, schema.StepFetch, g.batchInput(b), func(got schema.BatchFetched) { g.fetched(sel, b, got) })
	case b.Cancelled > 0 && workflow.Now(g.ctx).Unix()-b.Cancelled > int64(cancelMost.Seconds()):
		workflow.GetLogger(g.ctx).Warn("a cancelled batch doesn't end; it is charged at its worst", "run", g.in.Run, "batch", b.ID)
		g.giveBack(b)
	default:
		g.await(sel, b)
	}
}

// fetched goes on with what a batch has left, after a while where it brought nothing.
func (g *generation) fetched(sel workflow.Selector, b *Batch, got schema.BatchFetched) {
	b.ID = ""
	if g.ending() {
		g.giveBack(b)
		return
	}
	switch {
	case got.Missing == 0:
		b.Tries, b.Refused = 0, 0
	case got.Status == schema.BatchFailed && got.Answered == 0:
		b.Refused++
	default:
		b.Tries, b.Refused = b.Tries+1, 0
	}
	if b.Refused >= mostRefused {
		g.giveBack(b)
		g.stoppedPage(b.Page, schema.CodeBatchFailed)
		return
	}
	if got.Answered > 0 || got.Missing == 0 {
		g.submit(sel, b)
		return
	}
	g.after(sel, b, time.Minute<<(b.Refused+b.Tries), func() { g.submit(sel, b) })
}

// takeBack cancels a batch at its provider; what it has answered until then is fetched.
func (g *generation) takeBack(sel workflow.Selector, b *Batch) {
	b.Cancelled = max(1, workflow.Now(g.ctx).Unix())
	if b.ID == "" {
		g.giveBack(b)
		return
	}
	step(g, sel, b, schema.StepCancel, g.batchInput(b), func(got schema.BatchProgress) {
		b.Polls = 0
		g.polled(sel, b, got)
	})
}

// wakeBatches lets every batch that waits see that the run ends.
func (g *generation) wakeBatches() {
	for _, b := range slices.Clone(g.Batches) {
		switch {
		case b.wake != nil:
			b.wake()
		case !b.busy && b.Cancelled == 0 && g.window.sel != nil: // its wait ended while the history was to be renewed
			g.takeBack(g.window.sel, b)
		}
	}
}

// drop forgets a batch: its page is done, or its journal knows where it stands.
func (g *generation) drop(b *Batch) {
	g.Batches = slices.DeleteFunc(g.Batches, func(x *Batch) bool { return x == b })
	g.window.perT[b.Page.Teacher]--
	g.countBatches(b.Page.Teacher)
}

// giveBack leaves a page to whoever closes it or goes on with it.
func (g *generation) giveBack(b *Batch) {
	g.drop(b)
	g.Redo = append(g.Redo, b.Page)
}

func (g *generation) batchesOf(teacher int) *schema.BatchStatus {
	t := &g.Status.Teachers[teacher]
	if t.Batches == nil {
		t.Batches = &schema.BatchStatus{}
	}
	return t.Batches
}

// countBatches sums a teacher's batches up for those who watch.
func (g *generation) countBatches(teacher int) {
	s := g.batchesOf(teacher)
	*s = schema.BatchStatus{Submitted: s.Submitted}
	for _, b := range g.Batches {
		if b.Page.Teacher != teacher || b.ID == "" {
			continue
		}
		switch b.Progress.Phase {
		case schema.BatchQueued:
			s.Queued++
		case schema.BatchRunning:
			s.Running++
		default:
			s.Finalizing++
		}
		s.Requests += max(b.Requests, b.Progress.Total)
		s.Completed += b.Progress.Completed
		s.Failed += b.Progress.Failed
	}
}
