package e2e

import (
	"path/filepath"
	"testing"

	"github.com/retort-data/retort/local/photocopy"
	"github.com/retort-data/retort/local/teacher"
)

// What the project is for, small: a student of its own answers loses half of its vocabulary in three generations; with human rows,
// checks and gate nothing that is published does, and the gate says so in generation 2. Every figure is that of `make photocopy`.
func TestPhotocopy(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	regimes := photocopy.Regimes()
	site := &photocopy.Site{Stack: l.stack, Binary: binary, Dir: t.TempDir()}
	got, err := photocopy.Run(t.Context(), site, photocopy.Options{Answers: 1500, Generations: 3, Budget: 16_000, Regimes: []photocopy.Regime{regimes[0], regimes[2]}, Log: t.Output()})
	l.must(err)
	t.Logf("\n%s", got.Table())
	for _, c := range got.Claims() {
		if !c.Holds {
			t.Errorf("not so: %s", c.Text)
		}
	}
	gated := got.Series[1].Generations
	if gated[1].Reason != "gate" || gated[1].Version != 1 || gated[0].HumanShare != 0.5 {
		t.Errorf("generation 2 of the gated regime: %+v", gated[1])
	}
	l.config = filepath.Join(site.Dir, "temporal.yaml")
	l.ok("verify", "photocopy-gated@1")
	if m := l.manifest("photocopy-gated", 1); m.Counts.Human != m.Counts.Admitted || m.Generations["0"] != m.Counts.Human || m.Gate.Verdict != "pass" {
		t.Errorf("version 1 of the gated regime: counts %+v, generations %v, gate %+v", m.Counts, m.Generations, m.Gate)
	}
	replaced := got.Series[0].Generations
	if last := replaced[len(replaced)-1]; last.Depth != "3" || last.TrainedOn != "photocopy-replaced@2" {
		t.Errorf("lineage: depth %s, trained on %s", last.Depth, last.TrainedOn)
	}
}
