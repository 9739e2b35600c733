package teacher

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Stats are a client's counts since it was made.
type Stats struct {
	Sends        int64            `json:"sends"`   // calls that may have reached the teacher
	Answers      int64            `json:"answers"` // calls that brought an answer
	Failed       int64            `json:"failed"`  // requests that ended as failed
	Retries      map[string]int64 `json:"retries"` // calls that were made again, by the code of the one before
	Repairs      int64            `json:"repairs"` // calls for an answer that broke its schema
	InputTokens  int64            `json:"input_tokens"`
	OutputTokens int64            `json:"output_tokens"`
	CostMicros   int64            `json:"cost_micros"` // charged, worst cases included; 0 for an unknown price
	InFlight     int              `json:"in_flight"`
	Waiting      int              `json:"waiting"`
}

type counters struct {
	sends, answers, failed, repairs, input, output, cost atomic.Int64

	mu      sync.Mutex
	retries map[string]int64
}

func (c *counters) retried(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retries == nil {
		c.retries = map[string]int64{}
	}
	c.retries[code]++
}

// Stats returns the counts.
func (c *Client) Stats() Stats {
	n := &c.stats
	s := Stats{
		Sends: n.sends.Load(), Answers: n.answers.Load(), Failed: n.failed.Load(), Repairs: n.repairs.Load(),
		InputTokens: n.input.Load(), OutputTokens: n.output.Load(), CostMicros: n.cost.Load(),
	}
	n.mu.Lock()
	s.Retries = maps.Clone(n.retries)
	n.mu.Unlock()
	st := c.limiter.State()
	s.InFlight, s.Waiting = st.InFlight, st.Waiting
	return s
}

// State is what a teacher's calls are waiting for, for people.
type State struct {
	Phase    string    `json:"phase"`            // closed, open or half-open (the breaker), or blocked
	Reason   string    `json:"reason,omitempty"` // code of the fault behind the phase
	Wait     string    `json:"wait,omitempty"`   // what the next call waits for: one of the Wait… words
	Since    time.Time `json:"since,omitzero"`   // of the phase, or else of the wait
	Until    time.Time `json:"until,omitzero"`   // when it is looked at again, where known
	Share    float64   `json:"share"`            // of the lease that AIMD leaves, 0 to 1
	Lease    Rate      `json:"lease"`
	LeaseEnd time.Time `json:"lease_end,omitzero"`
	InFlight int       `json:"in_flight"`
	Waiting  int       `json:"waiting"`
}

// PhaseBlocked says that a person must mend something before the teacher is asked again.
const PhaseBlocked = "blocked"

// State returns the limiter's state.
func (l *Limiter) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := State{Phase: PhaseClosed, Share: l.aimd.factor(), Lease: l.lease, LeaseEnd: l.until, InFlight: l.inFlight, Waiting: len(l.queue.waiting)}
	if l.why != "" {
		s.Wait, s.Since, s.Until = l.why, l.whySince, l.whyUntil
	}
	if l.breaker.phase != "" {
		s.Phase, s.Reason, s.Since, s.Until = l.breaker.phase, l.breaker.reason, l.breaker.since, l.breaker.until
	}
	if l.stopped != nil {
		s.Phase, s.Reason, s.Since, s.Until = PhaseBlocked, l.stopCode, l.whySince, time.Time{}
	}
	return s
}
