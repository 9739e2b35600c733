package activities

import (
	"context"

	"github.com/retort-data/retort/schema"
)

// Published says which version a run has become; version 0 where none.
func (r *Rooms) Published(ctx context.Context, ref schema.RunRef) (schema.PublishResult, error) {
	run := r.run(ref)
	newest, err := NewestVersion(ctx, r.Store, run.Dataset)
	if err != nil {
		return schema.PublishResult{}, err
	}
	got, _, err := r.published(ctx, run, newest)
	return got, err
}
