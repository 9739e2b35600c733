package activities

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// The same recipe, sources and seed give the same pages, byte for byte, whoever plans them.
func TestPlanIsDeterministic(t *testing.T) {
	vary := "vary: {style: [plain, long], tone: [kind, dry]}\nmax_generation: 1\n"
	l, _ := planned(t, vary)
	first := l.objects(l.run.Home() + "plan")
	l.begin("r2")
	got, err := l.rooms(l.store).Plan(t.Context(), l.ref)
	l.must(err)
	second := l.objects(l.run.Home() + "plan")
	if len(first) < 3 || len(first) != len(second) {
		t.Fatalf("%d and %d objects", len(first), len(second))
	}
	for key, body := range first {
		if second[strings.Replace(key, "/r1/", "/r2/", 1)] != body {
			t.Errorf("%s differs in another run", key)
		}
	}
	again, err := l.rooms(l.store).Plan(t.Context(), l.ref)
	l.must(err)
	if again.Requests != got.Requests || again.Repeats != got.Repeats || !maps.Equal(second, l.objects(l.run.Home()+"plan")) {
		t.Errorf("planned again: %+v, was %+v", again, got)
	}
}

// Prompts that are repeated are planned once.
func TestPlanDropsRepeats(t *testing.T) {
	l := newLab(t, "vary: {unused: [one, two, three]}\n")
	got, err := l.rooms(l.store).Plan(t.Context(), l.ref)
	l.must(err)
	if got.Prompts != prompts || got.Repeats != 2*prompts || got.Requests != 2*prompts {
		t.Errorf("plan %+v", got)
	}
}

// A source that changed, or went away, after it was pinned holds the run; nothing is planned.
func TestSourceChangedAfterPinning(t *testing.T) {
	for name, spoil := range map[string]func(l *lab, key string) error{
		"changed": func(l *lab, key string) error {
			return l.store.Put(l.t.Context(), key, []byte(`{"question": "something else"}`))
		},
		"gone": func(l *lab, key string) error { return l.store.Delete(l.t.Context(), key) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "")
			for key := range l.objects(l.run.Home() + "files/") {
				l.must(spoil(l, key))
			}
			_, err := l.rooms(l.store).Plan(t.Context(), l.ref)
			var e *schema.Error
			if !errors.As(err, &e) || e.Kind != schema.KindHold || e.Code != "source_changed" {
				t.Errorf("error %v", err)
			}
			if n := len(l.objects(l.run.Home() + "plan")); n != 0 {
				t.Errorf("%d objects were planned", n)
			}
		})
	}
}

// Sources without a row are the recipe's fault.
func TestPlanWithoutPrompts(t *testing.T) {
	l := newLab(t, "")
	l.sources(0)
	l.begin("r2")
	_, err := l.rooms(l.store).Plan(t.Context(), l.ref)
	if schema.KindOf(err) != schema.KindInvalid {
		t.Errorf("error %v", err)
	}
}

// Inspect is a pure function: another worker finds the same, to the byte.
func TestInspectIsPure(t *testing.T) {
	l, r := planned(t, "")
	_, err := l.ask(r, l.unbounded(0))
	l.must(err)
	key := l.run.Inspected(schema.PageRef{})
	var bodies []string
	for range 2 {
		l.must(l.rooms(l.store).Inspect(t.Context(), l.unbounded(0)))
		body, err := l.store.Get(t.Context(), key)
		l.must(err)
		bodies = append(bodies, string(body))
		l.must(l.store.Delete(t.Context(), key))
	}
	if bodies[0] != bodies[1] {
		t.Error("the same page was inspected to something else")
	}
}

// No more than the rows that are left are admitted; what comes after is surplus, in the order of the page.
func TestAdmitRowsLeft(t *testing.T) {
	l, r := planned(t, "")
	in := l.unbounded(0)
	_, err := l.ask(r, in)
	l.must(err)
	l.must(r.Inspect(t.Context(), in))
	got, err := r.Admit(t.Context(), schema.AdmitInput{RunRef: l.ref, RowsLeft: 2})
	l.must(err)
	if got.Admitted != 2 || got.Rejected[schema.ReasonSurplus] != 6 || got.Rejected["exact"] != 2 {
		t.Errorf("of five pairs of equal answers: %+v", got)
	}
	again, err := l.rooms(l.store).Admit(t.Context(), schema.AdmitInput{RunRef: l.ref, RowsLeft: 2})
	l.must(err)
	if again.Root != got.Root || again.Admitted != got.Admitted || !maps.Equal(again.Rejected, got.Rejected) {
		t.Errorf("decided again: %+v, was %+v", again, got)
	}
}

// What stands decides: an attempt that would decide otherwise returns what was decided, not its own opinion.
func TestStandingDecisionsWin(t *testing.T) {
	l, r := planned(t, "")
	in := l.unbounded(0)
	_, err := l.ask(r, in)
	l.must(err)
	l.must(r.Inspect(t.Context(), in))
	first, err := r.Admit(t.Context(), schema.AdmitInput{RunRef: l.ref, RowsLeft: 2})
	l.must(err)
	second, err := l.rooms(l.store).Admit(t.Context(), schema.AdmitInput{RunRef: l.ref, RowsLeft: -1})
	l.must(err)
	if second.Admitted != first.Admitted || second.Root != first.Root || second.Bytes != first.Bytes {
		t.Errorf("decided %+v, and then %+v", first, second)
	}
	// Another page can't take the number.
	other := l.unbounded(1)
	_, err = l.ask(r, other)
	l.must(err)
	l.must(r.Inspect(t.Context(), other))
	if _, err := r.Admit(t.Context(), schema.AdmitInput{RunRef: l.ref, Page: other.Page, RowsLeft: -1}); schema.KindOf(err) != schema.KindFailed {
		t.Errorf("two pages have one number: %v", err)
	}
}
