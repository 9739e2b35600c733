package activities

import (
	"sync"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// purse holds a page's lease of the budget. What an attempt may spend until its next journal part is reserved in the part
// before: after a crash the reserve of the last part is charged in full, so the cap holds whatever was in flight.
type purse struct {
	budget *teacher.Budget // nil: unbounded
	micros int64           // leased to this attempt: the page's lease without what earlier attempts spent; -1 no bound
	calls  int64
	chunk  int64 // micro-dollars reserved beyond what is spent
	ahead  int64 // calls reserved beyond those made

	mu    sync.Mutex
	last  partHeader // durable
	spent int64      // settled, in micro-dollars
	made  int64      // calls
}

// newPurse opens the purse of an attempt. worst is the dearest request of the page, in micro-dollars.
func newPurse(in schema.AskInput, j *journal, worst int64, concurrency int) *purse {
	p := &purse{micros: -1, calls: -1, ahead: int64(2*concurrency + journalMost)}
	p.chunk = p.ahead * worst
	micros, calls := j.spent()
	if in.LeaseMicros >= 0 {
		p.micros = max(0, in.LeaseMicros-micros)
	}
	if in.LeaseRequests >= 0 {
		p.calls = max(0, in.LeaseRequests-calls)
	}
	if p.bounded() {
		p.budget = teacher.NewBudget(p.micros >= 0, p.calls >= 0)
	}
	return p
}

func (p *purse) bounded() bool { return p.micros >= 0 || p.calls >= 0 }

// note adds what a settled request cost.
func (p *purse) note(a *schema.Response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made += int64(a.Attempts)
	if a.CostMicros != nil {
		p.spent += *a.CostMicros
	}
}

// header says what the next part reserves: never less than the part before, as calls are in flight on it, until the last
// part gives back what wasn't spent.
func (p *purse) header(last bool) partHeader {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := partHeader{Spent: p.spent, Calls: p.made}
	if last {
		h.Reserved, h.ReservedCalls = h.Spent, h.Calls
		return h
	}
	if p.micros >= 0 {
		h.Reserved = max(p.last.Reserved, min(p.micros, p.spent+p.chunk))
	}
	if p.calls >= 0 {
		h.ReservedCalls = max(p.last.ReservedCalls, min(p.calls, p.made+p.ahead))
	}
	return h
}

// durable lends what a part that was put has reserved.
func (p *purse) durable(h partHeader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.budget != nil {
		p.budget.AddLease(max(0, h.Reserved-p.last.Reserved), max(0, h.ReservedCalls-p.last.ReservedCalls))
	}
	p.last = h
}

// more says whether the lease has money that isn't reserved yet.
func (p *purse) more() bool {
	h := p.header(false)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bounded() && (h.Reserved > p.last.Reserved || h.ReservedCalls > p.last.ReservedCalls)
}
