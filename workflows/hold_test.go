package workflows

import (
	"encoding/json"
	"slices"
	"testing"

	"go.temporal.io/sdk/testsuite"

	"github.com/retort-data/retort/schema"
)

// A teacher that blocks holds the run, with its state on S3; a release goes on from there and asks nothing again that was decided.
func TestBlockedTeacherHoldsAndReleaseGoesOn(t *testing.T) {
	w := newWorld(12, 12)
	blocked := true
	w.onAsk = func(_ *testsuite.TestWorkflowEnvironment, in schema.AskInput) (got schema.PageCounts, err error, handled bool) {
		if blocked && in.Page == (schema.PageRef{Teacher: 1, Number: 4}) {
			return got, faulty(schema.KindHold, "teacher_blocked"), true
		}
		return
	}
	first := w.mustEnd(t, GenerateInput{}, schema.StateHeld)
	if first.Reason != "teacher_blocked" || first.Subject != "teacher-1" || first.HeldAs != 1 || w.saved.State != schema.StateHeld {
		t.Errorf("status %+v", first)
	}
	if first.Teachers[1].Stopped != "teacher_blocked" || len(w.published) > 0 {
		t.Errorf("teachers %+v, published %d", first.Teachers, len(w.published))
	}
	var state State
	if err := json.Unmarshal(w.held[1], &state); err != nil || state.Seq != len(w.admits) || state.Plan == nil {
		t.Fatalf("held state %s: %v", w.held[1], err)
	}
	if !slices.Contains(state.Redo, schema.PageRef{Teacher: 1, Number: 4}) {
		t.Errorf("the page that was blocked isn't to be asked again: %v", state.Redo)
	}
	decided, before := len(w.admits), len(w.asks)
	blocked = false
	last := w.mustEnd(t, GenerateInput{Released: first.HeldAs}, schema.StatePublished)
	for _, again := range w.asks[before:] {
		for _, in := range w.admits[:decided] {
			if again.Page == in.Page {
				t.Errorf("page %v was decided and is asked again", again.Page)
			}
		}
	}
	if last.Counts.Admitted != w.plan.Requests || last.Reason != "" || last.Teachers[1].Stopped != "" {
		t.Errorf("status %+v", last)
	}
}

// A bound that is passed holds the run; a person who releases it has seen that, and the run goes on past this bound.
func TestBoundsHoldAndReleaseGoesPast(t *testing.T) {
	third := func(page schema.PageRef, i int) bool { return i%3 == 0 }
	for name, c := range map[string]struct {
		reason string
		set    func(*world)
	}{
		"failed": {"failed", func(w *world) { w.plan.Policy.Failed, w.answers = 0.2, third }},
		"failed at the end": {"failed", func(w *world) { // the rows come before a share of the plan has failed
			w.plan.Policy.Failed, w.plan.Policy.Rows, w.answers = 0.25, 40, third
		}},
		"duplicates": {"duplicates", func(w *world) {
			w.plan.Policy.MostDuplicates = 0.3
			w.rejects = func(schema.PageRef, int64) map[string]int64 { return map[string]int64{"exact": 2, "near": 3} }
		}},
		"rejected": {"rejected", func(w *world) {
			w.plan.Policy.MostRejected = 0.8
			w.rejects = func(page schema.PageRef, _ int64) map[string]int64 { // most are bad; duplicates and what is too many don't count
				if page.Number < 2 {
					return map[string]int64{"template": 1, "near": 7}
				}
				return map[string]int64{"template": 8, "repetition": 2}
			}
		}},
		"gate": {"gate", func(w *world) {
			w.verdict = func(in schema.AdmitInput) schema.GateVerdict {
				if in.Page.Number < 8 || in.Released == 1 {
					return schema.GateVerdict{State: "pass"}
				}
				return schema.GateVerdict{State: "hold", Account: "diversity"}
			}
		}},
		"budget": {"budget", func(w *world) { w.plan.Policy.BudgetRequests = 60 }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(30)
			c.set(w)
			got := w.mustEnd(t, GenerateInput{}, schema.StateHeld)
			if got.Reason != c.reason || len(w.published) > 0 {
				t.Fatalf("reason %q %q, published %d", got.Reason, got.Subject, len(w.published))
			}
			if c.reason == "gate" && got.Subject != "diversity" {
				t.Errorf("subject %q, want the gate's account", got.Subject)
			}
			got = w.mustEnd(t, GenerateInput{Released: got.HeldAs}, schema.StatePublished)
			if len(w.published) != 1 || !w.published[0].Counts.Reconciled() {
				t.Errorf("published %+v", w.published)
			}
		})
	}
}

// A release of the gate waives nothing: what degrades again is held again, and the last release is what is published.
func TestReleasedGateMayHoldAgain(t *testing.T) {
	w := newWorld(40)
	w.verdict = func(in schema.AdmitInput) schema.GateVerdict {
		if in.Seq >= 8*(in.Released+1) && in.Released < 2 {
			return schema.GateVerdict{State: "hold", Account: "diversity"}
		}
		return schema.GateVerdict{State: "pass"}
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StateHeld)
	got = w.mustEnd(t, GenerateInput{Released: got.HeldAs}, schema.StateHeld)
	if got.HeldAs != 2 || got.Reason != "gate" {
		t.Fatalf("held as number %d for %q", got.HeldAs, got.Reason)
	}
	w.mustEnd(t, GenerateInput{Released: got.HeldAs}, schema.StatePublished)
	if p := w.published[0]; p.Released != 2 || p.Gate.State != "pass" {
		t.Errorf("published with %d releases and the gate at %q", p.Released, p.Gate.State)
	}
}

// A source that changed after it was pinned holds the run before anything is asked; released, it is planned again.
func TestPlanThatHolds(t *testing.T) {
	w := newWorld(3)
	changed := true
	w.planned = func() error {
		if changed {
			return faulty(schema.KindHold, "source_changed")
		}
		return nil
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StateHeld)
	if got.Reason != "source_changed" || len(w.asks) > 0 {
		t.Errorf("reason %q, %d pages asked", got.Reason, len(w.asks))
	}
	changed = false
	w.mustEnd(t, GenerateInput{Released: got.HeldAs}, schema.StatePublished)
}

// A hold at the very end keeps everything that was decided: released, the run asks nobody and publishes.
func TestPublishThatHolds(t *testing.T) {
	w := newWorld(5)
	refused := true
	w.publish = func() error {
		if refused {
			return faulty(schema.KindHold, "format_differs")
		}
		return nil
	}
	got := w.mustEnd(t, GenerateInput{}, schema.StateHeld)
	if got.Reason != "format_differs" {
		t.Errorf("reason %q", got.Reason)
	}
	refused = false
	asked := len(w.asks)
	got = w.mustEnd(t, GenerateInput{Released: got.HeldAs}, schema.StatePublished)
	if len(w.asks) != asked || got.Counts.Admitted != w.plan.Requests || got.Version != 1 {
		t.Errorf("%d pages were asked again; status %+v", len(w.asks)-asked, got)
	}
}

// A hold that comes while pages are inspected or decided loses none of them: released, they are decided without being asked again.
func TestHoldBetweenAskedAndDecided(t *testing.T) {
	for name, breaks := range map[string]func(w *world, held *bool){
		"inspecting": func(w *world, held *bool) {
			w.inspect = func(page schema.PageRef) error {
				if *held && page.Number%3 == 1 {
					return faulty(schema.KindHold, "source_changed")
				}
				return nil
			}
		},
		"deciding": func(w *world, held *bool) {
			w.refuse = func(in schema.AdmitInput) error {
				if *held && in.Seq == 2 {
					return faulty(schema.KindHold, "source_changed")
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(20)
			held := true
			breaks(w, &held)
			got := w.mustEnd(t, GenerateInput{}, schema.StateHeld)
			if got.Reason != "source_changed" {
				t.Errorf("reason %q", got.Reason)
			}
			held = false
			got = w.mustEnd(t, GenerateInput{Released: got.HeldAs}, schema.StatePublished)
			if got.Counts.Admitted != w.plan.Requests || got.Cost.Micros != 3*w.plan.Requests || got.Asked != w.plan.Requests {
				t.Errorf("counts %+v, cost %+v, asked %d", got.Counts, got.Cost, got.Asked)
			}
		})
	}
}

// A plan that a person has to mend fails the run.
func TestPlanThatFails(t *testing.T) {
	w := newWorld(3)
	w.planned = func() error { return faulty(schema.KindInvalid, "no_prompts") }
	got, err := w.run(t, GenerateInput{})
	if err == nil || got.State != schema.StateFailed || got.Reason != "no_prompts" {
		t.Errorf("state %s, reason %q, error %v", got.State, got.Reason, err)
	}
}
