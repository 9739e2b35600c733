package activities

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// An answer that holds more than half of an evaluation's item is rejected, and says whose; the sets are pinned with the run.
func TestContaminatedAnswersAreRejected(t *testing.T) {
	l := newLab(t, "")
	l.must(os.WriteFile(filepath.Join(l.dir, "evals.jsonl"), []byte(`{"id": "q1", "question": "Short?"}
{"id": "q7", "question": "A farmer has twelve eggs and sells four of them for two dollars each at the market; how much does she make?", "answer": "8"}
`), 0o600))
	l.recipe = strings.Replace(l.recipe, "checks: {", "checks: {contamination: {against: [evals.jsonl]}, ", 1)
	l.respond = func(w http.ResponseWriter, prompt string) bool {
		if !strings.HasSuffix(prompt, "topic 5") {
			return false
		}
		answer(w, "Here is a riddle. A farmer has twelve eggs and sells four of them for two dollars each at the market. Solve it.")
		return true
	}
	l.begin("evaluated")
	f := l.flow(l.rooms(l.store))
	f.decide()
	if n := f.publish.Counts.Rejected["contamination"]; n != 2 {
		t.Fatalf("%d rejected for contamination: %v", n, f.publish.Counts.Rejected)
	}
	var found *schema.Finding
	for seq := range f.plan.Teachers[0].Pages {
		_, rows, err := l.rooms(l.store).Decided(t.Context(), l.ref, seq)
		l.must(err)
		for i := range rows {
			if d := rows[i].Inspection.Dropped(); d != nil {
				found = d
			}
		}
	}
	if found == nil || found.Check != "contamination" || !strings.HasSuffix(found.Match, "evals.jsonl:2 (q7) question") || found.Value <= 0.5 || found.Signal != quality.SignalContamination {
		t.Errorf("finding %+v", found)
	}
	var pinned []schema.ManifestSource
	l.must(l.rooms(l.store).getJSON(t.Context(), l.run.Sources(), &pinned))
	if last := pinned[len(pinned)-1]; last.Role != RoleEvaluations || last.Files[0].ETag == "" || !strings.HasPrefix(last.Files[0].Key, l.run.Home()) {
		t.Errorf("pinned %+v", last)
	}
}
