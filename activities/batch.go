package activities

import (
	"context"
	"errors"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/teacher"
)

// A page of a teacher with `batch: true` is answered by batches of the provider's, one after the other: what one leaves
// unanswered is submitted in the next. Each is an attempt in the page's journal, numbered from 1. Its first part reserves its worst
// cost and says how many requests it has, before it is created: the first of those that no earlier attempt has answered. Its last
// part is Closed and says what it cost. So the journal alone tells where a page stands, whoever looks after whatever crash.

// batching is one look at a page that goes by batches.
type batching struct {
	rooms  *Rooms
	in     schema.BatchInput
	run    store.Run
	page   *page
	j      *journal
	client *teacher.Client
	recipe *Recipe
}

// openBatch reads where a page stands. Counts are set where it is done already.
func (r *Rooms) openBatch(ctx context.Context, in schema.BatchInput) (*batching, *schema.PageCounts, error) {
	b := &batching{rooms: r, in: in, run: r.run(in.RunRef)}
	head, _, err := r.readAnswers(ctx, b.run, in.Page)
	if err == nil {
		return nil, &head.Counts, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, nil, err
	}
	if b.recipe, err = r.recipe(ctx, b.run); err != nil {
		return nil, nil, err
	}
	if b.page, err = r.readPage(ctx, b.run, in.Page); err != nil {
		return nil, nil, err
	}
	if b.client, _, err = r.Teachers.Of(b.page.Teacher); err != nil {
		return nil, nil, err
	}
	b.j, err = r.openJournal(ctx, b.run, in.Page)
	return b, nil, err
}

// last returns the page's newest batch: its number, 0 where there was none, and whether it is still to be fetched.
func (b *batching) last() (round int, open bool) {
	for attempt, head := range b.j.last {
		if head.Batch && attempt > round {
			round, open = attempt, !head.Closed
		}
	}
	return round, open
}

// asks are the requests that no attempt before a round has answered, in the order of the page, at most so many.
func (b *batching) asks(round int, most int64) (out []teacher.Ask) {
	first := b.run.Part(b.in.Page, round, 0)
	for i := range b.page.requests {
		if int64(len(out)) == most {
			break
		}
		if a, ok := b.j.answers[b.page.requests[i].RequestID]; !ok || a.key >= first {
			out = append(out, b.ask(&b.page.requests[i]))
		}
	}
	return out
}

func (b *batching) ask(req *schema.Request) teacher.Ask {
	seed := schema.SamplingSeed(b.in.Run, req.RequestID)
	return teacher.Ask{RequestID: req.RequestID, Messages: req.Messages, Sampling: b.page.Sampling, Seed: &seed, Schema: b.recipe.shape,
		Reasoning: b.recipe.Response.Reasoning}
}

func (b *batching) key(round int) teacher.BatchKey {
	return teacher.BatchKey{Run: b.in.Run, Page: b.in.Page, Part: round}
}

// byBatch signs the parts of batches. Two workers at the same batch write the same, so neither needs to know its own.
const byBatch = "batch"

// putPart writes a part of a round; where it stands already, it was written by another attempt at the same batch.
func (b *batching) putPart(ctx context.Context, round, part int, head partHeader, answers []schema.Response) error {
	head.Attempt, head.By, head.Batch = round, byBatch, true
	l := newLines()
	if err := l.add(head); err != nil {
		return err
	}
	for i := range answers {
		if err := l.add(&answers[i]); err != nil {
			return err
		}
	}
	key := b.run.Part(b.in.Page, round, part)
	err := b.rooms.Store.PutNew(ctx, key, l.packed())
	if errors.Is(err, store.ErrExists) {
		return b.j.readPart(ctx, key)
	}
	if err == nil {
		b.j.take(key, head, answers)
	}
	return err
}
