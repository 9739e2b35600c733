package activities

import (
	"testing"

	"github.com/retort-data/retort/schema"
)

// An activity whose input names no dataset or run that Retort could have named isn't carried out.
func TestReferencesAreChecked(t *testing.T) {
	l, r := planned(t, "")
	before := len(l.objects(""))
	for _, ref := range []schema.RunRef{{Dataset: "../other", Run: "r1"}, {Dataset: "d/_runs/r1", Run: "r1"}, {Dataset: "", Run: "r1"}, {Dataset: "d", Run: "../../x"}, {Dataset: "d", Run: ""}, {Dataset: "d\x00", Run: "r1"}} {
		in := l.unbounded(0)
		in.RunRef = ref
		_, err := l.ask(r, in)
		if kind, code := refused(err); kind != schema.KindFailed || code != "reference" {
			t.Errorf("%+v: %v", ref, err)
		}
	}
	if l.calls() > 0 || len(l.objects("")) != before {
		t.Errorf("%d calls, %d objects more", l.calls(), len(l.objects(""))-before)
	}
	if _, err := l.ask(r, l.unbounded(0)); err != nil {
		t.Error(err)
	}
}
