package main

import (
	"context"
	"encoding/json"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// putRelease keeps who released the n-th hold of a run, and why; Publish writes it into the manifest.
func putRelease(ctx context.Context, s store.Store, run store.Run, n int, note schema.Release) error {
	b, err := json.MarshalIndent(note, "", " ")
	if err != nil {
		return err
	}
	return s.Put(ctx, run.Release(n), b)
}

func (a *app) putStatus(d store.Dataset, s *schema.Status) error {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return a.objects.Put(a.ctx, d.Run(s.Run).Status(), b)
}
