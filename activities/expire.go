package activities

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// What may be decided about a held run.
const (
	HoldReleased  = "release"
	HoldCancelled = "cancel"
	HoldExpired   = "expire"
)

// holdDecision stands on S3 once a hold is decided, so that of a release and an expiry at the same moment one wins.
type holdDecision struct {
	What string    `json:"what"`
	At   time.Time `json:"at"`
}

// DecideHold decides the n-th hold of a run, if nobody has decided otherwise; it returns what is decided.
func DecideHold(ctx context.Context, s store.Store, run store.Run, n int, what string) (string, error) {
	body, err := json.MarshalIndent(holdDecision{what, time.Now().UTC()}, "", " ")
	if err != nil {
		return "", err
	}
	err = s.PutNew(ctx, run.HoldDecision(n), body)
	if !errors.Is(err, store.ErrExists) {
		return what, err
	}
	stands, err := s.Get(ctx, run.HoldDecision(n))
	if err != nil {
		return "", err
	}
	var d holdDecision
	err = decode(run.HoldDecision(n), stands, &d)
	return d.What, err
}

// ExpireHeld says whether a run is still held by that hold, and with Ends cancels it then.
func (r *Rooms) ExpireHeld(ctx context.Context, in schema.ExpireHeld) (bool, error) {
	run := r.run(in.RunRef)
	var s schema.Status
	if err := r.getJSON(ctx, run.Status(), &s); err != nil {
		if notFound(err) { // a person has taken the run away
			return false, nil
		}
		return false, err
	}
	mine := s.State == schema.StateHeld && s.HeldAs == in.Number
	if !mine || !in.Ends {
		return mine || in.Ends && s.Reason == schema.ReasonExpired && s.HeldAs == in.Number, nil
	}
	decided, err := DecideHold(ctx, r.Store, run, in.Number, HoldExpired)
	if err != nil || decided != HoldExpired {
		return false, err
	}
	s.State, s.Reason, s.Updated = schema.StateCancelled, schema.ReasonExpired, time.Now().UTC()
	return true, r.SaveStatus(ctx, s)
}
