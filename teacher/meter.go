package teacher

import (
	"time"

	"github.com/retort-data/retort/schema"
)

// A minute is counted longer than a minute: two requests reach a teacher further apart or closer together than
// they were sent, and the teacher counts arrivals. A window of n slots holds any n-1 slots of time.
const (
	slot         = 500 * time.Millisecond
	requestSlots = 124 // 61.5 s: arrivals may be 1.5 s closer than sends
	tokenSlots   = 122 // 60.5 s: tokens are counted at their worst until the answer, so they have a margin already
)

// meter holds the sends of the last minute against a limit. Two rules must both allow a send: the window, which
// makes the limit exact whatever went before, and an even pace with a small burst, so that the limit isn't spent
// in the first seconds and also holds for a minute in which one worker's lease passed to another. Not for
// concurrent use.
type meter struct {
	limit int64 // per minute; 0: none
	pace  float64
	burst float64
	level float64 // what may be sent at once; below 0 after a send larger than the burst
	at    time.Time
	slots []int64 // of the window, as a ring
	sum   int64
	base  time.Time
	newst int64 // number of the newest slot, counted from base by the monotonic clock
}

func newMeter(slots int) meter { return meter{slots: make([]int64, slots), base: time.Now()} }

// in returns the slot of that number.
func (m *meter) in(n int64) *int64 { return &m.slots[n%int64(len(m.slots))] }

// set changes the limit. A meter begins with nothing saved up: it doesn't know what others sent before it.
func (m *meter) set(limit int64, now time.Time) {
	m.refill(now, 1)
	m.limit = limit
	m.burst = float64(max(1, limit/50))
	m.pace = (float64(limit) - m.burst + 1) / m.span()
	m.level = min(m.level, m.burst)
}

// setPart makes it one of some meters of the same limit. All bursts together are bursts at most, and all paces the pace of what is
// then left: over all of them no window is above the limit, however paces and bursts pass from one to another. The window of this
// one alone guards the whole limit.
func (m *meter) setPart(limit, bursts, pace, burst int64, now time.Time) {
	m.refill(now, 1)
	m.limit = limit
	m.burst = float64(burst)
	m.pace = float64(limit-bursts+1) * float64(pace) / schema.WholePace / m.span()
	m.level = min(m.level, m.burst)
}

// span is the window in seconds.
func (m *meter) span() float64 { return (time.Duration(len(m.slots)) * slot).Seconds() }

// refill brings level and slots up to now. share slows the pace, 0 to 1.
func (m *meter) refill(now time.Time, share float64) {
	if dt := now.Sub(m.at).Seconds(); !m.at.IsZero() && dt > 0 {
		m.level = min(m.burst, m.level+m.pace*share*dt)
	}
	m.at = now
	n := m.slotOf(now)
	if n-m.newst >= int64(len(m.slots)) {
		clear(m.slots)
		m.sum, m.newst = 0, n
		return
	}
	for m.newst < n {
		m.newst++
		at := m.in(m.newst)
		m.sum -= *at
		*at = 0
	}
}

func (m *meter) slotOf(t time.Time) int64 { return int64(t.Sub(m.base) / slot) }

// wait returns 0 where n may be sent now, else when to look again. What is larger than the whole limit may be
// sent alone.
func (m *meter) wait(now time.Time, n int64, share float64) time.Duration {
	if m.limit == 0 {
		return 0
	}
	m.refill(now, share)
	if m.sum > 0 && m.sum+n > m.limit {
		return m.untilOldestLeaves(now)
	}
	if need := min(float64(n), m.burst) - m.level; need > 1e-9 {
		return time.Duration(need/(m.pace*share)*float64(time.Second)) + time.Microsecond
	}
	return 0
}

func (m *meter) untilOldestLeaves(now time.Time) time.Duration {
	for i := int64(1); i <= int64(len(m.slots)); i++ {
		n := m.newst + i // the slot that this one will replace
		if *m.in(n) > 0 {
			return m.base.Add(time.Duration(n) * slot).Sub(now)
		}
	}
	return slot
}

// take counts n as sent now.
func (m *meter) take(now time.Time, n int64) {
	if m.limit == 0 {
		return
	}
	m.level -= float64(n)
	*m.in(m.newst) += n
	m.sum += n
}

// settle corrects what was taken at a moment to what was used.
func (m *meter) settle(at, now time.Time, taken, used int64) {
	if m.limit == 0 || taken == used {
		return
	}
	m.refill(now, 1)
	m.level = min(m.burst, m.level+float64(taken-used))
	if n := m.slotOf(at); m.newst-n < int64(len(m.slots)) {
		s := m.in(n)
		change := max(used-taken, -*s)
		*s += change
		m.sum += change
	}
}
