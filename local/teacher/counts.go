package teacher

import (
	"maps"
	"sync"
	"time"
)

// Stats is what the teacher has seen since it started or was reset.
type Stats struct {
	Total    int64            `json:"total"`    // requests for completions, whatever became of them; those of batches too
	Answered int64            `json:"answered"` // complete answers sent
	Errors   map[string]int64 `json:"errors"`   // by kind: rate_limited, over_limit, server_error, reset, garbage, hang, abandoned, unauthorized, bad_request
	Modes    map[string]int64 `json:"modes"`    // answers by mode; healthy ones under "healthy"

	Prompts         int64 `json:"prompts"`          // distinct prompts asked
	PromptsAnswered int64 `json:"prompts_answered"` // distinct prompts answered
	Repeats         int64 `json:"repeats"`          // requests for prompts that had been answered before
	PromptsRepeated int64 `json:"prompts_repeated"` // distinct prompts among those
	PaidAgain       int64 `json:"paid_again"`       // answers beyond the first of their prompt

	FirstRequest time.Time `json:"first_request,omitzero"`
	LastRequest  time.Time `json:"last_request,omitzero"`
	MaxInMinute  int       `json:"max_in_minute"` // requests in any 60 s
	InFlight     int64     `json:"in_flight"`
	MaxInFlight  int64     `json:"max_in_flight"`

	PromptTokens     int64 `json:"prompt_tokens"` // of what was answered
	CompletionTokens int64 `json:"completion_tokens"`
	BilledMicroUSD   int64 `json:"billed_micro_usd"`

	Batches       int64 `json:"batches"`        // batches created
	BatchRequests int64 `json:"batch_requests"` // of Total, those that came in batches; they don't count against limits
}

// asked is what happened to one prompt.
type asked struct {
	attempts, answers uint32
	repeated          bool
}

// counts is the ledger. One lock is enough: it is held for some hundred
// nanoseconds a request.
type counts struct {
	mu       sync.Mutex
	stats    Stats
	prompts  map[uint64]*asked
	arrivals window
	accepted window
}

func newCounts() *counts {
	return &counts{
		prompts: map[uint64]*asked{},
		stats:   Stats{Errors: map[string]int64{}, Modes: map[string]int64{}},
	}
}

// arrive counts a request before anything is known of it.
func (c *counts) arrive(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.stats
	s.Total++
	s.InFlight++
	s.MaxInFlight = max(s.MaxInFlight, s.InFlight)
	if s.FirstRequest.IsZero() {
		s.FirstRequest = now
	}
	s.LastRequest = now
	c.arrivals.add(now.UnixNano())
}

// admit returns the time to wait if more than rpm requests a minute came.
func (c *counts) admit(now time.Time, rpm int) time.Duration {
	if rpm == 0 {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wait := c.accepted.free(now.UnixNano(), rpm)
	if wait == 0 {
		c.accepted.add(now.UnixNano())
	}
	return time.Duration(wait)
}

// ask counts an attempt at a prompt and returns how many came before it.
func (c *counts) ask(key uint64) (attempt uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.prompt(key)
	if a.answers > 0 {
		c.stats.Repeats++
		if !a.repeated {
			a.repeated = true
			c.stats.PromptsRepeated++
		}
	}
	a.attempts++
	return a.attempts - 1
}

// askInBatch counts a request of a batch.
func (c *counts) askInBatch(key uint64) (attempt uint32) {
	c.mu.Lock()
	c.stats.Total++
	c.stats.BatchRequests++
	c.mu.Unlock()
	return c.ask(key)
}

func (c *counts) batch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Batches++
}

func (c *counts) prompt(key uint64) *asked {
	a := c.prompts[key]
	if a == nil {
		a = &asked{}
		c.prompts[key] = a
		c.stats.Prompts++
	}
	return a
}

// bill is one answered request; the journal has a line of it.
type bill struct {
	key                            uint64
	mode                           string
	promptTokens, completionTokens int
	microUSD                       int64
}

func (c *counts) answer(b bill) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, a := &c.stats, c.prompt(b.key)
	if a.answers == 0 {
		s.PromptsAnswered++
	} else {
		s.PaidAgain++
	}
	a.answers++
	s.Answered++
	s.PromptTokens += int64(b.promptTokens)
	s.CompletionTokens += int64(b.completionTokens)
	s.BilledMicroUSD += b.microUSD
	if b.mode == "" {
		b.mode = "healthy"
	}
	s.Modes[b.mode]++
}

func (c *counts) failed(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Errors[kind]++
}

func (c *counts) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.InFlight--
}

func (c *counts) snapshot() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Errors, s.Modes = maps.Clone(s.Errors), maps.Clone(s.Modes)
	s.MaxInMinute = c.arrivals.most
	return s
}

// reset forgets everything but the requests in flight.
func (c *counts) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	inFlight := c.stats.InFlight
	fresh := newCounts()
	c.stats, c.prompts, c.arrivals, c.accepted = fresh.stats, fresh.prompts, fresh.arrivals, fresh.accepted
	c.stats.InFlight, c.stats.MaxInFlight = inFlight, inFlight
}
