package teacher

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/retort-data/retort/schema"
)

// Ask is one logical request.
type Ask struct {
	RequestID string // copied into the response
	Messages  []schema.Message
	Sampling  schema.Sampling
	Seed      *int    // nil: none is sent
	Schema    *Schema // nil: free text
	Repair    int     // times to ask again for an answer that breaks Schema
	Reasoning string  // "drop" leaves the reasoning text out of the response
	Budget    *Budget // nil: unbounded
	Flow      string  // whose turn it is, such as the run; flows share the teacher fairly by Weight
	Weight    float64 // 0 is 1
}

// Ask makes one logical request, with the retries inside. It always returns a response: an answer, or a FailCode.
// The error is nil also for a request that failed; it is set where asking has to stop: ctx's error, a KindHold
// error (CodeBlocked, CodeUnavailable) or a KindBudget one. Then the response holds what was paid so far.
//
// A request that waits (for its turn, a Retry-After, a backoff) keeps no other from its place: a teacher is fully
// used when some times its concurrency of requests are under way, such as 512 for 64.
func (c *Client) Ask(ctx context.Context, a Ask) (schema.Response, error) {
	k := &asking{client: c, ask: &a, life: c.limiter.currentLife(), began: time.Now()}
	k.response = schema.Response{RequestID: a.RequestID}
	if a.Seed != nil {
		k.response.Seed = *a.Seed
	}
	if c.teacher.Price != nil {
		k.response.CostMicros = new(int64)
	}
	err := k.answer(ctx)
	k.response.AnsweredAt = time.Now().UnixMilli()
	if k.response.Failed() && err == nil {
		c.stats.failed.Add(1)
	}
	return k.response, err
}

// asking is the state of one Ask.
type asking struct {
	client   *Client
	ask      *Ask
	life     uint64
	began    time.Time
	waited   time.Duration // for turns: a limit or an open breaker doesn't use up the request's time
	response schema.Response
}

// answer asks until there is an answer, and again while it breaks the schema.
func (k *asking) answer(ctx context.Context) error {
	messages := k.ask.Messages
	for repairs := 0; ; repairs++ {
		f, err := k.insist(ctx, messages)
		if f != nil && repairs > 0 { // the answer before it stands, and says how it breaks the schema
			return nil
		}
		if f != nil {
			k.response.FailCode = f.code
			k.response.FailDetail = redact(f.detail, k.client.options.Key)
			return err
		}
		if !k.mayRepair(repairs) {
			return nil
		}
		k.client.stats.repairs.Add(1)
		messages = append(messages[:len(messages):len(messages)],
			schema.Message{Role: "assistant", Content: k.response.Text},
			schema.Message{Role: "user", Content: "This breaks the JSON Schema: " + k.response.SchemaFault + ". Answer again with the corrected JSON document alone."})
	}
}

// mayRepair says whether asking again can help: a cut answer would be cut again.
func (k *asking) mayRepair(repairs int) bool {
	r := &k.response
	return r.SchemaFault != "" && repairs < k.ask.Repair && r.FinishReason != schema.FinishLength && r.FinishReason != schema.FinishContentFilter
}

// insist calls until there is an answer (nil), the fault is final, or asking has to stop (both set).
func (k *asking) insist(ctx context.Context, messages []schema.Message) (*fault, error) {
	c := k.client
	for attempt := 1; ; attempt++ {
		sent := c.dialect()
		trial, f, err := k.call(ctx, messages, sent)
		if f == nil || err != nil {
			return f, err
		}
		switch {
		case c.learn(f, sent, k.ask.Schema != nil):
			c.stats.retried(f.code)
			continue
		case ClassOf(f.code) == ClassFail:
			return f, nil
		}
		if trial { // made for all, so it doesn't count as this request's own
			attempt--
		}
		wait := c.pause(max(attempt, 1), f.wait)
		if attempt >= c.options.MaxAttempts || time.Since(k.began)-k.waited+wait > c.options.MaxElapsed {
			return f, nil
		}
		if err := sleep(ctx, wait); err != nil {
			return cancelled(err), err
		}
		c.stats.retried(f.code)
	}
}

// pause returns how long to wait after the n-th call: exponential with jitter (half of it random), and never
// less than the teacher asked for.
func (c *Client) pause(n int, asked time.Duration) time.Duration {
	d := c.options.MostBackoff
	if n < 20 {
		d = min(d, c.options.Backoff<<(n-1))
	}
	d = d/2 + rand.N(d/2+1)
	if asked > 0 {
		d = max(d, asked+rand.N(min(asked/10, 250*time.Millisecond)+1))
	}
	return d
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func cancelled(err error) *fault { return &fault{code: CodeCancelled, detail: err.Error()} }

// stopFault is the fault of a request whose turn or budget ended the asking.
func stopFault(err error) *fault {
	var e *schema.Error
	if !errors.As(err, &e) {
		return cancelled(err)
	}
	f := &fault{code: e.Code}
	if e.Kind == schema.KindBudget {
		f.code = CodeBudget
	}
	if e.Cause != nil {
		f.detail = e.Cause.Error()
	}
	return f
}
