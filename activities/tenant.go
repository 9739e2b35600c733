package activities

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// Lender lends teachers' limits to worker processes: one limit over all of them.
type Lender interface {
	// Lend asks for a share. It must not answer an ask that was given up.
	Lend(ctx context.Context, teacher string, a schema.LeaseAsk) (schema.Lease, error)
	// Stands says whether a lease may still be used.
	Stands(ctx context.Context, teacher, worker string, number int64) (bool, error)
}

const (
	// confirmEvery is how often a lease is confirmed: it may fail twice before the lease ends.
	confirmEvery = schema.LeaseUsed / 3
	// askWithin bounds one ask or confirmation.
	askWithin = 3 * time.Second
	// askPause is how long after a failed ask the next one comes.
	askPause = 500 * time.Millisecond
	// emptyFor is how long a process without pages of a teacher keeps its lease: the next page may be on its way.
	emptyFor = time.Second
)

// tenant holds a process's lease of one teacher's limit. It costs nothing while the process has no page of that teacher.
type tenant struct {
	lender  Lender
	limiter *teacher.Limiter
	name    string
	limits  schema.Limits
	worker  string
	log     *slog.Logger

	want    atomic.Int64 // requests of pages here that aren't answered yet
	largest atomic.Int64 // tokens of the dearest request so far
	suspect atomic.Bool
	kick    chan struct{}

	// What follows belongs to hold alone.
	asks    int64
	lease   schema.Lease
	told    int64     // wanted at the last ask
	until   time.Time // the lease ends
	askAt   time.Time // not before
	empty   time.Time // nothing is wanted since
	accused time.Time // when others were last suspected
	failing bool
}

func newTenant(lender Lender, limiter *teacher.Limiter, name string, limits schema.Limits, log *slog.Logger) *tenant {
	return &tenant{lender: lender, limiter: limiter, name: name, limits: limits, worker: rand.Text(), log: log, kick: make(chan struct{}, 1)}
}

// enter notes a page's requests; largest is the dearest one in tokens. again says that the page was asked before: who asked it may have died.
func (t *tenant) enter(requests, largest int64, again bool) {
	for had := t.largest.Load(); largest > had && !t.largest.CompareAndSwap(had, largest); had = t.largest.Load() {
	}
	t.want.Add(requests)
	if again {
		t.suspect.Store(true)
	}
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// leave notes that requests were answered, or given up.
func (t *tenant) leave(requests int64) { t.want.Add(-requests) }

// hold holds the lease until ctx ends, and then gives it back.
func (t *tenant) hold(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			t.giveBack(context.WithoutCancel(ctx))
			return
		case <-t.kick:
		case <-timer.C:
		}
		if wait := t.step(ctx, time.Now()); wait > 0 {
			timer.Reset(wait)
		}
	}
}

// step asks or confirms where it is time to, and returns when to look again; 0: at the next page.
func (t *tenant) step(ctx context.Context, now time.Time) time.Duration {
	want := t.want.Load()
	if want > 0 {
		t.empty = time.Time{}
	} else if t.empty.IsZero() {
		t.empty = now
	}
	switch {
	case want == 0 && t.lease.Number == 0:
		return 0
	case want == 0 && now.Sub(t.empty) < emptyFor:
		return t.empty.Add(emptyFor).Sub(now)
	case want == 0:
		t.giveBack(ctx)
		return 0
	case t.mustAsk(now, want):
		wait := t.askAt.Sub(now)
		if wait > 0 && !t.due(now) && !t.comesEarly(ctx, wait) {
			return min(wait, confirmEvery)
		}
		t.ask(ctx, now, want)
	default:
		t.confirm(ctx, now)
	}
	next := confirmEvery
	if t.failing {
		next = askPause
	}
	if !t.askAt.IsZero() {
		next = min(next, max(time.Millisecond, time.Until(t.askAt)))
	}
	return next
}

// comesEarly says whether who has waited for its turn can have it already.
func (t *tenant) comesEarly(ctx context.Context, wait time.Duration) bool {
	if wait <= confirmEvery || t.failing || t.lease.Number != 0 {
		return false
	}
	within, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	stays, err := t.lender.Stands(within, t.name, t.worker, 0)
	return err == nil && !stays
}

// due says whether an ask can't wait.
func (t *tenant) due(now time.Time) bool {
	return t.suspect.Load() && now.Sub(t.accused) > schema.LeaseGone
}

func (t *tenant) mustAsk(now time.Time, want int64) bool {
	switch {
	case t.lease.Number == 0, !now.Before(t.until):
		return true
	case !t.askAt.IsZero() && !now.Before(t.askAt), t.due(now):
		return true
	}
	return t.lease.More && want >= 2*t.told
}

// ask asks for a share.
func (t *tenant) ask(ctx context.Context, now time.Time, want int64) {
	t.asks++
	a := schema.LeaseAsk{Worker: t.worker, Ask: t.asks, Want: want, Flying: int64(t.limiter.State().InFlight), Largest: t.largest.Load(),
		Limits: t.limits, Suspect: t.due(now)}
	if now.Before(t.until) {
		a.Using = t.lease.Number
	} // else nothing is sent by it any more
	within, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	got, err := t.lender.Lend(within, t.name, a)
	if err != nil {
		t.failed(ctx, err)
		t.askAt = time.Now().Add(askPause)
		return
	}
	t.worked()
	if a.Suspect {
		t.suspect.Store(false)
		t.accused = now
	}
	t.lease, t.told, t.askAt = got, want, time.Time{}
	if got.Again > 0 {
		t.askAt = time.Now().Add(time.Duration(got.Again) * time.Millisecond)
	}
	t.use(now)
}

// confirm asks whether the lease still stands, and uses it on if so.
func (t *tenant) confirm(ctx context.Context, now time.Time) {
	within, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	stands, err := t.lender.Stands(within, t.name, t.worker, t.lease.Number)
	switch {
	case err != nil:
		t.failed(ctx, err)
	case stands:
		t.worked()
		t.use(now)
	default:
		t.askAt = now
	}
}

// use lets the limiter send by the lease for a while, counted from when it was asked for.
func (t *tenant) use(asked time.Time) {
	t.until = asked.Add(schema.LeaseUsed)
	if t.lease.Number == 0 {
		t.until = time.Time{}
	}
	t.limiter.SetShare(t.lease.Share, t.until)
}

func (t *tenant) giveBack(ctx context.Context) {
	t.limiter.SetShare(schema.Share{}, time.Time{})
	if t.lease.Number == 0 {
		return
	}
	t.asks++
	t.lease, t.until, t.askAt, t.empty = schema.Lease{}, time.Time{}, time.Time{}, time.Time{}
	within, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if _, err := t.lender.Lend(within, t.name, schema.LeaseAsk{Worker: t.worker, Ask: t.asks, Limits: t.limits}); err != nil {
		t.failed(ctx, err) // it ends by itself
	}
}

func (t *tenant) failed(ctx context.Context, err error) {
	if !t.failing && ctx.Err() == nil {
		t.log.Warn("a teacher's limit can't be leased; nothing more is sent to it when the lease ends", "teacher", t.name, "until", t.until, "error", err)
	}
	t.failing = true
}

func (t *tenant) worked() {
	if t.failing {
		t.log.Info("a teacher's limit is leased again", "teacher", t.name)
	}
	t.failing = false
}
