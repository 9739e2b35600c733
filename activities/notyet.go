package activities

import (
	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
)

// notYet refuses what a recipe may say and this program doesn't do (a check that silently isn't made is worse than none), and
// parameters that the index can't work with.
func notYet(r *schema.Recipe) error {
	var faults schema.Faults
	for _, k := range []struct {
		asked bool
		path  string
		mend  string
	}{
		{len(r.Checks.Contamination.Against) > 0, "checks.contamination.against", "compare with evaluation sets after publishing"},
	} {
		if k.asked {
			faults = append(faults, r.At(k.path, "isn't supported by this version of Retort", k.mend))
		}
	}
	if err := dedup.ParamsOf(r.Checks.Near).Check(); err != nil {
		faults = append(faults, r.At("checks.near", err.Error(), "leave bands, rows and shingle out for the defaults"))
	}
	return faults.Err()
}
