package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// PollBatch asks how far a batch is. One that its provider doesn't know any more is done, and lost.
func (r *Rooms) PollBatch(ctx context.Context, in schema.BatchInput) (schema.BatchProgress, error) {
	client, err := r.teacherOf(ctx, in)
	if err != nil {
		return schema.BatchProgress{}, err
	}
	state, err := stateOf(ctx, client, in.ID)
	return progressOf(state), err
}

// CancelBatch cancels a batch that isn't done yet; what it has answered is paid for, and fetched once it is done.
func (r *Rooms) CancelBatch(ctx context.Context, in schema.BatchInput) (schema.BatchProgress, error) {
	client, err := r.teacherOf(ctx, in)
	if err != nil {
		return schema.BatchProgress{}, err
	}
	state, err := stateOf(ctx, client, in.ID) // a provider refuses to cancel what is done
	if err != nil || state.Phase == schema.BatchDone || state.Phase == schema.BatchFinalizing {
		return progressOf(state), err
	}
	state, err = client.CancelBatch(ctx, in.ID)
	return progressOf(state), err
}

func (r *Rooms) teacherOf(ctx context.Context, in schema.BatchInput) (*teacher.Client, error) {
	recipe, err := r.recipe(ctx, r.run(in.RunRef))
	if err != nil {
		return nil, err
	}
	client, _, err := r.Teachers.Of(recipe.Teachers[in.Page.Teacher].Name)
	return client, err
}

// stateOf asks for a batch; what isn't there is done and lost.
func stateOf(ctx context.Context, client *teacher.Client, id string) (teacher.BatchState, error) {
	state, err := client.PollBatch(ctx, id)
	var e *schema.Error
	if errors.As(err, &e) && e.Kind == schema.KindFailed && e.Code == teacher.CodeNotFound {
		return teacher.BatchState{ID: id, Phase: schema.BatchDone, Status: schema.BatchLost}, nil
	}
	return state, err
}

// progressOf keeps of a provider's words those that are known: a workflow's history holds no text of others.
func progressOf(s teacher.BatchState) schema.BatchProgress {
	got := schema.BatchProgress{Phase: s.Phase, Total: int64(s.Total), Completed: int64(s.Completed), Failed: int64(s.Failed)}
	switch s.Status {
	case "validating", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled", schema.BatchFailed, schema.BatchLost:
		got.Status = s.Status
	}
	return got
}

// mostPart is the number of answers in a part of a batch's journal.
const mostPart = 2000

// FetchBatch journals what a batch that is done has brought, joined with its requests by their ids alone, and closes it. It may run
// any number of times, and at once: a provider's file gives the same parts each time.
func (r *Rooms) FetchBatch(ctx context.Context, in schema.BatchInput) (schema.BatchFetched, error) {
	b, counts, err := r.openBatch(ctx, in)
	if err != nil {
		return schema.BatchFetched{}, err
	}
	if counts != nil { // another attempt was here, and the page is done
		return schema.BatchFetched{Status: "completed", Answered: counts.Requests}, nil
	}
	round := in.Round
	if head := b.j.last[round]; !head.Batch {
		return schema.BatchFetched{}, broken(b.run.Journal(in.Page), errors.New("the batch isn't written down"))
	}
	state, err := stateOf(ctx, b.client, in.ID)
	if err != nil {
		return schema.BatchFetched{}, err
	}
	if state.Phase != schema.BatchDone {
		return schema.BatchFetched{}, &schema.Error{Kind: schema.KindRetry, Code: "batch_open", Op: "fetch batch", Subject: in.ID, Cause: fmt.Errorf("it is %s", state.Phase)}
	}
	f := &fetching{batching: b, round: round, head: partHeader{Reserved: b.j.last[round].Reserved, ReservedCalls: b.j.last[round].ReservedCalls}}
	if b.j.last[round].Closed { // by an attempt that nobody heard of
		f.head.ReservedCalls = b.j.last[round].Calls
	}
	return f.fetch(ctx, state)
}

// fetching writes a batch's answers to the journal.
type fetching struct {
	*batching
	round   int
	parts   int
	head    partHeader
	waiting []schema.Response
}

func (f *fetching) fetch(ctx context.Context, state teacher.BatchState) (schema.BatchFetched, error) {
	asks := f.asks(f.round, f.head.ReservedCalls)
	result, err := f.client.FetchBatch(ctx, state, asks, func(a schema.Response) error {
		if a.CostMicros != nil {
			f.head.Spent += *a.CostMicros
		}
		f.recipe.finish(&a)
		if f.waiting = append(f.waiting, a); len(f.waiting) < mostPart {
			return nil
		}
		return f.put(ctx, f.head)
	})
	if err != nil {
		return schema.BatchFetched{}, err
	}
	last := f.head
	last.Closed, last.Calls = true, last.ReservedCalls
	if state.Status != schema.BatchLost { // else nobody knows what it cost
		last.Reserved = last.Spent
	}
	if err := f.put(ctx, last); err != nil {
		return schema.BatchFetched{}, err
	}
	got := schema.BatchFetched{Status: progressOf(state).Status, Answered: int64(result.Answered + result.Failed), Missing: int64(len(result.Missing))}
	f.report(ctx, state, result)
	return got, nil
}

func (f *fetching) put(ctx context.Context, head partHeader) error {
	f.parts++
	answers := f.waiting
	f.waiting = nil
	beatOf(ctx).answered(answers)
	return f.putPart(ctx, f.round, f.parts, head, answers)
}

// report logs what a batch came to, and keeps the provider's words where it failed as a whole.
func (f *fetching) report(ctx context.Context, state teacher.BatchState, result teacher.BatchResult) {
	log := f.rooms.Log.Info
	if len(result.Missing) > 0 || result.Unknown > 0 || result.Broken > 0 {
		log = f.rooms.Log.Warn
	}
	why := state.Why
	if why == "" && len(result.Missing) > 0 {
		why = result.Missing[0].Code + " " + result.Missing[0].Detail
	}
	log("a batch is done", "run", f.in.Run, "page", f.in.Page.String(), "batch", state.ID, "status", state.Status, "answered", result.Answered, "failed", result.Failed,
		"missing", len(result.Missing), "doubled", result.Doubled, "unknown", result.Unknown, "broken", result.Broken, "why", why)
	if state.Status != schema.BatchFailed {
		return
	}
	body, err := json.MarshalIndent(Problem{Step: schema.StepFetch, Code: schema.CodeBatchFailed, Message: "the provider failed batch " + state.ID + " as a whole: " + why, At: time.Now().UTC()}, "", " ")
	if err = errors.Join(err, f.rooms.Store.Put(ctx, f.run.Problem(schema.CodeBatchFailed), body)); err != nil {
		f.rooms.Log.Warn("a batch's error could not be kept", "error", err)
	}
}
