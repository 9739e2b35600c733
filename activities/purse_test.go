package activities

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

// Whatever is spent when: a part never reserves less than the one before while calls are in flight, never more than the lease, and
// never less than what is spent of it; the last part gives back all that wasn't spent.
func TestPurse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := schema.AskInput{LeaseMicros: rapid.Int64Range(-1, 5000).Draw(t, "micros"), LeaseRequests: rapid.Int64Range(-1, 500).Draw(t, "calls")}
		before := &journal{last: map[int]partHeader{1: {Reserved: rapid.Int64Range(0, 6000).Draw(t, "reserved"), ReservedCalls: rapid.Int64Range(0, 600).Draw(t, "reserved calls")}}}
		had, hadCalls := before.spent()
		p := newPurse(in, before, rapid.Int64Range(0, 40).Draw(t, "worst"), rapid.IntRange(1, 64).Draw(t, "concurrency"))
		if p.bounded() != (in.LeaseMicros >= 0 || in.LeaseRequests >= 0) || p.bounded() != (p.budget != nil) {
			t.Fatal("a lease bounds, and no lease doesn't")
		}
		left, leftCalls := max(0, in.LeaseMicros-had), max(0, in.LeaseRequests-hadCalls)
		var last partHeader
		for range rapid.IntRange(1, 20).Draw(t, "parts") {
			for range rapid.IntRange(0, 5).Draw(t, "answers") {
				cost := rapid.Int64Range(0, 40).Draw(t, "cost")
				p.note(&schema.Response{CostMicros: &cost, Attempts: rapid.IntRange(0, 3).Draw(t, "attempts")})
			}
			more := p.more()
			h := p.header(false)
			if more != (p.bounded() && (h.Reserved > last.Reserved || h.ReservedCalls > last.ReservedCalls)) {
				t.Fatalf("more is %v; %+v after %+v", more, h, last)
			}
			if h.Reserved < last.Reserved || h.ReservedCalls < last.ReservedCalls || h.Spent < last.Spent || h.Calls < last.Calls {
				t.Fatalf("%+v after %+v", h, last)
			}
			if in.LeaseMicros >= 0 && (h.Reserved > left || h.Reserved < min(h.Spent, left)) || in.LeaseRequests >= 0 && (h.ReservedCalls > leftCalls || h.ReservedCalls < min(h.Calls, leftCalls)) {
				t.Fatalf("%+v of a lease of %d and %d", h, left, leftCalls)
			}
			p.durable(h)
			last = h
		}
		if end := p.header(true); end.Reserved != end.Spent || end.ReservedCalls != end.Calls || end.Spent != last.Spent {
			t.Fatalf("the last part is %+v", end)
		}
	})
}
