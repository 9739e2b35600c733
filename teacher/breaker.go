package teacher

import "time"

// Phases of a breaker.
const (
	PhaseClosed = "closed"    // calls are made
	PhaseOpen   = "open"      // none is made until a moment
	PhaseTrial  = "half-open" // one is under way, and decides
)

// Breaker defaults.
const (
	breakerFailures  = 10
	breakerFirstWait = time.Second
	breakerMostWait  = 30 * time.Second
	breakerBound     = 10 * time.Minute
)

// breaker is a circuit breaker. It lives in the limiter and under its lock, because its trial must be one with
// the turn that it gets, and because it must know for how long the teacher has been failing over all trials,
// which the libraries' breakers forget at each trial. Not for concurrent use.
type breaker struct {
	phase    string
	failures int       // in a row
	since    time.Time // when it opened after the last success
	until    time.Time // next trial
	pause    time.Duration
	reason   string // code of the newest failure
}

// allows says whether a call may start, and whether it would be the trial.
func (b *breaker) allows(now time.Time) (ok, trial bool) {
	switch b.phase {
	case PhaseOpen:
		return !now.Before(b.until), true
	case PhaseTrial:
		return false, false
	}
	return true, false
}

// answered records a call by which the teacher showed that it is there.
func (b *breaker) answered() { *b = breaker{} }

// failed records a call that failed as if nobody were there.
func (b *breaker) failed(now time.Time, trial bool, code string) {
	b.failures++
	b.reason = code
	switch {
	case trial && b.phase == PhaseTrial:
		b.pause = min(2*b.pause, breakerMostWait)
	case b.phase == "" && b.failures >= breakerFailures:
		b.since, b.pause = now, breakerFirstWait
	default:
		return
	}
	b.phase, b.until = PhaseOpen, now.Add(b.pause)
}

// abandoned records a trial that was cancelled: it says nothing.
func (b *breaker) abandoned(now time.Time) {
	if b.phase == PhaseTrial {
		b.phase, b.until = PhaseOpen, now
	}
}
