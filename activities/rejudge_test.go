package activities

import (
	"maps"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// checksOf are the run's own.
func (l *lab) checksOf() schema.Checks {
	l.t.Helper()
	recipe, err := l.rooms(l.store).recipe(l.t.Context(), l.run)
	l.must(err)
	return recipe.Checks
}

// Under its own checks nothing of a run changes, with splits, rows, and an earlier version that it was compared with; under others what
// changes is counted, with ids and samples. Nobody is asked, nothing is written.
func TestRejudge(t *testing.T) {
	l := newLab(t, "checks: {repetition: {do: tag}}\noutput: {splits: {test: 0.3}}\n")
	l.pooled(4, 25)
	l.publishWhole("r1")
	l.salt = "2"
	f := l.publishWhole("r2")
	objects, calls := l.objects(""), l.calls()
	own := l.checksOf()
	judge := func(checks schema.Checks) *Rejudged {
		t.Helper()
		got, err := l.rooms(l.store).Rejudge(t.Context(), l.ref, checks, "recipe.yaml")
		l.must(err)
		return got
	}
	got := judge(own)
	if len(got.Changes) > 0 || !maps.Equal(got.Before, got.After) || got.Before[schema.OutcomeAdmitted] != f.publish.Counts.Admitted || got.Answers != 2*prompts || len(got.Notes) > 0 {
		t.Fatalf("under its own checks: %+v", got)
	}
	if got.Before["near"]+got.Before["exact"] == 0 {
		t.Fatalf("nothing to change: %+v", got.Before)
	}
	loose := own
	loose.Near.Do, loose.Exact.Do = schema.DoOff, schema.DoOff
	got = judge(loose)
	if got.After[schema.OutcomeAdmitted] != 2*prompts || len(got.Changes) == 0 {
		t.Errorf("without duplicates: %+v", got)
	}
	for _, c := range got.Changes {
		if c.To != schema.OutcomeAdmitted || int64(len(c.IDs)) != c.Count || len(c.Samples) == 0 || c.Samples[0].Text == "" || !strings.HasPrefix(c.Samples[0].Prompt, "Tell me about") {
			t.Errorf("%+v", c)
		}
	}
	strict := own
	strict.Length = schema.LengthCheck{Do: schema.DoDrop, Min: 100_000}
	got = judge(strict)
	if got.After["length"] != 2*prompts || got.Changes[0].Samples[0].Why.Limit != 100_000 {
		t.Errorf("with a bound that nothing reaches: %+v", got)
	}
	other := own
	other.Near.Bands = 20
	if got = judge(other); len(got.Notes) != 1 {
		t.Errorf("with other parameters: %+v", got)
	}
	if !maps.Equal(objects, l.objects("")) || l.calls() != calls {
		t.Error("something was written, or somebody was asked")
	}
}

// What was surplus stays so: the rows of the run's recipe bound it.
func TestRejudgeKeepsRows(t *testing.T) {
	l := newLab(t, "rows: 5\n")
	r := l.rooms(l.store)
	_, err := r.Plan(t.Context(), l.ref)
	l.must(err)
	in := l.unbounded(0)
	_, err = l.ask(r, in)
	l.must(err)
	l.must(r.Inspect(t.Context(), in))
	_, err = r.Admit(t.Context(), schema.AdmitInput{RunRef: l.ref, RowsLeft: 5})
	l.must(err)
	checks := l.checksOf()
	checks.Exact.Do, checks.Near.Do = schema.DoOff, schema.DoOff
	got, err := r.Rejudge(t.Context(), l.ref, checks, "recipe.yaml")
	l.must(err)
	if got.After[schema.OutcomeAdmitted] != 5 || got.After[schema.ReasonSurplus] != 5 {
		t.Errorf("%+v", got)
	}
	if got, err := r.Rejudge(t.Context(), schema.RunRef{Dataset: "d", Run: "none"}, checks, "recipe.yaml"); err == nil && got.Answers > 0 {
		t.Error("a run that isn't there was judged")
	}
}
