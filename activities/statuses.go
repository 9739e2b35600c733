package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Statuses reads the status of a dataset's runs, the newest first; of all, or of the newest that has one.
func Statuses(ctx context.Context, s store.Store, d store.Dataset, all bool) ([]schema.Status, error) {
	runs, err := s.Folders(ctx, d.Runs())
	if err != nil {
		return nil, err
	}
	var out []schema.Status
	for i := len(runs) - 1; i >= 0; i-- {
		body, err := s.Get(ctx, d.Run(runs[i]).Status())
		if notFound(err) { // begun, and no worker has taken it up yet; or a preview
			continue
		}
		if err != nil {
			return nil, err
		}
		var st schema.Status
		if err := json.Unmarshal(body, &st); err != nil {
			return nil, &schema.Error{Kind: schema.KindFailed, Code: "status", Op: "read", Subject: d.URI(d.Run(runs[i]).Status()), Cause: err}
		}
		st.ForgetWaits(time.Now()) // where no worker is left, nobody has done it
		if out = append(out, st); !all {
			break
		}
	}
	return out, nil
}

// NewestStatus is the status of the newest run, nil where there is none.
func NewestStatus(ctx context.Context, s store.Store, d store.Dataset) (*schema.Status, error) {
	got, err := Statuses(ctx, s, d, false)
	if err != nil || len(got) == 0 {
		return nil, err
	}
	return &got[0], nil
}
