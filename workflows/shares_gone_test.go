package workflows

import (
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
)

// What a process had that is known to have ended is free at once, its tokens after their minute; nobody else's is touched.
func TestWhatAnEndedProcessHadIsFree(t *testing.T) {
	limits := schema.Limits{TPM: 1000, Concurrency: 64}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var l Ledger
	ask := func(worker string, number int64, using int64) schema.Lease {
		now = now.Add(time.Second)
		return l.Lend(now, schema.LeaseAsk{Worker: worker, Ask: number, Using: using, Want: 500, Limits: limits, Largest: 10})
	}
	first, second := schema.LeaseWorker("one", "x"), schema.LeaseWorker("two", "y")
	whole := ask(first, 1, 0)
	if whole.Share.Concurrency != 64 {
		t.Fatalf("alone it has %+v", whole)
	}
	if got := ask(second, 1, 0); got.Number != 0 {
		t.Fatalf("two got %+v of what one has", got)
	}
	l.Lend(now, schema.LeaseAsk{Suspect: true, Limits: limits, Gone: []string{"on", "", "three"}})
	if got := ask(second, 2, 0); got.Number != 0 {
		t.Fatalf("two got %+v, while one lives", got)
	}
	l.Lend(now, schema.LeaseAsk{Suspect: true, Limits: limits, Gone: []string{"one"}})
	if got := ask(second, 3, 0); got.Number != 0 {
		t.Fatalf("two got %+v, whose tokens were used in this minute", got)
	}
	now = now.Add(tokenMinute)
	if got := ask(second, 4, 0); got.Share.Concurrency != 64 || got.Share.Tokens != 1000 {
		t.Errorf("after the minute two has %+v", got)
	}

	l, limits.TPM = Ledger{}, 0
	ask(first, 10, 0)
	l.Lend(now, schema.LeaseAsk{Suspect: true, Limits: limits, Gone: []string{"one"}})
	if got := ask(second, 10, 0); got.Share.Concurrency != 64 {
		t.Errorf("two has %+v of what nobody has any more", got)
	}
}
