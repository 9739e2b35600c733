package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/retort-data/retort/schema"
)

// fakeBatch is a batch at the world's provider.
type fakeBatch struct {
	page             schema.PageRef
	round, requests  int
	polls, needs     int
	answers          int
	status           string
	cancels, fetches int
}

// submitBatch does what SubmitBatch promises: the page's open batch, a new one that the lease covers, or a page that is done.
func (w *world) submitBatch(_ context.Context, in schema.BatchInput) (schema.BatchSubmitted, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leases[in.Page] = in.AskInput
	w.checkLeases()
	if w.batches == nil {
		w.batches = map[string]*fakeBatch{}
	}
	round := 0
	for _, b := range w.batches {
		if b.page != in.Page {
			continue
		}
		if round = max(round, b.round); b.fetches == 0 {
			return schema.BatchSubmitted{ID: b.id(), Round: b.round, Requests: int64(b.requests)}, nil
		}
	}
	left := pageOf - w.journals[in.Page]
	if left == 0 || in.GiveUp {
		if in.GiveUp {
			w.gaveUp += left
		}
		got := w.counts(in.Page)
		w.finals[in.Page] = got
		w.settle(in.Page, got)
		return schema.BatchSubmitted{Counts: &got}, nil
	}
	worst := w.plan.Teachers[in.Page.Teacher].WorstMicros
	n := 0
	for n < left && (in.LeaseMicros < 0 || int64(w.journals[in.Page]+n+1)*worst <= in.LeaseMicros) &&
		(in.LeaseRequests < 0 || int64(w.journals[in.Page]+n+1) <= in.LeaseRequests) {
		n++
	}
	if n == 0 {
		got := w.counts(in.Page)
		got.Stopped = "budget"
		w.settle(in.Page, got)
		return schema.BatchSubmitted{Counts: &got}, nil
	}
	b := &fakeBatch{page: in.Page, round: round + 1, requests: n, answers: n, status: "completed", needs: 1}
	if w.batch != nil {
		b.answers, b.status, b.needs = w.batch(in.Page, b.round, n)
	}
	w.batches[b.id()] = b
	w.flying++
	w.mostFly = max(w.mostFly, w.flying)
	return schema.BatchSubmitted{ID: b.id(), Round: b.round, Requests: int64(n)}, nil
}

func (b *fakeBatch) id() string { return fmt.Sprintf("batch-%s-%d", b.page, b.round) }

func (w *world) pollBatch(_ context.Context, in schema.BatchInput) (schema.BatchProgress, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.batches[in.ID]
	b.polls++
	if b.polls >= b.needs {
		return schema.BatchProgress{Phase: schema.BatchDone, Status: b.status}, nil
	}
	return schema.BatchProgress{Phase: schema.BatchRunning, Status: "in_progress", Total: int64(b.requests)}, nil
}

func (w *world) cancelBatch(ctx context.Context, in schema.BatchInput) (schema.BatchProgress, error) {
	w.mu.Lock()
	b := w.batches[in.ID]
	b.cancels++
	if b.polls < b.needs {
		b.answers, b.status, b.needs = b.answers/2, "cancelled", b.polls+2
	}
	w.mu.Unlock()
	return schema.BatchProgress{Phase: schema.BatchFinalizing, Status: "cancelling"}, nil
}

func (w *world) fetchBatch(_ context.Context, in schema.BatchInput) (schema.BatchFetched, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.batches[in.ID]
	if b.fetches++; b.fetches > 1 || b.round != in.Round {
		w.fault("%s is fetched %d times, as round %d", in.ID, b.fetches, in.Round)
	}
	w.flying--
	w.journals[in.Page] += b.answers
	return schema.BatchFetched{Status: b.status, Answered: int64(b.answers), Missing: int64(b.requests - b.answers)}, nil
}

// byBatch makes a world's teachers answer by batches.
func byBatch(w *world) *world {
	for i := range w.plan.Teachers {
		w.plan.Teachers[i].Batch = true
	}
	return w
}

// Batches that take a day, expire and leave something, over several histories: all is answered, and the rest is submitted again.
func TestBatchesToTheEnd(t *testing.T) {
	w := byBatch(newWorld(20))
	w.batch = func(page schema.PageRef, round, requests int) (int, string, int) {
		if round == 1 && page.Number%4 == 0 {
			return requests / 2, "expired", 300
		}
		return requests, "completed", 40
	}
	polls := 0
	w.each = func(env *testsuite.TestWorkflowEnvironment, name string) {
		if name == schema.StepPoll {
			if polls++; polls%150 == 0 {
				env.SetCurrentHistoryLength(freshHistory + 1)
			}
		}
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if got.Counts.Admitted != 200 || len(w.batches) != 25 || w.mostFly != mostBatches {
		t.Errorf("%+v; %d batches, %d at once", got.Counts, len(w.batches), w.mostFly)
	}
	s := got.Teachers[0].Batches
	if s == nil || s.Submitted != 25 || s.Queued+s.Running+s.Finalizing != 0 {
		t.Errorf("batches %+v", s)
	}
	if w.renewals == 0 {
		t.Error("no history was renewed while batches were waited for")
	}
}

// Batches beside a teacher that is asked at once: neither waits for the other.
func TestBatchesBesidePages(t *testing.T) {
	w := newWorld(5, 30)
	w.plan.Teachers[0].Batch = true
	w.batch = func(_ schema.PageRef, _, requests int) (int, string, int) { return requests, "completed", 50 }
	order := []int{}
	w.decided = func(_ *testsuite.TestWorkflowEnvironment, in schema.AdmitInput) {
		order = append(order, in.Page.Teacher)
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if got.Counts.Admitted != 350 {
		t.Errorf("%+v", got.Counts)
	}
	for i, teacher := range order {
		if teacher == 0 && i < 30 {
			t.Errorf("page %d of 35 decided is a batch's: the other teacher waited", i)
			break
		}
	}
}

// What batch after batch leaves fails in the end.
func TestBatchesGiveUp(t *testing.T) {
	w := byBatch(newWorld(1))
	w.batch = func(_ schema.PageRef, round, requests int) (int, string, int) {
		if round == 1 {
			return 6, "expired", 1
		}
		return 0, "expired", 1
	}
	w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if len(w.batches) != mostTries || w.gaveUp != 4 {
		t.Errorf("%d batches, %d requests given up", len(w.batches), w.gaveUp)
	}
}

// A provider that refuses batch after batch holds the run; released, it goes on.
func TestBatchesRefused(t *testing.T) {
	w := byBatch(newWorld(1))
	refuse := true
	w.batch = func(_ schema.PageRef, _, requests int) (int, string, int) {
		if refuse {
			return 0, schema.BatchFailed, 1
		}
		return requests, "completed", 1
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StateHeld)
	if got.Reason != schema.CodeBatchFailed || len(w.batches) != mostRefused {
		t.Fatalf("%s after %d batches", got.Reason, len(w.batches))
	}
	refuse = false
	w.mustEnd(t, GenerateInput{Released: 1}, schema.StatePublished)
}

// A cancel takes every batch back at its provider, keeps what was answered, and ends.
func TestCancelTakesBatchesBack(t *testing.T) {
	w := byBatch(newWorld(3))
	w.batch = func(_ schema.PageRef, _, requests int) (int, string, int) { return requests, "completed", 100 }
	w.start = func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(schema.SignalCancel, nil) }, time.Minute)
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StateCancelled)
	for id, b := range w.batches {
		if b.cancels != 1 || b.fetches != 1 {
			t.Errorf("%s: %d cancels, %d fetches", id, b.cancels, b.fetches)
		}
	}
	if got.Counts.Admitted != 15 || got.Counts.Unasked != 15 {
		t.Errorf("%+v", got.Counts)
	}
}

// Another teacher's block holds the run: nothing stays at the provider, and a release submits what is left.
func TestHoldTakesBatchesBack(t *testing.T) {
	w := newWorld(2, 4)
	w.plan.Teachers[0].Batch = true
	w.batch = func(_ schema.PageRef, _, requests int) (int, string, int) { return requests, "completed", 100 }
	blocked := true
	w.onAsk = func(_ *testsuite.TestWorkflowEnvironment, in schema.AskInput) (schema.PageCounts, error, bool) {
		if blocked {
			return schema.PageCounts{}, faulty(schema.KindHold, "teacher_blocked"), true
		}
		return schema.PageCounts{}, nil, false
	}
	w.mustEnd(t, GenerateInput{}, schema.StateHeld)
	for id, b := range w.batches {
		if b.cancels != 1 || b.fetches != 1 {
			t.Errorf("%s: %d cancels, %d fetches", id, b.cancels, b.fetches)
		}
	}
	blocked = false
	got := w.mustEnd(t, GenerateInput{Released: 1}, schema.StatePublished)
	if got.Counts.Admitted != 60 {
		t.Errorf("%+v", got.Counts)
	}
}

// The cap holds for batches, which are leased whole before they are submitted, and is used.
func TestBatchBudget(t *testing.T) {
	for _, publish := range []bool{true, false} {
		w := byBatch(newWorld(6))
		w.plan.Policy.BudgetMicros, w.plan.Policy.PublishBudget = 100, publish
		state := schema.StateHeld
		if publish {
			state = schema.StatePublished
		}
		got := w.mustEnd(t, GenerateInput{}, state)
		answered := 0
		for _, n := range w.journals {
			answered += n
		}
		if answered != 33 || !got.OnBudget {
			t.Errorf("%d answers of 3 micro-dollars each for 100", answered)
		}
	}
}
