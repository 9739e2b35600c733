package teacher

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/retort-data/retort/schema"
)

// Budget is what a process may still spend for a run: micro-dollars and requests that were leased to it. A call
// reserves its worst case before it is sent and settles what it cost; reserved and spent together never exceed
// what was leased, as long as no call costs more than its worst case.
type Budget struct {
	money, requests bool // which are bounded

	mu       sync.Mutex
	leased   int64 // micro-dollars
	spent    int64
	reserved int64
	calls    int64 // requests left
	inFlight int
	waiting  []*reservation // in turns
}

// reservation is one that waits.
type reservation struct {
	worst int64
	done  chan error // 1 deep
}

// NewBudget says which of money and requests are bounded. Nothing is leased yet.
func NewBudget(money, requests bool) *Budget {
	return &Budget{money: money, requests: requests}
}

// AddLease adds micro-dollars and requests; negative numbers take back, down to what is spent or reserved.
func (b *Budget) AddLease(micros, requests int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leased = max(saturate(b.leased, micros), b.spent+b.reserved)
	b.calls = max(0, saturate(b.calls, requests))
	b.serve()
}

// Left returns the micro-dollars and requests that are neither spent nor reserved.
func (b *Budget) Left() (micros, requests int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.leased - b.spent - b.reserved, b.calls
}

// Spent returns the micro-dollars that were settled.
func (b *Budget) Spent() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent
}

// Reserve sets worst aside and takes one request. It waits its turn as long as calls under way may give something
// back, and returns a KindBudget error once that can't help.
func (b *Budget) Reserve(ctx context.Context, worst int64) error {
	r := &reservation{worst: worst, done: make(chan error, 1)}
	b.mu.Lock()
	b.waiting = append(b.waiting, r)
	b.serve()
	b.mu.Unlock()
	select {
	case err := <-r.done:
		return err
	default:
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		b.giveUp(r)
		return ctx.Err()
	}
}

// serve answers those at the head of the line as far as it can. b.mu is held.
func (b *Budget) serve() {
	for len(b.waiting) > 0 {
		r := b.waiting[0]
		switch {
		case b.take(r.worst):
			r.done <- nil
		case b.inFlight == 0:
			r.done <- budgetReached()
		default:
			return
		}
		b.waiting[0] = nil
		b.waiting = b.waiting[1:]
	}
}

// giveUp takes a reservation out of the line, or gives back what it got meanwhile.
func (b *Budget) giveUp(r *reservation) {
	b.mu.Lock()
	for i, w := range b.waiting {
		if w == r {
			b.waiting = slices.Delete(b.waiting, i, i+1)
			b.serve()
			b.mu.Unlock()
			return
		}
	}
	b.mu.Unlock()
	if <-r.done == nil {
		b.Settle(r.worst, 0, false)
	}
}

func budgetReached() error {
	return &schema.Error{Kind: schema.KindBudget, Code: CodeBudgetReached, Op: "ask",
		Cause: errors.New("what is left of the budget doesn't pay for another call"),
		Hint:  "raise budget in the recipe, or lower sampling.max_tokens"}
}

func (b *Budget) take(worst int64) bool {
	if b.money && b.leased-b.spent-b.reserved < worst || b.requests && b.calls < 1 {
		return false
	}
	b.reserved += worst
	b.calls--
	b.inFlight++
	return true
}

// Settle ends a reservation of worst with what was charged. called says whether the request was used.
func (b *Budget) Settle(worst, charged int64, called bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserved -= worst
	b.spent = saturate(b.spent, charged)
	b.inFlight--
	if !called {
		b.calls++
	}
	b.serve()
}

func saturate(a, n int64) int64 {
	sum := a + n
	if n > 0 && sum < a {
		return 1<<63 - 1
	}
	return sum
}
