package activities

import (
	"strings"
	"sync"
	"testing"

	"github.com/retort-data/retort/schema"
)

// ended begins a run that answers n of its pages and ends in a state, and returns its id.
func (l *lab) ended(id string, pages int, state string) {
	l.t.Helper()
	l.begin(id)
	r := l.rooms(l.store)
	_, err := r.Plan(l.t.Context(), l.ref)
	l.must(err)
	for n := range pages {
		if _, err := l.ask(r, l.unbounded(n)); err != nil {
			l.t.Fatal(err)
		}
	}
	l.must(r.SaveStatus(l.t.Context(), schema.Status{Dataset: "d", Run: id, State: state}))
}

// next begins a run after others, plans it and asks all of its pages.
func (l *lab) next(id string) (plan schema.PlanResult, sum schema.PageCounts) {
	l.t.Helper()
	l.begin(id)
	r := l.rooms(l.store)
	plan, err := r.Plan(l.t.Context(), l.ref)
	l.must(err)
	for n := range plan.Teachers[0].Pages {
		got, err := l.ask(r, l.unbounded(n))
		l.must(err)
		sum.Answered, sum.Reused, sum.CostMicros, sum.Calls = sum.Answered+got.Answered, sum.Reused+got.Reused, sum.CostMicros+got.CostMicros, sum.Calls+got.Calls
		sum.OutputTokens += got.OutputTokens
	}
	return plan, sum
}

// Which runs are reused from, by policy and by how they ended.
func TestReuseByPolicy(t *testing.T) {
	for _, c := range []struct {
		policy, state string
		reused        int64
		why           string
	}{
		{"", schema.StateCancelled, 20, ""},
		{"", schema.StateFailed, 20, ""},
		{"", schema.StateAsking, 20, ""}, // ended from outside
		{"", schema.StateHeld, 0, "no-runs"},
		{"", schema.StatePublished, 0, "no-runs"},
		{"", schema.StateNothing, 0, "no-runs"},
		{"reuse: always\n", schema.StatePublished, 20, ""},
		{"reuse: always\n", schema.StateHeld, 0, "no-runs"},
		{"reuse: never\n", schema.StateCancelled, 0, "never"},
	} {
		t.Run(c.policy+c.state, func(t *testing.T) {
			l := newLab(t, c.policy)
			l.ended("r1a", 2, c.state)
			before := l.calls()
			plan, got := l.next("r2")
			if got.Reused != c.reused || plan.Reuse.Requests != c.reused || plan.Reuse.Why != c.why || got.Answered != 2*prompts {
				t.Errorf("%+v, plan %+v", got, plan.Reuse)
			}
			asked := int64(l.calls() - before)
			if asked != got.Answered-c.reused || got.Calls != asked || got.CostMicros != 110*asked || got.OutputTokens != 50*asked {
				t.Errorf("%d were asked for %d answers: %+v", asked, got.Answered, got)
			}
		})
	}
}

// Answers of an earlier run go to the same requests alone: of other prompts, parameters or shapes none is taken, and it is said why.
func TestReuseOfTheSameRequestAlone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(l *lab)
		reused int64
		why    string
	}{
		"the same":                       {func(*lab) {}, 2 * prompts, ""},
		"more prompts":                   {func(l *lab) { l.sources(2 * prompts) }, 2 * prompts, ""},
		"other parameters":               {func(l *lab) { l.recipe = strings.Replace(l.recipe, "max_tokens: 100", "max_tokens: 101", 1) }, 0, "none-equal"},
		"another template":               {func(l *lab) { l.recipe = strings.Replace(l.recipe, "Tell me", "Say", 1) }, 0, "none-equal"},
		"another seed":                   {func(l *lab) { l.recipe += "seed: 5\n" }, 2 * prompts, ""},
		"another revision":               {func(l *lab) { l.config.Teachers[0].Revision = "r2" }, 0, "none-equal"},
		"reasoning that was dropped":     {func(l *lab) { l.recipe += "response: {reasoning: keep}\n" }, 0, "no-reasoning"},
		"a finish that is a failure now": {func(l *lab) { l.recipe += "response: {finish: {stop: fail}}\n" }, 0, "none-equal"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "")
			if c.why == "no-reasoning" {
				l.recipe += "response: {reasoning: drop}\n"
			}
			l.ended("r1a", 5, schema.StateCancelled)
			l.recipe = strings.Replace(l.recipe, "response: {reasoning: drop}\n", "", 1)
			c.change(l)
			l.begin("r2")
			plan, err := l.rooms(l.store).Plan(t.Context(), l.ref)
			l.must(err)
			if plan.Reuse.Requests != c.reused || plan.Reuse.Why != c.why {
				t.Errorf("%+v", plan.Reuse)
			}
			if c.why != "" && !strings.Contains(l.logs.String(), "why="+c.why) {
				t.Errorf("the log doesn't say why: %s", l.logs)
			}
		})
	}
}

// The journal of a page that was never finished is reused too; what two runs have answered, the newest gives.
func TestReuseOfJournals(t *testing.T) {
	l := newLab(t, "")
	l.ended("r1a", 1, schema.StateCancelled)
	l.begin("r1b")
	r := l.rooms(l.store)
	_, err := r.Plan(t.Context(), l.ref)
	l.must(err)
	in := l.unbounded(1)
	in.LeaseRequests = 4
	if _, err := l.ask(r, in); err != nil {
		t.Fatal(err)
	}
	l.must(r.SaveStatus(t.Context(), schema.Status{Dataset: "d", Run: "r1b", State: schema.StateFailed}))
	plan, got := l.next("r2")
	if plan.Reuse.Runs != 2 || got.Reused != 14 {
		t.Errorf("%+v %+v", plan.Reuse, got)
	}
	_, answers, err := l.rooms(l.store).readAnswers(t.Context(), l.run, schema.PageRef{})
	l.must(err)
	for _, a := range answers {
		if a.ReusedFrom != "r1a" || *a.CostMicros != 0 {
			t.Errorf("%+v", a)
		}
	}
}

// Two workers that plan the same run agree, and what is spilled to disk comes back whole.
func TestTwoWorkersReuse(t *testing.T) {
	l := newLab(t, "")
	l.ended("r1a", 5, schema.StateCancelled)
	l.begin("r2")
	got := make([]schema.PlanResult, 2)
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() {
			var err error
			if got[i], err = l.rooms(l.store).Plan(t.Context(), l.ref); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if *got[0].Reuse != *got[1].Reuse || got[0].Reuse.Requests != 2*prompts {
		t.Errorf("%+v and %+v", got[0].Reuse, got[1].Reuse)
	}
}

func TestReuseSpills(t *testing.T) {
	defer func(w, b int) { mostWanted, mostBuffered = w, b }(mostWanted, mostBuffered)
	mostWanted, mostBuffered = 15, 500 // windows of two pages, a spill for every answer
	l := newLab(t, "")
	l.ended("r1a", 5, schema.StateCancelled)
	before := l.calls()
	if _, got := l.next("r2"); got.Reused != 2*prompts || l.calls() != before {
		t.Errorf("%+v after %d calls", got, l.calls()-before)
	}
}

// A page that goes by batches takes what was answered before too, and its batch has the rest.
func TestReuseWithBatches(t *testing.T) {
	l, p := newBatchLab(t, "")
	l.config.Teachers[0].Batch = false
	l.ended("r2a", 1, schema.StateCancelled)
	l.config.Teachers[0].Batch = true
	l.begin("r3")
	r := l.rooms(l.store)
	plan, err := r.Plan(t.Context(), l.ref)
	l.must(err)
	if got := l.flow(r).byBatches(l.unbounded(0)); got.Reused != 10 || got.CostMicros != 0 || len(p.batches) != 0 {
		t.Errorf("%+v, %d batches, %+v", got, len(p.batches), plan.Reuse)
	}
}
