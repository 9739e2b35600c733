package activities

import (
	"context"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// SubmitBatch brings a page to its next batch: the one that is under way, or a new one with what is unanswered and the lease covers.
// A page of which all is answered is closed. It may run any number of times, at once and after a crash: a batch is looked for by
// run, page and number before it is created, so none is bought twice.
// Errors: KindHold where the teacher must not be asked any more; KindRetry where the provider is away.
func (r *Rooms) SubmitBatch(ctx context.Context, in schema.BatchInput) (schema.BatchSubmitted, error) {
	b, counts, err := r.openBatch(ctx, in)
	if err != nil || counts != nil {
		return schema.BatchSubmitted{Counts: counts}, err
	}
	if err := r.mayAsk(b.run, b.recipe.Recipe, b.page.Teacher, in.AskInput); err != nil {
		return schema.BatchSubmitted{}, err
	}
	round, open := b.last()
	if !open {
		round++
		asks := b.asks(round, int64(len(b.page.requests)))
		switch {
		case len(asks) == 0:
			return b.close(ctx)
		case in.GiveUp:
			return b.giveUp(ctx, round, asks)
		}
		if asks = b.covered(asks); len(asks) == 0 {
			got := b.j.counts(b.page)
			got.Stopped = "budget"
			return schema.BatchSubmitted{Counts: &got}, nil
		}
		if err := b.reserve(ctx, round, asks); err != nil {
			return schema.BatchSubmitted{}, err
		}
	}
	return b.submit(ctx, round)
}

// covered are the first requests that what is left of the lease pays for at their worst.
func (b *batching) covered(asks []teacher.Ask) []teacher.Ask {
	spent, calls := b.j.spent()
	for i := range asks {
		spent += b.client.BatchWorstCase(asks[i : i+1])
		calls++
		if b.in.LeaseMicros >= 0 && spent > b.in.LeaseMicros || b.in.LeaseRequests >= 0 && calls > b.in.LeaseRequests {
			return asks[:i]
		}
	}
	return asks
}

// reserve writes down what a batch may cost, and which requests it has, before anybody creates it.
func (b *batching) reserve(ctx context.Context, round int, asks []teacher.Ask) error {
	cut, err := b.client.CutBatches(asks)
	if err != nil {
		return err
	}
	asks = cut[0] // the rest is the next batch's
	return b.putPart(ctx, round, 0, partHeader{Reserved: b.client.BatchWorstCase(asks), ReservedCalls: int64(len(asks))}, nil)
}

func (b *batching) submit(ctx context.Context, round int) (schema.BatchSubmitted, error) {
	asks := b.asks(round, b.j.last[round].ReservedCalls)
	state, err := b.client.SubmitBatch(ctx, b.key(round), asks)
	if err != nil {
		return schema.BatchSubmitted{}, err
	}
	b.rooms.Log.Info("a batch is at its provider", "run", b.in.Run, "page", b.in.Page.String(), "teacher", b.page.Teacher, "batch", state.ID, "number", round, "requests", len(asks))
	return schema.BatchSubmitted{ID: state.ID, Round: round, Requests: int64(len(asks))}, nil
}

// giveUp fails what the batches so far have left, so that the page can be decided.
func (b *batching) giveUp(ctx context.Context, round int, asks []teacher.Ask) (schema.BatchSubmitted, error) {
	failed := make([]schema.Response, len(asks))
	for i := range asks {
		failed[i] = schema.Response{RequestID: asks[i].RequestID, FailCode: teacher.CodeNotRun, FailDetail: "no batch has come to it"}
		if b.client.Teacher().Price != nil {
			failed[i].CostMicros = new(int64)
		}
	}
	if err := b.putPart(ctx, round, 0, partHeader{Closed: true}, failed); err != nil {
		return schema.BatchSubmitted{}, err
	}
	return b.close(ctx)
}

func (b *batching) close(ctx context.Context) (schema.BatchSubmitted, error) {
	counts, err := b.rooms.closePage(ctx, b.j, b.page)
	return schema.BatchSubmitted{Counts: &counts}, err
}
