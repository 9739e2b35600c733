package activities

import (
	"context"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/retort-data/retort/schema"
)

// beatEvery is how often an activity says that it lives; the server gives it up after some seconds without.
const beatEvery = 500 * time.Millisecond

// Beat is an activity's progress, as its heartbeats carry it: a hint for who watches, never the truth.
type Beat struct {
	Total  int64 `json:"total"`
	Done   int64 `json:"done"`
	Failed int64 `json:"failed,omitempty"`
}

// beat counts progress between heartbeats.
type beat struct{ total, done, failed atomic.Int64 }

type beatKey struct{}

// beatOf returns the activity's beat, or one that nobody hears where there is none.
func beatOf(ctx context.Context) *beat {
	if b, ok := ctx.Value(beatKey{}).(*beat); ok {
		return b
	}
	return &beat{}
}

func (b *beat) start(total, done int) {
	b.total.Store(int64(total))
	b.done.Store(int64(done))
}

func (b *beat) answered(rows []schema.Response) {
	b.done.Add(int64(len(rows)))
	for i := range rows {
		if rows[i].Failed() {
			b.failed.Add(1)
		}
	}
}

func (b *beat) now() Beat { return Beat{b.total.Load(), b.done.Load(), b.failed.Load()} }

// beating heartbeats until the returned function is called.
func beating(ctx context.Context) (context.Context, func()) {
	b := &beat{}
	ctx = context.WithValue(ctx, beatKey{}, b)
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx, b.now())
			}
		}
	}()
	return ctx, func() { close(done) }
}
