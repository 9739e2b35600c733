package workflows

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

const (
	// mostAsking bounds the pages in Ask over all teachers, and perTeacher those of one: some are asked, the others are at
	// hand, so that a teacher never waits for a page.
	mostAsking = 8
	perTeacher = 2
	// mostBehind bounds the pages that were asked and aren't decided yet: the slower side sets the pace.
	mostBehind = 8
	// freshHistory is the length of history at which a run starts a new one; the server suggests it at 4,096 events.
	freshHistory = 3000
)

// asking is a page in Ask, with what stops it.
type asking struct {
	page schema.PageRef
	stop workflow.CancelFunc
}

// window is what is in flight.
type window struct {
	asking     []asking // in the order in which they were started
	perT       map[int]int
	inspecting int
	ready      []schema.PageRef // inspected, in the order in which the history has it
	admitting  bool
	undecided  int64    // requests of pages that were asked and aren't decided yet, about
	stop       *verdict // start nothing more; end so once all is drained
	rowsDone   bool
	budget     bool
	closing    bool
	renew      bool
	fatal      error
	sel        workflow.Selector
}

func (w *window) init() {
	w.perT = map[int]int{}
}

func (w *window) idle() bool {
	return len(w.asking) == 0 && w.inspecting == 0 && len(w.ready) == 0 && !w.admitting
}

// askAll asks, inspects and decides pages until none is left, or until something ends the run.
func (g *generation) askAll() error {
	sel := workflow.NewSelector(g.ctx)
	g.window.sel = sel
	g.signals.paused = g.Paused
	g.signals.cancelled = g.Status.State == schema.StateCancelling
	g.signals.listen(sel)
	asked := g.Asked
	g.Asked = nil
	for _, page := range asked {
		g.inspect(sel, page)
	}
	g.resumeBatches(sel)
	for {
		g.steer()
		if g.window.fatal != nil && g.idle() {
			return g.window.fatal
		}
		for g.startPage(sel) {
		}
		g.startAdmit(sel)
		if g.idle() && g.nothingToStart() {
			return g.outcome()
		}
		g.save(g.heard)
		sel.Select(g.ctx)
	}
}

// outcome is what askAll ends with once all is drained.
func (g *generation) outcome() error {
	switch w := &g.window; {
	case w.fatal != nil:
		return w.fatal
	case w.stop != nil:
		return w.stop
	case w.renew:
		return errContinue
	}
	return nil
}

// steer turns signals, limits and the length of history into what the window does next.
func (g *generation) steer() {
	w := &g.window
	g.Paused = g.signals.paused
	if g.signals.cancelled && w.stop == nil {
		g.Status.State = schema.StateCancelling
		g.halt(&verdict{schema.StateCancelled, "cancelled", ""}, true)
	}
	if g.Status.State == schema.StateAsking && g.Paused {
		g.Status.State = schema.StatePaused
		g.save(true)
	} else if g.Status.State == schema.StatePaused && !g.Paused {
		g.Status.State = schema.StateAsking
		g.save(true)
	}
	info := workflow.GetInfo(g.ctx)
	if info.GetCurrentHistoryLength() > freshHistory || info.GetContinueAsNewSuggested() {
		w.renew = true
	}
	if p := g.Plan.Policy; p.Rows > 0 && g.Status.Counts.Admitted >= p.Rows && !w.rowsDone {
		w.rowsDone = true
		g.cancelAsking()
		w.closing = true
	}
}

// halt starts nothing more and stops what is being asked. With closing, what was answered of a page in flight is taken
// together and decided; without, the page's journal waits for a continuation.
func (g *generation) halt(v *verdict, closing bool) {
	w := &g.window
	if w.stop != nil {
		return
	}
	w.stop, w.closing = v, closing
	g.cancelAsking()
}

func (g *generation) cancelAsking() {
	for _, a := range g.window.asking {
		a.stop()
	}
	g.wakeBatches()
}

// fail ends the run with err once all is drained.
func (g *generation) fail(err error) {
	if g.window.fatal == nil {
		g.window.fatal = err
		g.cancelAsking()
	}
}

func (g *generation) blocked() bool {
	w := &g.window
	return w.fatal != nil || w.stop != nil || w.rowsDone || w.renew || w.budget || g.Paused
}

// nothingToStart says whether, with all drained, there is nothing more to do in this history.
func (g *generation) nothingToStart() bool {
	w := &g.window
	if w.closing && len(g.Redo) > 0 && w.fatal == nil {
		return false
	}
	if w.fatal != nil || w.stop != nil || w.rowsDone || w.budget {
		return true
	}
	if g.Paused {
		return w.renew
	}
	_, more := g.nextPage()
	return w.renew || !more
}

// startPage starts one page if the window has room for it.
func (g *generation) startPage(sel workflow.Selector) bool {
	w := &g.window
	if w.fatal != nil || len(w.asking) >= max(mostAsking, perTeacher*len(g.Plan.Teachers)) || w.inspecting+len(w.ready) >= mostBehind {
		return false
	}
	if w.closing {
		return g.closePage(sel)
	}
	if g.blocked() || g.enoughRows() {
		return false
	}
	page, ok := g.nextPage()
	if !ok {
		return false
	}
	if g.Plan.Teachers[page.Teacher].Batch {
		return g.startBatch(sel, page)
	}
	return g.ask(sel, page, false)
}

// closePage takes together what the journal of a page has that was stopped.
func (g *generation) closePage(sel workflow.Selector) bool {
	if len(g.Redo) == 0 {
		return false
	}
	page := g.Redo[0]
	g.Redo = g.Redo[1:]
	return g.ask(sel, page, true)
}

// nextPage takes what was left in part first, then the teacher with the fewest pages in flight.
func (g *generation) nextPage() (schema.PageRef, bool) {
	for _, p := range g.Redo {
		if g.Status.Teachers[p.Teacher].Stopped == "" && g.window.perT[p.Teacher] < g.share(p.Teacher) {
			return p, true
		}
	}
	best := -1
	for t, planned := range g.Plan.Teachers {
		if g.Next[t] < planned.Pages && g.window.perT[t] < g.share(t) && g.Status.Teachers[t].Stopped == "" &&
			(best < 0 || g.window.perT[t] < g.window.perT[best]) {
			best = t
		}
	}
	if best < 0 {
		return schema.PageRef{}, false
	}
	return schema.PageRef{Teacher: best, Number: g.Next[best]}, true
}

// share bounds a teacher's pages in flight.
func (g *generation) share(teacher int) int {
	if g.Plan.Teachers[teacher].Batch {
		return mostBatches
	}
	return max(perTeacher, mostAsking/max(1, len(g.Plan.Teachers)))
}

// enoughRows says whether what is in flight will, at the yield so far, reach the rows that the recipe wants.
func (g *generation) enoughRows() bool {
	want := g.Plan.Policy.Rows
	if want == 0 || g.window.idle() && len(g.Batches) == 0 {
		return false
	}
	c := g.Status.Counts
	decided := c.Admitted + c.RejectedTotal() + c.Failed
	yield := 1.0
	if decided > 0 {
		yield = max(0.05, float64(c.Admitted)/float64(decided))
	}
	flying := g.window.undecided
	for _, a := range g.window.asking {
		flying += g.pageRequests(a.page)
	}
	for _, b := range g.Batches {
		flying += g.pageRequests(b.Page)
	}
	return float64(c.Admitted)+yield*float64(flying) >= float64(want)
}

// pageRequests is the mean of a teacher's pages: the exact number stands on S3.
func (g *generation) pageRequests(p schema.PageRef) int64 {
	t := g.Plan.Teachers[p.Teacher]
	return t.Requests / int64(max(1, t.Pages))
}

// ask starts Ask for a page, and Inspect once it is answered; false where the budget leaves nothing for it and nothing to close.
func (g *generation) ask(sel workflow.Selector, page schema.PageRef, closeIt bool) bool {
	w := &g.window
	in := schema.AskInput{RunRef: g.in.RunRef, Page: page, Close: closeIt, LeaseMicros: -1, LeaseRequests: -1}
	if !closeIt {
		if !g.lease(&in) {
			return g.budgetReached()
		}
		g.take(page)
	}
	ctx, cancel := workflow.WithCancel(with(g.ctx, g.in.AskQueue, askMost))
	w.asking = append(w.asking, asking{page, cancel})
	w.perT[page.Teacher]++
	sel.AddFuture(workflow.ExecuteActivity(ctx, schema.StepAsk, in), func(f workflow.Future) {
		w.asking = slices.DeleteFunc(w.asking, func(a asking) bool { return a.page == page })
		w.perT[page.Teacher]--
		var got schema.PageCounts
		err := f.Get(g.ctx, &got)
		if err != nil && ctx.Err() != nil && stoppedBy(err) {
			err = ctx.Err()
		}
		g.asked(sel, page, got, err)
	})
	return true
}

// take moves the cursor past a page.
func (g *generation) take(page schema.PageRef) {
	for i, p := range g.Redo {
		if p == page {
			g.Redo = append(g.Redo[:i:i], g.Redo[i+1:]...)
			return
		}
	}
	g.Next[page.Teacher] = page.Number + 1
}

func (g *generation) asked(sel workflow.Selector, page schema.PageRef, got schema.PageCounts, err error) {
	kind, code := codeOf(err)
	if err == nil && got.Stopped == "" {
		g.unlease(page)
		g.countAsked(page, got)
		g.inspect(sel, page)
		return
	}
	g.Redo = append(g.Redo, page) // its journal has what was paid for
	switch {
	case err == nil:
		g.settle(page, got)
		g.stoppedPage(page, got.Stopped)
	case temporal.IsCanceledError(err):
	case kind == schema.KindHold:
		g.stoppedPage(page, code)
	default:
		g.fail(err)
	}
}

// stoppedPage notes why a page ended early. A teacher that blocks holds the run: nothing goes around it. A lease that is
// used up may be made larger from what other pages give back.
func (g *generation) stoppedPage(page schema.PageRef, code string) {
	if code == stoppedByBudget {
		return
	}
	t := &g.Status.Teachers[page.Teacher]
	t.Stopped = code
	g.halt(&verdict{schema.StateHeld, code, t.Name}, false)
}

// stoppedByBudget is Ask's word for a lease that is used up.
const stoppedByBudget = "budget"

func (g *generation) inspect(sel workflow.Selector, page schema.PageRef) {
	w := &g.window
	w.inspecting++
	w.undecided += g.pageRequests(page)
	in := schema.AskInput{RunRef: g.in.RunRef, Page: page}
	sel.AddFuture(workflow.ExecuteActivity(light(g.ctx), schema.StepInspect, in), func(f workflow.Future) {
		w.inspecting--
		if err := f.Get(g.ctx, nil); err != nil {
			g.Asked = append(g.Asked, page)
			g.fail(err)
			return
		}
		w.ready = append(w.ready, page)
	})
}

// startAdmit decides the next page that is ready. One at a time: what is decided depends on all before.
func (g *generation) startAdmit(sel workflow.Selector) {
	w := &g.window
	if w.admitting || len(w.ready) == 0 || w.fatal != nil {
		if w.fatal != nil {
			g.Asked, w.ready = append(g.Asked, w.ready...), nil
		}
		return
	}
	page := w.ready[0]
	w.ready = w.ready[1:]
	w.admitting = true
	in := schema.AdmitInput{RunRef: g.in.RunRef, Page: page, Seq: g.Seq, Root: g.Root, Gate: g.Gate, Released: g.State.Released, RowsLeft: -1}
	if rows := g.Plan.Policy.Rows; rows > 0 {
		in.RowsLeft = max(0, rows-g.Status.Counts.Admitted)
	}
	// long: a cold worker reads the index of all that the run is compared with first
	sel.AddFuture(workflow.ExecuteActivity(long(g.ctx), schema.StepAdmit, in), func(f workflow.Future) {
		w.admitting = false
		w.undecided -= g.pageRequests(page)
		var got schema.AdmitResult
		if err := f.Get(g.ctx, &got); err != nil {
			g.Asked = append(g.Asked, page)
			g.fail(err)
			return
		}
		g.admitted(page, got)
	})
}
