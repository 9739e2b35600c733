package workflows

import (
	"slices"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/retort-data/retort/schema"
)

// Pages in flight are bounded, and the bound is used: no page is answered before as many are asked as the window holds.
func TestWindowIsBoundedAndFull(t *testing.T) {
	for name, c := range map[string]struct {
		pages []int
		want  int
	}{
		"one teacher":   {[]int{40}, mostAsking},
		"two teachers":  {[]int{20, 20}, mostAsking},
		"five teachers": {[]int{8, 8, 8, 8, 8}, 5 * perTeacher},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(c.pages...)
			full := make(chan struct{})
			var once sync.Once
			w.onAsk = func(*testsuite.TestWorkflowEnvironment, schema.AskInput) (got schema.PageCounts, err error, handled bool) {
				w.mu.Lock()
				if w.flying >= c.want {
					once.Do(func() { close(full) })
				}
				w.mu.Unlock()
				<-full
				return
			}
			got := w.mustEnd(t, GenerateInput{}, schema.StatePublished)
			if w.mostFly != c.want {
				t.Errorf("%d pages were in flight at once, want %d", w.mostFly, c.want)
			}
			if most := c.want + mostBehind; w.mostBack > most {
				t.Errorf("%d pages were asked and not decided, want at most %d", w.mostBack, most)
			}
			if got.Counts.Admitted != w.plan.Requests {
				t.Errorf("admitted %d of %d", got.Counts.Admitted, w.plan.Requests)
			}
		})
	}
}

// Where deciding is slow, asking waits for it: what was asked and isn't decided stays bounded.
func TestSlowDecisionsHoldAskingBack(t *testing.T) {
	w := newWorld(60)
	var answer func()
	w.slow = func(_ schema.AdmitInput, later func()) bool {
		first := answer == nil
		if first {
			answer = later
		}
		return first
	}
	looked := false
	w.start = func(env *testsuite.TestWorkflowEnvironment) {
		env.RegisterDelayedCallback(func() { // skipped time passes only once nothing moves any more
			looked = true
			if most := 1 + mostBehind - 1 + mostAsking; len(w.asks) > most || len(w.asks) < mostBehind {
				t.Errorf("%d pages were asked while the first was being decided; the window is %d", len(w.asks), most)
			}
			answer()
		}, time.Hour)
	}
	w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if !looked || len(w.admits) != 60 {
		t.Errorf("looked %v, %d pages decided", looked, len(w.admits))
	}
}

// A slow or blocked teacher stalls its own pages alone: the other's pages are all decided while it holds its own.
func TestSlowTeacherStallsItsOwnPages(t *testing.T) {
	w := newWorld(6, 20)
	others := make(chan struct{})
	w.onAsk = func(_ *testsuite.TestWorkflowEnvironment, in schema.AskInput) (got schema.PageCounts, err error, handled bool) {
		if in.Page.Teacher == 0 {
			<-others
		}
		return
	}
	decided := 0
	w.each = func(_ *testsuite.TestWorkflowEnvironment, name string) {
		if name == schema.StepAdmit {
			if decided++; decided == 20 {
				close(others)
			}
		}
	}
	w.mustEnd(t, GenerateInput{}, schema.StatePublished)
}

// Pages are decided in the order in which the history recorded that they were ready, numbered without a gap.
func TestPagesAreDecidedInTheOrderOfTheHistory(t *testing.T) {
	w := newWorld(15, 15)
	w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	var decided []schema.PageRef
	for _, in := range w.admits {
		decided = append(decided, in.Page)
	}
	if !slices.Equal(decided, w.readied) {
		t.Errorf("decided %v\nready   %v", decided, w.readied)
	}
	if len(decided) != 30 {
		t.Errorf("%d pages were decided, want 30", len(decided))
	}
}

// The rows that a recipe wants end the run: pages in flight are closed with what they have, and not one record more is admitted.
func TestRowsReached(t *testing.T) {
	w := newWorld(50)
	w.plan.Policy.Rows = 95
	w.rejects = func(schema.PageRef, int64) map[string]int64 { return map[string]int64{"length": 2} }
	got := w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if got.Counts.Admitted != 95 {
		t.Errorf("admitted %d, want 95", got.Counts.Admitted)
	}
	if got.Counts.Unasked == 0 || len(w.admits) > 30 {
		t.Errorf("%d pages were decided, %d requests unasked: the run didn't stop at its rows", len(w.admits), got.Counts.Unasked)
	}
}

// What a page in flight has when the rows are reached is closed and decided: it was paid for, so it is counted.
func TestRowsReachedClosesPagesInFlight(t *testing.T) {
	w := newWorld(8)
	w.plan.Policy.Rows = 40
	w.rejects = func(page schema.PageRef, _ int64) map[string]int64 {
		if page.Number == 0 {
			return map[string]int64{"length": 9}
		}
		return nil
	}
	closed := make(chan struct{})
	var once sync.Once
	w.onAsk = func(_ *testsuite.TestWorkflowEnvironment, in schema.AskInput) (got schema.PageCounts, err error, handled bool) {
		if in.Page.Number == 1 && !in.Close {
			w.mu.Lock()
			w.journals[in.Page] = 4
			w.mu.Unlock()
			<-closed
			return got, faulty(schema.KindRetry, "interrupted"), true // nobody hears it any more
		}
		if in.Close {
			once.Do(func() { close(closed) })
		}
		return
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if got.Counts.Admitted != 40 {
		t.Errorf("admitted %d, want 40", got.Counts.Admitted)
	}
	if got.Counts.Rejected["surplus"] < 4 {
		t.Errorf("rejected %v: the four answers of the closed page are missing", got.Counts.Rejected)
	}
	if !slices.ContainsFunc(w.asks, func(in schema.AskInput) bool { return in.Close && in.Page.Number == 1 }) {
		t.Error("page 1 wasn't closed")
	}
}

// No more is asked than what the rows need at the yield so far: a page that is asked and not decided yet counts.
func TestRowsAskNoMoreThanNeeded(t *testing.T) {
	w := newWorld(20)
	w.plan.Policy.Rows = 4 * pageOf
	w.mustEnd(t, GenerateInput{}, schema.StatePublished)
	if len(w.asks) != 4 {
		t.Errorf("%d pages of %d were asked for %d rows", len(w.asks), pageOf, w.plan.Policy.Rows)
	}
}

// A run that admits nothing publishes nothing.
func TestNothingAdmitted(t *testing.T) {
	w := newWorld(3)
	w.rejects = func(_ schema.PageRef, n int64) map[string]int64 { return map[string]int64{"refusal": n} }
	got := w.mustEnd(t, GenerateInput{}, schema.StateNothing)
	if len(w.published) > 0 {
		t.Error("it was published")
	}
	if got.Version != 0 || got.Counts.Rejected["refusal"] != w.plan.Requests {
		t.Errorf("status %+v", got)
	}
}

// A preview ends once all is decided.
func TestPreviewWritesNothing(t *testing.T) {
	w := newWorld(2)
	w.mustEnd(t, GenerateInput{Preview: true}, schema.StateAsking)
	for _, step := range []string{schema.StepLayout, schema.StepWrite, schema.StepPublish, schema.StepStatus} {
		if slices.Contains(w.steps, step) {
			t.Errorf("a preview ran %s", step)
		}
	}
}

// An error that trying again can't mend fails the run, with its code and nothing else.
func TestFailedStepFailsTheRun(t *testing.T) {
	w := newWorld(20)
	w.inspect = func(page schema.PageRef) error {
		if page.Number == 5 {
			return faulty(schema.KindFailed, "object_broken")
		}
		return nil
	}
	got, err := w.run(t, GenerateInput{})
	if err == nil || got.State != schema.StateFailed || got.Reason != "object_broken" {
		t.Fatalf("state %s, reason %q, error %v", got.State, got.Reason, err)
	}
	if len(w.published) > 0 {
		t.Error("a failed run was published")
	}
}
