package quality

import (
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

func TestRefusals(t *testing.T) {
	in := inspector(t, schema.Checks{})
	var hit, miss, wrong float64
	for _, s := range readLabelled(t, "testdata/refusal.tsv") {
		found := strings.Contains(reasons(inspect(in, s.text)), "refusal:")
		switch {
		case s.claims && found:
			hit++
		case s.claims:
			miss++
			t.Logf("missed: %s %s", s.lang, s.text)
		case found:
			wrong++
			t.Logf("wrong: %s %s", s.lang, s.text)
		}
	}
	precision, recall := hit/(hit+wrong), hit/(hit+miss)
	t.Logf("precision %.3f, recall %.3f", precision, recall)
	if precision < 0.95 || recall < 0.95 {
		t.Errorf("precision %.3f, recall %.3f, wanted 0.95 of both", precision, recall)
	}
}
