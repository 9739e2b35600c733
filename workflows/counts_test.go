package workflows

import (
	"testing"

	"go.temporal.io/sdk/testsuite"
	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

// Whatever pages come to, and whatever a person does meanwhile: every planned request ends as exactly one of admitted, rejected,
// failed or unasked, no page is decided twice, and no lease passes the cap.
func TestCountsAlwaysReconcile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pages := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 3).Draw(rt, "pages")
		w := newWorld(pages...)
		p := &w.plan.Policy
		p.Failed = rapid.SampledFrom([]float64{1, 0.3, 0.05}).Draw(rt, "failed")
		p.Rows = rapid.SampledFrom([]int64{0, 0, 35, 1000}).Draw(rt, "rows")
		p.BudgetMicros = rapid.SampledFrom([]int64{-1, -1, 0, 100, 301, 5000}).Draw(rt, "micros")
		p.BudgetRequests = rapid.SampledFrom([]int64{-1, -1, 55, 5000}).Draw(rt, "calls")
		p.PublishBudget = rapid.Bool().Draw(rt, "publish")
		p.MostDuplicates = rapid.SampledFrom([]float64{0, 0.3}).Draw(rt, "duplicates")
		fails := rapid.IntRange(0, 6).Draw(rt, "fails")
		w.answers = func(page schema.PageRef, i int) bool { return (i*7+page.Number)%10 < fails }
		rejected := rapid.IntRange(0, 10).Draw(rt, "rejected")
		w.rejects = func(page schema.PageRef, answered int64) map[string]int64 {
			n := min(answered, int64((rejected+page.Number)%(pageOf+1)))
			return map[string]int64{"near": n / 2, "language": n - n/2}
		}
		if every := rapid.IntRange(0, 6).Draw(rt, "history"); every > 0 {
			w.renewEvery(every, nil)
		}
		event := rapid.SampledFrom([]string{"", schema.SignalPause, schema.SignalCancel, "kill", "block", "fail"}).Draw(rt, "event")
		when := rapid.IntRange(1, 20).Draw(rt, "when")
		asked := 0
		w.onAsk = func(env *testsuite.TestWorkflowEnvironment, in schema.AskInput) (got schema.PageCounts, err error, handled bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if asked++; asked != when || in.Close {
				return
			}
			w.journals[in.Page] = max(w.journals[in.Page], min(3, int(max(0, in.LeaseMicros))))
			switch event {
			case schema.SignalPause:
				env.SignalWorkflow(schema.SignalPause, nil)
				env.SignalWorkflow(schema.SignalResume, nil)
			case schema.SignalCancel:
				env.SignalWorkflow(schema.SignalCancel, nil)
			case "kill":
				env.CancelWorkflow()
			case "block":
				return got, faulty(schema.KindHold, "teacher_blocked"), true
			case "fail":
				return got, faulty(schema.KindFailed, "object_broken"), true
			}
			return
		}
		in := GenerateInput{}
		for released := 0; ; released++ {
			got, err := w.run(t, in)
			if t.Failed() {
				rt.FailNow()
			}
			if !got.Counts.Reconciled() || got.Counts.Planned != w.plan.Requests {
				rt.Fatalf("%s: counts don't add up: %+v", got.State, got.Counts)
			}
			if want := w.total(); got.State != schema.StateFailed && (got.Counts.Admitted+got.Counts.RejectedTotal()+got.Counts.Failed != want) {
				rt.Fatalf("%s: %d answers were decided, counts %+v", got.State, want, got.Counts)
			}
			if p.Rows > 0 && got.Counts.Admitted > p.Rows {
				rt.Fatalf("admitted %d, wanted %d", got.Counts.Admitted, p.Rows)
			}
			switch got.State {
			case schema.StateHeld:
				if released == 5 {
					rt.Fatalf("held for %q after five releases", got.Reason)
				}
				in = GenerateInput{Released: got.HeldAs}
				continue
			case schema.StateFailed:
				if event != "fail" || err == nil {
					rt.Fatalf("failed: %v", err)
				}
			case schema.StateCancelled:
				if event != schema.SignalCancel && event != "kill" {
					rt.Fatal("cancelled by nobody")
				}
			case schema.StatePublished:
				if len(w.published) != 1 || got.Counts.Admitted == 0 {
					rt.Fatalf("published %d times; counts %+v", len(w.published), got.Counts)
				}
			case schema.StateNothing:
				if len(w.published) != 0 || got.Counts.Admitted != 0 {
					rt.Fatalf("published %d times; counts %+v", len(w.published), got.Counts)
				}
			default:
				rt.Fatalf("ended as %s", got.State)
			}
			return
		}
	})
}

// total is what the decided pages had: answered and failed.
func (w *world) total() (n int64) {
	for _, in := range w.admits {
		final := w.finals[in.Page]
		n += final.Requests - final.Unasked
	}
	return n
}
