package activities

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/retort-data/retort/notify"
	"github.com/retort-data/retort/schema"
)

// Notify tells an event to those of the configuration who want it, and returns whom it couldn't reach and may try again. It has no
// error: that nobody could be told is no fault of a run.
func (r *Rooms) Notify(ctx context.Context, in schema.NotifyInput) ([]int, error) {
	left := []int{}
	for i, t := range r.Config.Notify {
		if !notify.Wants(t, in.Event.Event) || in.Left != nil && !slices.Contains(in.Left, i) {
			continue
		}
		err := notify.Send(ctx, t, in.Event, os.Getenv, time.Now())
		if err == nil {
			continue
		}
		r.Log.Warn("a webhook could not be told", "url_env", t.URLEnv, "event", in.Event.Event, "dataset", in.Event.Dataset, "run", in.Event.Run, "error", err)
		if !errors.Is(err, notify.ErrForGood) {
			left = append(left, i)
		}
	}
	return left, nil
}
