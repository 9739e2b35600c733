package activities

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/teacher"
)

// Ask sends a page's requests to its teacher, many at once, and journals the answers as they come. A retry lists the journal and asks
// only for what is missing. The page's final answers are put if absent; who comes second returns the winner's counts.
// Errors: KindHold where the teacher must not be asked any more; else what the store says.
func (r *Rooms) Ask(ctx context.Context, in schema.AskInput) (schema.PageCounts, error) {
	run := r.run(in.RunRef)
	if head, _, err := r.readAnswers(ctx, run, in.Page); err == nil {
		return head.Counts, nil
	} else if !errors.Is(err, store.ErrNotFound) {
		return schema.PageCounts{}, err
	}
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return schema.PageCounts{}, err
	}
	p, err := r.readPage(ctx, run, in.Page)
	if err != nil {
		return schema.PageCounts{}, err
	}
	j, err := r.openJournal(ctx, run, in.Page)
	if err != nil {
		return schema.PageCounts{}, err
	}
	if in.Close {
		return r.closePage(ctx, j, p)
	}
	a, err := r.newAsking(ctx, in, run, recipe, p, j)
	if err != nil {
		return schema.PageCounts{}, err
	}
	return a.do(ctx)
}

// asking is one attempt at a page.
type asking struct {
	rooms  *Rooms
	in     schema.AskInput
	run    store.Run
	page   *page
	j      *journal
	purse  *purse
	client *teacher.Client
	lane   *lane
	recipe *Recipe
	scribe *scribe

	execution string // of the workflow: a block lasts as long

	mu      sync.Mutex
	stopped error // why no more is asked: teacher-wide or budget
}

func (r *Rooms) newAsking(ctx context.Context, in schema.AskInput, run store.Run, recipe *Recipe, p *page, j *journal) (*asking, error) {
	if err := r.mayAsk(run, recipe.Recipe, p.Teacher, in); err != nil {
		return nil, err
	}
	execution := activity.GetInfo(ctx).WorkflowExecution.RunID
	client, lane, err := r.Teachers.OfRun(p.Teacher, execution)
	if err != nil {
		return nil, err
	}
	a := &asking{rooms: r, in: in, run: run, page: p, j: j, client: client, lane: lane, recipe: recipe, execution: execution}
	a.purse = newPurse(in, j, worstOf(client.Teacher(), p, recipe.shape), lane.concurrency)
	return a, nil
}

// worstOf is the dearest request of a page in micro-dollars; 0 where the price is unknown.
func worstOf(t schema.Teacher, p *page, shape *teacher.Schema) (worst int64) {
	for i := range p.requests {
		worst = max(worst, teacher.WorstCase(t.Price, teacher.InputBound(p.requests[i].Messages, shape), mostTokens(p.Sampling)))
	}
	return worst
}

func mostTokens(s schema.Sampling) int64 {
	if s.MaxTokens == nil {
		return teacher.DefaultMaxTokens
	}
	return int64(*s.MaxTokens)
}

func (a *asking) do(ctx context.Context) (schema.PageCounts, error) {
	todo := a.missing()
	beat := beatOf(ctx)
	beat.start(len(a.page.requests), len(a.page.requests)-len(todo))
	sending, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a.scribe = newScribe(ctx, a.j, a.purse, stop, beat.answered)
	a.scribe.lend(sending)
	stopWatching := a.watchWaits(sending)
	a.sendAll(sending, stop, todo)
	stopWatching()
	if err := a.scribe.close(); err != nil {
		return schema.PageCounts{}, err
	}
	if err := context.Cause(ctx); err != nil {
		return schema.PageCounts{}, err
	}
	switch {
	case a.stopped != nil:
		return a.stoppedCounts()
	case len(a.missing()) > 0:
		return schema.PageCounts{}, errWorkerStops
	}
	return a.rooms.closePage(ctx, a.j, a.page)
}

// missing are the requests that the journal has no answer to, in order.
func (a *asking) missing() (todo []*schema.Request) {
	for i := range a.page.requests {
		if _, ok := a.j.answers[a.page.requests[i].RequestID]; !ok {
			todo = append(todo, &a.page.requests[i])
		}
	}
	return todo
}

// sendAll sends what the journal lacks, in order; pages of one run take turns, so that the oldest is done first.
func (a *asking) sendAll(ctx context.Context, stop context.CancelCauseFunc, todo []*schema.Request) {
	var flying sync.WaitGroup
	defer flying.Wait()
	if len(todo) == 0 {
		return
	}
	unsent := len(todo)
	a.lane.enter(unsent, a.dearest(todo), activity.GetInfo(ctx).Attempt > 1)
	defer func() { a.lane.leave(unsent) }()
	if !a.lane.takeTurn(ctx, a.in.Run) {
		return
	}
	defer a.lane.giveTurn(a.in.Run)
	for _, req := range todo {
		select {
		case <-ctx.Done():
			return
		case <-activity.GetWorkerStopChannel(ctx):
			return
		case a.lane.slots <- struct{}{}:
		}
		unsent--
		flying.Add(1)
		go func() {
			defer flying.Done()
			defer a.lane.leave(1)
			defer func() { <-a.lane.slots }()
			defer a.caught(stop)
			a.send(ctx, stop, req)
		}()
	}
}

// dearest is the most tokens that one of the requests may take.
func (a *asking) dearest(todo []*schema.Request) (tokens int64) {
	for _, req := range todo {
		tokens = max(tokens, teacher.InputBound(req.Messages, a.recipe.shape)+mostTokens(a.page.Sampling))
	}
	return tokens
}

// caught turns a panic while a request is sent into an error of the page: else it would end the worker, and with it, tried again, the
// next one. The client may have kept a place of its limit, so the next page gets a new one.
func (a *asking) caught(stop context.CancelCauseFunc) {
	p := recover()
	if p == nil {
		return
	}
	a.rooms.Log.Error("sending a request panicked; this is a bug", "page", a.j.page.String(), "run", a.in.Run, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	a.rooms.Teachers.forget(a.page.Teacher)
	a.stopFor(&schema.Error{Kind: schema.KindFailed, Code: "panic", Op: "ask", Subject: a.page.Teacher, Cause: errors.New("a bug in Retort"), Hint: "The worker's log has the place."}, stop)
}

// send asks one request and hands its answer to the scribe.
func (a *asking) send(ctx context.Context, stop context.CancelCauseFunc, req *schema.Request) {
	seed := schema.SamplingSeed(a.in.Run, req.RequestID)
	ask := teacher.Ask{RequestID: req.RequestID, Messages: req.Messages, Sampling: a.page.Sampling, Seed: &seed, Schema: a.recipe.shape,
		Repair: a.recipe.Response.Repair, Reasoning: a.recipe.Response.Reasoning, Flow: a.in.Run, Budget: a.purse.budget}
	for {
		began := time.Now()
		answer, err := a.client.Ask(ctx, ask)
		countAsk(a.page.Teacher, &answer, err, time.Since(began))
		a.purse.note(&answer) // what was paid counts, answered or not
		if err == nil {
			a.recipe.finish(&answer)
			a.scribe.in <- answer
			return
		}
		if schema.KindOf(err) == schema.KindBudget && a.scribe.lend(ctx) {
			continue
		}
		if ctx.Err() == nil {
			a.stopFor(err, stop)
		}
		return
	}
}

// stopFor notes the first reason why no more is asked.
func (a *asking) stopFor(err error, stop context.CancelCauseFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped == nil {
		var e *schema.Error
		if errors.As(err, &e) && (e.Code == teacher.CodeBlocked || e.Code == teacher.CodeUnavailable) {
			a.lane.block(a.execution)
		}
		a.stopped = err
		stop(err)
	}
}

// stoppedCounts is what the page has come to when the teacher or the budget said no more. Its answers stay in the journal.
func (a *asking) stoppedCounts() (schema.PageCounts, error) {
	if schema.KindOf(a.stopped) != schema.KindBudget {
		return schema.PageCounts{}, a.stopped
	}
	counts := a.j.counts(a.page)
	counts.Stopped = "budget"
	return counts, nil
}

// closePage takes the answers of all attempts together, in the order of the page, and puts them once.
func (r *Rooms) closePage(ctx context.Context, j *journal, p *page) (schema.PageCounts, error) {
	if err := j.refresh(ctx); err != nil { // other attempts may have answered meanwhile; their part comes first
		return schema.PageCounts{}, err
	}
	counts := j.counts(p)
	var err error
	if counts.Served, err = r.noteServed(ctx, j, p); err != nil {
		return counts, err
	}
	l := newLines()
	done := answeredPage{page: p, head: answersHeader{j.page, counts}, answers: make([]schema.Response, 0, len(p.requests))}
	if err := l.add(done.head); err != nil {
		return counts, err
	}
	for i := range p.requests {
		if a, ok := j.answers[p.requests[i].RequestID]; ok {
			done.answers = append(done.answers, a.Response)
			if err := l.add(&a.Response); err != nil {
				return counts, err
			}
		}
	}
	own := true
	err = r.putOnce(ctx, j.run.Answers(j.page), l.packed(), func() error {
		own = false
		head, _, err := r.readAnswers(ctx, j.run, j.page)
		counts = head.Counts
		return err
	})
	if err == nil && own {
		r.handAnswers(j.run, j.page, done)
	}
	return counts, err
}
