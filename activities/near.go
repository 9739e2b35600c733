package activities

import (
	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
)

// checkNear refuses parameters that the index of near-duplicates can't work with.
func checkNear(r *schema.Recipe) error {
	if err := dedup.ParamsOf(r.Checks.Near).Check(); err != nil {
		return schema.Faults{r.At("checks.near", err.Error(), "leave bands, rows and shingle out for the defaults")}
	}
	return nil
}
