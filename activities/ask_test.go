package activities

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"go.temporal.io/sdk/temporal"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// planned begins and plans a run.
func planned(t testing.TB, more string) (*lab, *Rooms) {
	l := newLab(t, more)
	r := l.rooms(l.store)
	_, err := r.Plan(t.Context(), l.ref)
	l.must(err)
	return l, r
}

// refuseAfter answers n calls and then refuses the key.
func (l *lab) refuseAfter(n int) {
	calls := 0
	l.respond = func(w http.ResponseWriter, _ string) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		if calls++; calls <= n {
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		w.Write([]byte(`{"error": {"message": "your key sk-verysecret is wrong for topic 3"}}`)) //nolint:errcheck // a client that is gone
		return true
	}
}

// A retry asks only what the journal lacks; who comes after the final answers asks nothing.
func TestRetryAsksOnlyWhatIsMissing(t *testing.T) {
	l, r := planned(t, "")
	l.refuseAfter(4)
	if _, err := l.ask(r, l.unbounded(0)); err == nil {
		t.Fatal("a teacher that refuses the key was no error")
	}
	refused := l.calls() - 4
	l.respond = nil
	for range 2 { // the second finds final answers
		got, err := l.ask(l.rooms(l.store), l.unbounded(0))
		l.must(err)
		if got.Answered != 10 || got.Unasked != 0 || got.Requests != 10 {
			t.Errorf("counts %+v", got)
		}
	}
	if asked := l.calls() - refused; asked != 10 {
		t.Errorf("%d requests were answered for a page of 10", asked)
	}
}

// Closing a page takes together what its journal has, and asks nobody.
func TestClose(t *testing.T) {
	l, r := planned(t, "")
	l.refuseAfter(4)
	if _, err := l.ask(r, l.unbounded(0)); err == nil {
		t.Fatal("no error")
	}
	before := l.calls()
	in := l.unbounded(0)
	in.Close = true
	got, err := l.ask(r, in)
	l.must(err)
	if got.Answered != 4 || got.Unasked != 6 || l.calls() != before {
		t.Errorf("counts %+v after %d more calls", got, l.calls()-before)
	}
	if empty, err := l.ask(r, schema.AskInput{RunRef: l.ref, Page: schema.PageRef{Number: 1}, Close: true}); err != nil || empty.Unasked != 10 {
		t.Errorf("a page that was never asked closes as %+v, %v", empty, err)
	}
}

// A lease of calls is never passed, whatever dies when: what the teacher saw is at most what is counted, and that at most the lease.
func TestLeaseHoldsOverCrashes(t *testing.T) {
	for n := 1; n <= 4; n++ {
		l, r := planned(t, "")
		in := l.unbounded(0)
		in.LeaseRequests, in.LeaseMicros = 7, 10_000
		if _, err := l.ask(l.rooms(&breaking{Store: l.store, at: n}), in); err != nil && n > 3 {
			t.Fatalf("write %d: %v", n, err)
		}
		got, err := l.ask(r, in)
		l.must(err)
		if got.Stopped != "budget" && got.Unasked > 0 {
			t.Errorf("write %d: %+v: not asked whole, and no word why", n, got)
		}
		if saw := int64(l.calls()); saw > got.Calls || got.Calls > in.LeaseRequests || got.CostMicros > in.LeaseMicros {
			t.Errorf("write %d: the teacher saw %d calls, %d are counted of a lease of %d; %d micro-dollars of %d", n, saw, got.Calls, in.LeaseRequests, got.CostMicros, in.LeaseMicros)
		}
	}
}

// A larger lease goes on where the smaller one ended.
func TestLargerLeaseGoesOn(t *testing.T) {
	l, r := planned(t, "")
	in := l.unbounded(0)
	in.LeaseRequests = 3
	got, err := l.ask(r, in)
	l.must(err)
	if got.Answered != 3 || got.Stopped != "budget" {
		t.Fatalf("counts %+v, want 3 answers", got)
	}
	in.LeaseRequests = 30
	got, err = l.ask(r, in)
	l.must(err)
	if got.Answered != 10 || got.Calls != 10 || got.Stopped != "" || l.calls() != 10 {
		t.Errorf("counts %+v after %d calls", got, l.calls())
	}
}

// panicking is a bug on the way to the teacher.
type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("topic 3") }

// A panic while a request is sent ends the page with an error, not the worker with all its pages.
func TestPanicWhileSending(t *testing.T) {
	l, r := planned(t, "")
	client, err := teacher.New(*l.config.Teacher("tester"), teacher.Options{Transport: panicking{}})
	l.must(err)
	r.Teachers.lanes["tester"] = &lane{client: client, concurrency: 1, slots: make(chan struct{}, 8), turns: map[string]chan struct{}{}}
	_, err = l.ask(r, l.unbounded(0))
	if app := applicationError(t, err); app.Message() != "panic" || !app.NonRetryable() {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(l.logs.String(), "panicking") {
		t.Error("the log lacks the place of the panic")
	}
}

func applicationError(t testing.TB, err error) (app *temporal.ApplicationError) {
	t.Helper()
	if !asApplication(err, &app) {
		t.Fatalf("%v is no application error", err)
	}
	return app
}

// Two attempts of a page at once, as after a network that was cut, agree on its counts; every request is answered once in what stands.
func TestTwoAttemptsAskAtOnce(t *testing.T) {
	l, _ := planned(t, "")
	got := make([]schema.PageCounts, 2)
	var wg sync.WaitGroup
	rooms := []*Rooms{l.rooms(l.store), l.rooms(l.store)}
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = l.ask(rooms[i], l.unbounded(0)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if !reflect.DeepEqual(got[0], got[1]) || got[0].Answered != 10 {
		t.Errorf("one counts %+v, the other %+v", got[0], got[1])
	}
	_, answers, err := rooms[0].readAnswers(t.Context(), l.run, schema.PageRef{})
	l.must(err)
	seen := map[string]bool{}
	for _, a := range answers {
		seen[a.RequestID] = true
	}
	if len(answers) != 10 || len(seen) != 10 {
		t.Errorf("%d answers to %d requests", len(answers), len(seen))
	}
}
