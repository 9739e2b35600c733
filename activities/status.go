package activities

import (
	"context"
	"encoding/json"
	"time"

	"github.com/retort-data/retort/schema"
)

// SaveStatus puts a run's status, so that people see it without a worker and after Temporal has forgotten the run.
func (r *Rooms) SaveStatus(ctx context.Context, s schema.Status) error {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return r.Store.Put(ctx, r.run(schema.RunRef{Dataset: s.Dataset, Run: s.Run}).Status(), b)
}

// SaveHeld puts the state of a run that is held.
func (r *Rooms) SaveHeld(ctx context.Context, in schema.HeldInput, state json.RawMessage) error {
	if err := r.explainRejects(ctx, in.RunRef, state); err != nil {
		return err
	}
	return r.putOnce(ctx, r.run(in.RunRef).Held(in.Number), state, func() error { return nil }) // a retry's own
}

// LoadHeld reads the state of a held run for its continuation.
func (r *Rooms) LoadHeld(ctx context.Context, in schema.HeldInput) (json.RawMessage, error) {
	return r.Store.Get(ctx, r.run(in.RunRef).Held(in.Number))
}

// Tidy deletes a run's journals: their answers stand in the pages' final objects.
func (r *Rooms) Tidy(ctx context.Context, ref schema.RunRef) error {
	var keys []string
	for in, err := range r.Store.List(ctx, r.run(ref).Journals(), "") {
		if err != nil {
			return err
		}
		if keys = append(keys, in.Key); len(keys) == 1000 {
			if err := r.Store.Delete(ctx, keys...); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	return r.Store.Delete(ctx, keys...)
}

// Problem is what went wrong in a run, in full, for the person who asks; Temporal has its code alone.
type Problem struct {
	Step    string    `json:"step"`
	Code    string    `json:"code"`
	Message string    `json:"message"`
	Attempt int32     `json:"attempt"`
	At      time.Time `json:"at"`
}
