package workflows

import (
	"slices"
	"time"

	"github.com/retort-data/retort/schema"
)

// Ledger is what a teacher's limit is lent to. Whatever may be in use by anybody, by what is known here, adds up to the limit at most:
// a lease that was replaced, or whose holder doesn't answer, is counted until it can't be in use any more.
//
// Requests are held by their pace: a process sends at its share of the pace and at most its burst at once, so that a minute in which
// shares passed from one to another is below the limit, too. Tokens, of which one request may take many, are held by the minute that
// each process counts for itself: a share of them counts for a minute after its end.
type Ledger struct {
	Newest    int64       `json:"newest"`              // number of the newest lease
	Borrowers []*Borrower `json:"borrowers,omitempty"` // in the order in which they came
}

// Borrower is a worker process.
type Borrower struct {
	Worker  string        `json:"worker"`
	Ask     int64         `json:"ask"`
	Want    int64         `json:"want"`
	Flying  int64         `json:"flying,omitempty"`
	Largest int64         `json:"largest,omitempty"`
	Limits  schema.Limits `json:"limits"`
	Heard   time.Time     `json:"heard"`
	Since   time.Time     `json:"since,omitzero"` // it has been lent something since
	Waits   time.Time     `json:"waits,omitzero"` // it has waited for its first lease, or for its next turn, since
	Due     time.Time     `json:"due,omitzero"`   // without a lease: it will ask again by then
	Leases  []Lent        `json:"leases,omitempty"`
	Spent   []Spent       `json:"spent,omitempty"`
}

// Lent is a lease that may be in use.
type Lent struct {
	Number int64        `json:"number"`
	Share  schema.Share `json:"share"`
	Gone   time.Time    `json:"gone,omitzero"` // it can't be in use from then on; zero: it stands as long as its holder confirms it
}

// Spent are tokens of a lease that has ended: the minute in which they were used isn't over.
type Spent struct {
	Tokens int64     `json:"tokens"`
	Until  time.Time `json:"until"`
}

const (
	// turnMost is for how long who holds a lease keeps it while others wait for one, where there are fewer leases than workers.
	turnMost = 2 * time.Minute
	// tokenMinute is how long tokens count: teacher's meter counts a minute of them as 60.5 seconds, and a call is some time on its way.
	tokenMinute = 62 * time.Second
	// soon, later: when who didn't get all of its share asks again: those who have it were called, or it is in nobody's hands yet.
	soon, later = 1000, 5000 // milliseconds
	// confirm: when who got less than it had says that it uses no more than that.
	confirm = 50
	// after: when those who were called have answered, or are gone.
	after = int64(schema.LeaseGone/time.Millisecond) + 500
	// wantedWithin: a process that wants n requests can't use a pace of more than n in that time.
	wantedWithin = 4 * time.Second
)

// Lend answers an ask.
func (l *Ledger) Lend(now time.Time, a schema.LeaseAsk) schema.Lease {
	for _, process := range a.Gone {
		l.bury(now, process)
	}
	l.expire(now)
	b := l.borrower(a.Worker)
	if b == nil {
		if a.Want <= 0 {
			if a.Suspect {
				l.CallAll(now)
			}
			return schema.Lease{}
		}
		b = &Borrower{Worker: a.Worker, Waits: now}
		l.Borrowers = append(l.Borrowers, b)
	}
	if a.Ask <= b.Ask { // a late one, overtaken by the next
		return schema.Lease{Again: soon}
	}
	b.Ask, b.Want, b.Flying, b.Largest, b.Limits, b.Heard = a.Ask, max(0, a.Want), max(0, a.Flying), max(0, a.Largest), a.Limits, now
	b.keepOnly(a.Using, now)
	if b.Want == 0 {
		b.keepOnly(0, now)
		b.Since, b.Waits = time.Time{}, time.Time{}
		return schema.Lease{}
	}
	return l.grant(now, b, a.Suspect)
}

// Stands says whether a worker may go on using a lease, or waiting (0). Where it could have more by now, it has to ask again.
func (l *Ledger) Stands(now time.Time, worker string, number int64) bool {
	b := l.borrower(worker)
	if b == nil {
		return false
	}
	of := l.limits()
	could := least(l.fair(now, of)[worker].Share, l.free(b, of))
	if number == 0 {
		return !usable(could, b, of)
	}
	if len(b.Leases) == 0 || b.newest().Number != number || !b.newest().Gone.IsZero() {
		return false
	}
	alone := could == schema.WholeShare(of) // the little that is missing would be nobody's
	return !short(b.newest().Share, could) && (!alone || b.newest().Share == could)
}

// CallAll makes everybody ask again; who doesn't is gone after a while.
func (l *Ledger) CallAll(now time.Time) {
	for _, b := range l.Borrowers {
		b.call(now)
	}
}

// bury frees what a process had that is known to have ended. Its tokens count on for their minute.
func (l *Ledger) bury(now time.Time, process string) {
	for _, b := range l.Borrowers {
		if schema.LeaseOf(b.Worker, process) {
			b.keepOnly(0, now)
			b.Want, b.Flying = 0, 0
		}
	}
}

// Empty says whether nothing is lent, nor counts any more.
func (l *Ledger) Empty(now time.Time) bool {
	l.expire(now)
	return len(l.Borrowers) == 0
}

func (l *Ledger) borrower(worker string) *Borrower {
	for _, b := range l.Borrowers {
		if b.Worker == worker {
			return b
		}
	}
	return nil
}

// expire forgets what can't be in use any more, and who holds and wants nothing.
func (l *Ledger) expire(now time.Time) {
	for _, b := range l.Borrowers {
		b.Leases = slices.DeleteFunc(b.Leases, func(lent Lent) bool {
			gone := !lent.Gone.IsZero() && !lent.Gone.After(now)
			if gone {
				b.spend(lent, lent.Gone)
			}
			return gone
		})
		b.Spent = slices.DeleteFunc(b.Spent, func(s Spent) bool { return !s.Until.After(now) })
		if len(b.Leases) == 0 && now.Sub(b.Due) >= schema.LeaseGone {
			b.Want, b.Flying = 0, 0
		}
	}
	l.Borrowers = slices.DeleteFunc(l.Borrowers, func(b *Borrower) bool { return b.Want == 0 && len(b.Leases) == 0 && len(b.Spent) == 0 })
}

func (b *Borrower) newest() *Lent { return &b.Leases[len(b.Leases)-1] }

// keepOnly ends all leases but the one that is in use.
func (b *Borrower) keepOnly(number int64, now time.Time) {
	b.Leases = slices.DeleteFunc(b.Leases, func(lent Lent) bool {
		if lent.Number != number {
			b.spend(lent, now)
		}
		return lent.Number != number
	})
}

func (b *Borrower) spend(lent Lent, at time.Time) {
	if lent.Share.Tokens > 0 {
		b.Spent = append(b.Spent, Spent{lent.Share.Tokens, at.Add(tokenMinute)})
	}
}

// call makes a holder ask again.
func (b *Borrower) call(now time.Time) {
	for i := range b.Leases {
		if b.Leases[i].Gone.IsZero() {
			b.Leases[i].Gone = now.Add(schema.LeaseGone)
		}
	}
}

// charged is what a borrower may be using, at most, in terms of a limit.
func (b *Borrower) charged(of schema.Limits) schema.Share {
	var c schema.Share
	for _, lent := range b.Leases {
		c.Pace = max(c.Pace, rescale(lent.Share.Pace, lent.Share.Of.RPM, of.RPM))
		c.Burst = max(c.Burst, lent.Share.Burst)
		c.Tokens = max(c.Tokens, lent.Share.Tokens)
		c.Concurrency = max(c.Concurrency, lent.Share.Concurrency)
	}
	for _, s := range b.Spent {
		c.Tokens = max(c.Tokens, s.Tokens)
	}
	c.Concurrency = max(c.Concurrency, b.Flying)
	return c
}

// paced is the part of a limit that is spent by pace.
func paced(rpm int) int64 { return int64(rpm) - schema.RequestBurst(rpm) + 1 }

// rescale turns a share of one limit's pace into one of another's, rounded up.
func rescale(pace int64, from, to int) int64 {
	if from == to || from == 0 || to == 0 {
		return pace
	}
	return (pace*paced(from) + paced(to) - 1) / paced(to)
}

// grant gives a borrower its fair share as far as it is free, and calls those who have more than theirs.
func (l *Ledger) grant(now time.Time, b *Borrower, suspect bool) schema.Lease {
	of := l.limits()
	fair := l.fair(now, of)
	mine := fair[b.Worker]
	share := least(mine.Share, l.free(b, of))
	if !usable(share, b, of) {
		share = schema.Share{}
	}
	lease := schema.Lease{Share: share, More: mine.capped}
	missing := short(share, mine.Share)
	called := false
	for _, other := range l.Borrowers {
		if other == b {
			continue
		}
		if suspect || missing && exceeds(other.charged(of), fair[other.Worker].Share) {
			other.call(now)
		}
		called = called || len(other.Leases) > 0 && !other.newest().Gone.IsZero()
	}
	switch {
	case missing && called:
		lease.Again = soon
	case mine.Concurrency == 0:
		lease.Again = l.turnIn(now)
	case missing || b.Flying > share.Concurrency:
		lease.Again = later
	case called:
		lease.Again = after
	}
	b.replace(now, &lease, &l.Newest)
	b.Due = now.Add(time.Duration(lease.Again) * time.Millisecond)
	return lease
}

// turnIn is the time in milliseconds until somebody has had its turn.
func (l *Ledger) turnIn(now time.Time) int64 {
	wait := turnMost
	for _, b := range l.Borrowers {
		if !b.Since.IsZero() {
			wait = min(wait, b.Since.Add(turnMost).Sub(now))
		}
	}
	return max(soon, wait.Milliseconds()+1)
}

// free is what nobody but b may be using.
func (l *Ledger) free(b *Borrower, of schema.Limits) schema.Share {
	free := schema.WholeShare(of)
	for _, other := range l.Borrowers {
		if other != b {
			free = minus(free, other.charged(of))
		}
	}
	return free
}

// short says whether a share is noticeably smaller than what it should be.
func short(share, should schema.Share) bool {
	less := func(a, b int64) bool { return 10*a < 9*b }
	return less(share.Concurrency, should.Concurrency) || less(share.Pace, should.Pace) || less(share.Tokens, should.Tokens)
}

// replace ends the lease that a borrower has and gives it the new one, unless they are the same.
func (b *Borrower) replace(now time.Time, lease *schema.Lease, newest *int64) {
	if lease.Share == (schema.Share{}) {
		if !b.Since.IsZero() || b.Waits.IsZero() {
			b.Since, b.Waits = time.Time{}, now
		}
	} else if b.Since.IsZero() {
		b.Since, b.Waits = now, time.Time{}
	}
	if len(b.Leases) > 0 {
		had := b.newest()
		if had.Share == lease.Share && had.Gone.IsZero() {
			lease.Number = had.Number
			return
		}
		if exceeds(had.Share, lease.Share) {
			lease.Again = confirm
		}
	}
	b.call(now)
	if lease.Share == (schema.Share{}) {
		return
	}
	*newest++
	lease.Number = *newest
	b.Leases = append(b.Leases, Lent{Number: lease.Number, Share: lease.Share})
}

// usable says whether a request can be sent by a share.
func usable(s schema.Share, b *Borrower, of schema.Limits) bool {
	return s.Concurrency > 0 && (of.RPM == 0 || s.Pace > 0 && s.Burst > 0) && (of.TPM == 0 || s.Tokens > 0 && s.Tokens >= min(b.Largest, int64(of.TPM)))
}

func minus(s, t schema.Share) schema.Share {
	s.Pace, s.Burst, s.Tokens, s.Concurrency = s.Pace-t.Pace, s.Burst-t.Burst, s.Tokens-t.Tokens, s.Concurrency-t.Concurrency
	return s
}

func least(s, t schema.Share) schema.Share {
	s.Pace, s.Burst = max(0, min(s.Pace, t.Pace)), max(0, min(s.Burst, t.Burst))
	s.Tokens, s.Concurrency = max(0, min(s.Tokens, t.Tokens)), max(0, min(s.Concurrency, t.Concurrency))
	return s
}

func exceeds(s, t schema.Share) bool {
	return s.Pace > t.Pace || s.Burst > t.Burst || s.Tokens > t.Tokens || s.Concurrency > t.Concurrency
}

// limits are the smallest that those who want something declare: workers may be on their way to another configuration.
func (l *Ledger) limits() schema.Limits {
	var of schema.Limits
	for _, b := range l.Borrowers {
		if b.Want > 0 {
			of.RPM, of.TPM, of.Concurrency = tighter(of.RPM, b.Limits.RPM), tighter(of.TPM, b.Limits.TPM), tighter(of.Concurrency, b.Limits.Concurrency)
		}
	}
	of.Concurrency = max(1, of.Concurrency)
	return of
}

func tighter(a, b int) int {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// fairShare is what a borrower should have.
type fairShare struct {
	schema.Share
	capped bool // by what it wants
}

// fair splits the limit evenly among those who want something, to none more than it can use unless nobody else can.
func (l *Ledger) fair(now time.Time, of schema.Limits) map[string]fairShare {
	chosen := l.chosen(now, of)
	n := int64(len(chosen))
	paces, slots := make([]int64, n), make([]int64, n)
	for i, b := range chosen {
		paces[i], slots[i] = schema.WholePace, b.Want
		if of.RPM > 0 {
			perMinute := b.Want * int64(time.Minute/wantedWithin)
			paces[i] = min(schema.WholePace, max(1, perMinute*schema.WholePace/paced(of.RPM)))
		}
	}
	gotPace, leftPace := fill(schema.WholePace, paces)
	gotSlots, leftSlots := fill(int64(of.Concurrency), slots)
	out := make(map[string]fairShare, n)
	for i, b := range chosen {
		capped := n > 1 && (gotSlots[i] == slots[i] || of.RPM > 0 && gotPace[i] == paces[i])
		s := schema.Share{Of: of, Concurrency: gotSlots[i] + leftSlots/n}
		if of.RPM > 0 {
			s.Pace, s.Burst = gotPace[i]+leftPace/n, schema.RequestBurst(of.RPM)/n
		}
		if of.TPM > 0 {
			s.Tokens = int64(of.TPM) / n
		}
		out[b.Worker] = fairShare{s, capped}
	}
	return out
}

// chosen are those who get a part now. Each needs at least one request at once and tokens for its dearest request; where
// that isn't enough for all, they take turns.
func (l *Ledger) chosen(now time.Time, of schema.Limits) []*Borrower {
	var all []*Borrower
	most, dearest := int64(of.Concurrency), int64(1)
	for _, b := range l.Borrowers {
		if b.Want > 0 {
			all, dearest = append(all, b), max(dearest, b.Largest)
		}
	}
	if of.RPM > 0 {
		most = min(most, schema.RequestBurst(of.RPM))
	}
	if of.TPM > 0 {
		most = min(most, max(1, int64(of.TPM)/dearest))
	}
	if int64(len(all)) <= most {
		return all
	}
	slices.SortStableFunc(all, func(a, b *Borrower) int {
		if c := a.rank(now) - b.rank(now); c != 0 {
			return c
		}
		return a.queued().Compare(b.queued())
	})
	return all[:most]
}

// rank puts those whose turn it is first, then those who wait, then those who have had their turn.
func (b *Borrower) rank(now time.Time) int {
	switch {
	case b.Since.IsZero():
		return 1
	case now.Sub(b.Since) < turnMost:
		return 0
	}
	return 2
}

func (b *Borrower) queued() time.Time {
	if b.Since.IsZero() {
		return b.Waits
	}
	return b.Since
}

// fill splits total evenly, to none more than its cap: what one doesn't take is split among the others (max-min fairness).
func fill(total int64, caps []int64) (got []int64, left int64) {
	order := make([]int, len(caps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(min(1, max(-1, caps[a]-caps[b]))) })
	got = make([]int64, len(caps))
	for done, i := range order {
		got[i] = min(caps[i], total/int64(len(order)-done))
		total -= got[i]
	}
	return got, total
}
