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
	// Peers is how many processes may ask for leases, this one among them: a hint.
	Peers(ctx context.Context) int
}

const (
	// confirmEvery is how often a lease is confirmed: it may fail twice before the lease ends.
	confirmEvery = schema.LeaseUsed / 3
	// askWithin bounds one ask or confirmation.
	askWithin = 3 * time.Second
	// askPause is how long after a failed ask the next one comes.
	askPause = 500 * time.Millisecond
	// emptyFor is how long a process without pages of a teacher keeps its lease: the next page may be on its way. Others may have use for
	// a part of a limit, so it is kept for less.
	emptyFor, emptyPart = time.Second, 100 * time.Millisecond
	// lookEvery, times those who share the limit, is how often who could use more looks whether there is more. It leaves no event.
	lookEvery = 150 * time.Millisecond
	// waitEvery is the same while another was asked to give some of its own.
	waitEvery = 100 * time.Millisecond
	// softFor is how long who gets a whole limit while it has peers uses no more than its part: they will ask in a moment, and what is on
	// its way by then can't be given to them.
	softFor = 500 * time.Millisecond
	// tellEvery is how often who has something to give looks whether it is time to say so.
	tellEvery = 50 * time.Millisecond
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
	flew    int64     // requests under way at the last ask
	until   time.Time // the lease ends
	lookAt  time.Time // to confirm it again
	peers   int64     // as last heard
	softly  time.Time // until then, no more than a peer's part is used
	askAt   time.Time // not before
	empty   time.Time // nothing is wanted since
	accused time.Time // when others were last suspected
	failing bool
}

func newTenant(lender Lender, process string, limiter *teacher.Limiter, name string, limits schema.Limits, log *slog.Logger) *tenant {
	return &tenant{lender: lender, limiter: limiter, name: name, limits: limits, worker: schema.LeaseWorker(process, rand.Text()), log: log, kick: make(chan struct{}, 1)}
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
	case want == 0 && now.Sub(t.empty) < t.keeps():
		return t.empty.Add(t.keeps()).Sub(now)
	case want == 0:
		t.giveBack(ctx)
		return 0
	case t.mustAsk(now, want):
		wait := t.askAt.Sub(now)
		if wait > 0 && !t.due(now) && !t.gives(want) && !t.comesEarly(ctx, wait) {
			return min(wait, t.looks(wait))
		}
		t.ask(ctx, now, want)
	case !now.Before(t.lookAt):
		t.confirm(ctx, now)
	}
	return t.pause(want)
}

// pause is the time until the next step.
func (t *tenant) pause(want int64) time.Duration {
	next := time.Until(t.lookAt)
	if t.lease.Number == 0 {
		next = t.looks(time.Until(t.askAt))
	}
	if t.failing {
		next = min(next, askPause)
	}
	if !t.askAt.IsZero() {
		next = min(next, time.Until(t.askAt))
	}
	if t.mayGive(want) {
		next = min(next, tellEvery)
	}
	return max(time.Millisecond, next)
}

// keeps is how long a lease is kept without a page.
func (t *tenant) keeps() time.Duration {
	if t.shared() {
		return emptyPart
	}
	return emptyFor
}

// shared says whether the lease isn't the whole limit.
func (t *tenant) shared() bool {
	s := t.lease.Share
	return s.Concurrency < int64(s.Of.Concurrency) || s.Of.RPM > 0 && s.Pace < schema.WholePace
}

// soft says whether the peers of who has just got the whole limit may be about to ask.
func (t *tenant) soft() bool {
	return t.lease.Number != 0 && t.peers > 1 && !t.shared() && time.Now().Before(t.softly)
}

// looksAgain is when to confirm the lease again: soon where the process could use more than its part.
func (t *tenant) looksAgain(want int64) time.Duration {
	s := t.lease.Share
	if t.soft() {
		return waitEvery
	}
	if !t.shared() || want <= s.Concurrency {
		return confirmEvery
	}
	if t.lease.Again > 0 && t.lease.Again <= int64(confirmEvery/time.Millisecond) { // as waitEvery
		return waitEvery
	}
	sharers := int64(s.Of.Concurrency) / max(1, s.Concurrency)
	if s.Of.RPM > 0 {
		sharers = max(sharers, schema.WholePace/max(1, s.Pace))
	}
	return min(confirmEvery, time.Duration(min(max(1, sharers), int64(confirmEvery/lookEvery)))*lookEvery)
}

// looks is how often who has no lease and was told to wait looks whether there is one.
func (t *tenant) looks(wait time.Duration) time.Duration {
	if wait > confirmEvery {
		return confirmEvery
	}
	return waitEvery
}

// comesEarly says whether who was told to wait can have a lease already.
func (t *tenant) comesEarly(ctx context.Context, wait time.Duration) bool {
	if wait <= tellEvery || t.failing || t.lease.Number != 0 {
		return false
	}
	within, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	stays, err := t.lender.Stands(within, t.name, t.worker, 0)
	return err == nil && !stays
}

// mayGive says whether the process holds more than it will use: it had more under way than its part allows, or too few requests are left.
func (t *tenant) mayGive(want int64) bool {
	c := t.lease.Share.Concurrency
	return t.lease.Number != 0 && (t.flew > c || t.shared() && want <= c)
}

// gives says whether so much of it became free since the last ask that others should know.
func (t *tenant) gives(want int64) bool {
	c := t.lease.Share.Concurrency
	if t.failing || !t.mayGive(want) {
		return false
	}
	if excess := t.flew - c; excess > 0 && int64(t.limiter.State().InFlight)-c <= excess/2 {
		return true
	}
	return t.shared() && 4*want <= min(t.told, c)
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
	return t.gives(want) || t.lease.More && want >= 2*t.told && !now.Before(t.askAt)
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
	if t.lease.Number == 0 {
		t.peers = int64(t.lender.Peers(within))
		t.softly = time.Now().Add(softFor)
	}
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
	t.lease, t.told, t.flew, t.askAt = got, want, a.Flying, time.Time{}
	if got.Again > 0 {
		t.askAt = time.Now().Add(time.Duration(got.Again) * time.Millisecond)
	}
	t.use(now)
	t.lookAt = now.Add(t.looksAgain(want))
}

// confirm asks whether the lease still stands, and uses it on if so.
func (t *tenant) confirm(ctx context.Context, now time.Time) {
	within, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	stands, err := t.lender.Stands(within, t.name, t.worker, t.lease.Number)
	t.lookAt = now.Add(t.looksAgain(t.want.Load()))
	switch {
	case err != nil:
		t.failed(ctx, err)
		t.lookAt = now.Add(askPause)
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
	share := t.lease.Share
	if t.soft() {
		share.Concurrency = max(1, share.Concurrency/t.peers)
	}
	t.limiter.SetShare(share, t.until)
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
