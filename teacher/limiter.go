package teacher

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/retort-data/retort/schema"
)

// DefaultConcurrency is what a teacher gets that declares none.
const DefaultConcurrency = 8

// Rate is what may be sent. RPM and TPM are per minute, 0 is no limit; Concurrency 0 is DefaultConcurrency.
type Rate struct {
	RPM, TPM, Concurrency int
}

// FullRate is a teacher's whole limit.
func FullRate(l schema.Limits) Rate { return Rate{RPM: l.RPM, TPM: l.TPM, Concurrency: l.Concurrency} }

// Limiter decides when a process may call a teacher: lease, concurrency, requests and tokens per minute, the
// teacher's own headers, AIMD and breaker in one place, in fair turns. A new one has no lease and so sends nothing.
type Limiter struct {
	name  string
	bound time.Duration // of the breaker

	mu       sync.Mutex
	lease    Rate
	share    schema.Share // of a limit that others share; zero: the lease is this process's own
	whole    int64        // tokens a minute of the whole limit
	leased   bool
	until    time.Time // zero: forever
	requests meter
	tokens   meter
	inFlight int
	aimd     aimd
	breaker  breaker
	server   allowance
	queue    flows
	sent     uint64 // turns taken
	sentTok  int64  // tokens of all turns taken
	timer    *time.Timer
	stopped  error // all asking stops for this; cleared by Reset
	stopCode string
	lastGone error  // what they were told
	life     uint64 // counts the times that the breaker's bound sent everyone home
	why      string // what the head of the queue waits for
	whyUntil time.Time
	whySince time.Time
}

// NewLimiter returns a limiter for the teacher of that name. bound is for how long its breaker may be open
// before all who wait are sent home; 0 is ten minutes.
func NewLimiter(name string, bound time.Duration) *Limiter {
	if bound <= 0 {
		bound = breakerBound
	}
	return &Limiter{name: name, bound: bound, requests: newMeter(requestSlots), tokens: newMeter(tokenSlots)}
}

// SetLease replaces the lease: rate may be used until a moment, after which nothing is sent. The zero time is
// no end. May be called at any time; what was sent before still counts.
func (l *Limiter) SetLease(rate Rate, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if rate.Concurrency <= 0 {
		rate.Concurrency = DefaultConcurrency
	}
	if !l.leased || rate != l.lease || l.share != (schema.Share{}) {
		l.requests.set(int64(max(0, rate.RPM)), now)
		l.tokens.set(int64(max(0, rate.TPM)), now)
	}
	l.lease, l.whole, l.share, l.until, l.leased = rate, int64(rate.TPM), schema.Share{}, until, true
	l.pump(now)
}

// SetShare is SetLease for a part of a limit that other processes share: requests are paced by the part, so that the whole limit
// holds over all of them whatever passes from one to another; tokens are counted a minute, as the lender counts them.
func (l *Limiter) SetShare(s schema.Share, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.leased || s != l.share {
		l.requests.setPart(int64(s.Of.RPM), schema.RequestBurst(s.Of.RPM), s.Pace, s.Burst, now)
		l.tokens.set(s.Tokens, now)
	}
	if !l.until.IsZero() && now.After(l.until) {
		l.requests.level = min(l.requests.level, 0) // saved up while others had it
	}
	l.lease = Rate{RPM: int(int64(s.Of.RPM) * s.Pace / schema.WholePace), TPM: int(s.Tokens), Concurrency: int(s.Concurrency)}
	l.whole, l.share, l.until, l.leased = int64(s.Of.TPM), s, until, s.Concurrency > 0
	l.pump(now)
}

// turn is the permission for one call.
type turn struct {
	at      time.Time
	tokens  int64
	number  uint64 // of the turn
	through int64  // sentTok with this turn's tokens
	epoch   uint64
	trial   bool
	err     error
}

// result is what a call did with its turn.
type result struct {
	code   string // of its fault; empty: answered
	sent   bool   // whether it may have reached the teacher
	tokens int64  // used; negative: unknown
	quota  quota  // what the answer's headers said
}

// waitTurn waits until a call of tokens at most may be sent. life is what currentLife returned when the ask began.
func (l *Limiter) waitTurn(ctx context.Context, life uint64, flow string, weight float64, tokens int64) (turn, error) {
	if err := ctx.Err(); err != nil {
		return turn{}, err
	}
	l.mu.Lock()
	if err := l.stopError(life); err != nil {
		l.mu.Unlock()
		return turn{}, err
	}
	w := &waiter{flow: flow, tokens: tokens, ready: make(chan turn, 1)}
	l.queue.push(w, weight)
	l.pump(time.Now())
	l.mu.Unlock()
	select {
	case t := <-w.ready:
		return t, t.err
	case <-ctx.Done():
		l.giveUp(w)
		return turn{}, ctx.Err()
	}
}

// giveUp takes a waiter out, or gives back the turn that it got meanwhile.
func (l *Limiter) giveUp(w *waiter) {
	l.mu.Lock()
	waited := l.queue.remove(w)
	if waited {
		l.pump(time.Now())
	}
	l.mu.Unlock()
	if !waited {
		if t := <-w.ready; t.err == nil {
			l.done(t, result{code: CodeCancelled})
		}
	}
}

// pump gives turns to those at the head of the queue, and sets the timer for the next one. l.mu is held.
func (l *Limiter) pump(now time.Time) {
	if l.timer != nil {
		l.timer.Stop()
	}
	for {
		w := l.queue.head()
		if w == nil {
			l.why = ""
			return
		}
		if l.expired(now) {
			return
		}
		why, wait, trial := l.obstacle(now, w.tokens)
		if why != "" {
			l.setTimer(now, why, wait)
			return
		}
		l.queue.pop()
		w.ready <- l.take(now, w.tokens, trial)
	}
}

// What a call can wait for, as State says it.
const (
	WaitLease       = "lease"        // no lease, or an expired one
	WaitConcurrency = "concurrency"  // as many calls as allowed are under way
	WaitRPM         = "rpm"          // requests per minute
	WaitTPM         = "tpm"          // tokens per minute
	WaitServer      = "rate headers" // the teacher's x-ratelimit headers
	WaitBreaker     = "breaker"      // the breaker is open
)

// obstacle returns what keeps a call of that many tokens from being sent now, and when to look again (0: when
// something else happens).
func (l *Limiter) obstacle(now time.Time, tokens int64) (why string, wait time.Duration, trial bool) {
	ok, trial := l.breaker.allows(now)
	share := l.aimd.factor()
	switch {
	case !l.leased || !l.until.IsZero() && !now.Before(l.until):
		return WaitLease, 0, false
	case !ok:
		return WaitBreaker, l.breaker.until.Sub(now), false
	case l.inFlight >= max(1, int(float64(l.lease.Concurrency)*share)):
		return WaitConcurrency, 0, false
	}
	if wait := l.server.wait(now, tokens, l.sent, l.sentTok); wait > 0 {
		return WaitServer, wait, false
	}
	if wait := l.requests.wait(now, 1, share); wait > 0 {
		return WaitRPM, wait, false
	}
	if wait := l.tokens.wait(now, l.capTokens(tokens), share); wait > 0 {
		return WaitTPM, wait, false
	}
	return "", 0, trial
}

// capTokens lets a call that is larger than the whole limit pass as one that fills it.
func (l *Limiter) capTokens(tokens int64) int64 {
	if l.whole > 0 {
		return min(tokens, l.whole)
	}
	return tokens
}

func (l *Limiter) take(now time.Time, tokens int64, trial bool) turn {
	tokens = l.capTokens(tokens)
	l.requests.take(now, 1)
	l.tokens.take(now, tokens)
	l.inFlight++
	l.sent++
	l.sentTok += tokens
	if trial {
		l.breaker.phase = PhaseTrial
	}
	return turn{at: now, tokens: tokens, number: l.sent, through: l.sentTok, epoch: l.aimd.epoch, trial: trial}
}

func (l *Limiter) setTimer(now time.Time, why string, wait time.Duration) {
	if l.why != why {
		l.why, l.whySince = why, now
	}
	l.whyUntil = time.Time{}
	if wait > 0 {
		l.whyUntil = now.Add(wait)
	}
	if l.breaker.phase != "" { // also wake at the bound
		if left := l.breaker.since.Add(l.bound).Sub(now); wait <= 0 || left < wait {
			wait = max(left, time.Millisecond)
		}
	}
	if wait <= 0 {
		return
	}
	if l.timer == nil {
		l.timer = time.AfterFunc(wait, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.pump(time.Now())
		})
		return
	}
	l.timer.Reset(wait)
}

// done gives a turn back with what came of it.
func (l *Limiter) done(t turn, r result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.inFlight--
	if !r.sent {
		l.requests.settle(t.at, now, 1, 0)
		l.tokens.settle(t.at, now, t.tokens, 0)
	} else if r.tokens >= 0 {
		l.tokens.settle(t.at, now, t.tokens, r.tokens)
	}
	if r.code == CodeCancelled {
		if t.trial {
			l.breaker.abandoned(now)
		}
	} else {
		l.aimd.record(now, t.epoch, overload(r.code))
		if down(r.code) {
			l.breaker.failed(now, t.trial, r.code)
		} else {
			l.breaker.answered()
		}
		l.server.learn(now, t, r.quota)
	}
	l.pump(now)
}

// expired sends all who wait home when the breaker has been open for too long.
func (l *Limiter) expired(now time.Time) bool {
	if l.breaker.phase == "" || now.Before(l.breaker.since.Add(l.bound)) {
		return false
	}
	l.life++
	l.lastGone = l.unavailable(now)
	l.breaker.since = now // those who ask from now on have the whole bound
	l.sendHome(l.lastGone)
	return true
}

func (l *Limiter) unavailable(now time.Time) error {
	return &schema.Error{
		Kind: schema.KindHold, Code: CodeUnavailable, Op: "ask", Subject: l.name,
		Cause: fmt.Errorf("no answer for %v (last fault: %s)", now.Sub(l.breaker.since).Round(time.Second), l.breaker.reason),
		Hint:  "see whether its base_url answers (retort teachers --ping), then release the run",
	}
}

func (l *Limiter) sendHome(err error) {
	for l.queue.head() != nil {
		l.queue.pop().ready <- turn{err: err}
	}
	l.why = ""
}

// block stops all asking.
func (l *Limiter) block(code string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped == nil {
		l.stopped, l.stopCode = err, code
		l.whySince = time.Now()
	}
	l.sendHome(l.stopped)
}

func (l *Limiter) stopError(life uint64) error {
	switch {
	case l.stopped != nil:
		return l.stopped
	case life != l.life:
		return l.lastGone
	}
	return nil
}

// blockedBy returns what stops all asking, or nil.
func (l *Limiter) blockedBy() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopped
}

func (l *Limiter) currentLife() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.life
}

// Reset forgets a block and an open breaker: a person has mended what caused it and released the run.
func (l *Limiter) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = nil
	l.breaker = breaker{}
	l.pump(time.Now())
}
