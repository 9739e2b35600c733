package activities

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// partHeader is the first line of a journal part. Reserved is what the attempt may have spent by the time the next part is put,
// Spent what it has spent on settled calls; the difference of a dead attempt's last part is charged in full.
type partHeader struct {
	Attempt       int    `json:"attempt"`
	By            string `json:"by"`                 // drawn by the attempt, to know its own parts by
	Reserved      int64  `json:"reserved,omitempty"` // micro-dollars
	Spent         int64  `json:"spent,omitempty"`
	ReservedCalls int64  `json:"reserved_calls,omitempty"`
	Calls         int64  `json:"calls,omitempty"`
	Batch         bool   `json:"batch,omitempty"`  // the attempt is a batch of the provider's: ReservedCalls are its requests
	Closed        bool   `json:"closed,omitempty"` // the batch was fetched, or given up
}

// journal is what is durable of a page that is being asked. Keys carry the attempt, so two attempts at once lose nothing: the first
// answer in order of keys counts, and every answer is paid for.
type journal struct {
	rooms   *Rooms
	run     store.Run
	page    schema.PageRef
	attempt int
	parts   int
	by      string

	answers map[string]journalled // request id → its first answer
	last    map[int]partHeader    // attempt → header of its last part
	seen    map[string]bool       // keys of parts that are in here
}

type journalled struct {
	schema.Response
	key string
}

// openJournal reads the parts of all attempts so far.
func (r *Rooms) openJournal(ctx context.Context, run store.Run, ref schema.PageRef) (*journal, error) {
	j := &journal{rooms: r, run: run, page: ref, attempt: 1, by: rand.Text(), answers: map[string]journalled{}, last: map[int]partHeader{}, seen: map[string]bool{}}
	err := j.refresh(ctx)
	for attempt := range j.last {
		j.attempt = max(j.attempt, attempt+1)
	}
	return j, err
}

// refresh reads the parts that other attempts have put meanwhile.
func (j *journal) refresh(ctx context.Context) error {
	for in, err := range j.rooms.Store.List(ctx, j.run.Journal(j.page), "") {
		if err != nil {
			return err
		}
		if j.seen[in.Key] {
			continue
		}
		if err := j.readPart(ctx, in.Key); err != nil {
			return err
		}
	}
	return nil
}

func (j *journal) readPart(ctx context.Context, key string) error {
	var head partHeader
	answers, err := readTable[schema.Response](ctx, j.rooms, key, &head)
	if err != nil {
		return err
	}
	j.take(key, head, answers)
	return nil
}

// take enters a part; the first answer in order of keys counts.
func (j *journal) take(key string, head partHeader, answers []schema.Response) {
	j.seen[key] = true
	j.last[head.Attempt] = head // parts of an attempt come in order
	for _, a := range answers {
		if had, ok := j.answers[a.RequestID]; !ok || key < had.key {
			j.answers[a.RequestID] = journalled{a, key}
		}
	}
}

// spent is what all attempts have spent, with what died in flight at its worst case.
func (j *journal) spent() (micros, calls int64) {
	for _, head := range j.last {
		micros += max(head.Reserved, head.Spent)
		calls += max(head.ReservedCalls, head.Calls)
	}
	return micros, calls
}

// put writes the next part. The first part of an attempt claims its number: where another attempt has it, the next is tried.
func (j *journal) put(ctx context.Context, head partHeader, answers []schema.Response) error {
	for {
		head.Attempt, head.By = j.attempt, j.by
		l := newLines()
		if err := l.add(head); err != nil {
			return err
		}
		for i := range answers {
			if err := l.add(&answers[i]); err != nil {
				return err
			}
		}
		key := j.run.Part(j.page, j.attempt, j.parts)
		err := j.rooms.Store.PutNew(ctx, key, l.packed())
		if errors.Is(err, store.ErrExists) {
			own, ownErr := j.wrote(ctx, key)
			if ownErr != nil {
				return ownErr
			}
			if !own { // another attempt has this number
				j.attempt, j.parts = j.attempt+1, 0
				continue
			}
		} else if err != nil {
			return err
		}
		j.parts++
		j.take(key, head, answers)
		return nil
	}
}

// wrote says whether a part is this attempt's own: the reply to its put was lost, and the put repeated.
func (j *journal) wrote(ctx context.Context, key string) (bool, error) {
	var head partHeader
	_, err := readTable[schema.Response](ctx, j.rooms, key, &head)
	return head.By == j.by, err
}

// counts sums what the journal has of a page.
func (j *journal) counts(p *page) schema.PageCounts {
	c := schema.PageCounts{Requests: int64(len(p.requests)), Failed: map[string]int64{}}
	c.CostMicros, c.Calls = j.spent()
	for i := range p.requests {
		if a, ok := j.answers[p.requests[i].RequestID]; ok {
			add(&c, &a.Response)
		} else {
			c.Unasked++
		}
	}
	return c
}

func add(c *schema.PageCounts, a *schema.Response) {
	if a.Failed() {
		c.Failed[a.FailCode]++
	} else {
		c.Answered++
	}
	if a.CostMicros == nil {
		c.CostUnknown++
	}
	if a.ReusedFrom != "" { // it costs no tokens and no time
		c.Reused++
		return
	}
	c.InputTokens += a.InputTokens
	c.OutputTokens += a.OutputTokens
	if c.FirstAt == 0 || a.AnsweredAt < c.FirstAt {
		c.FirstAt = a.AnsweredAt
	}
	c.LastAt = max(c.LastAt, a.AnsweredAt)
}
