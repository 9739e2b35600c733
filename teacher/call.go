package teacher

import (
	"context"
	"errors"
	"time"

	"github.com/retort-data/retort/schema"
)

// call waits for money and turn, makes one call and settles both. A nil fault is an answer, in k.response.
// trial says that the call was the breaker's.
func (k *asking) call(ctx context.Context, messages []schema.Message, d dialect) (trial bool, f *fault, err error) {
	c := k.client
	input, output := InputBound(messages, k.ask.Schema), int64(maxTokens(k.ask.Sampling))
	worst := WorstCase(c.teacher.Price, input, output)
	budget := k.ask.Budget
	asked := time.Now()
	if budget != nil {
		if err := budget.Reserve(ctx, worst); err != nil {
			return false, stopFault(err), err
		}
	}
	turn, err := c.limiter.waitTurn(ctx, k.life, k.ask.Flow, k.ask.Weight, saturate(input, output))
	k.waited += time.Since(asked)
	if err != nil {
		if budget != nil {
			budget.Settle(worst, 0, false)
		}
		return false, stopFault(err), err
	}
	x := &exchange{zeros: needsZeros(k.ask, messages)}
	observed := k.observe(ctx)
	usage, f := k.exchange(ctx, messages, d, x)
	if observed != nil {
		observed(usage, f)
	}
	if f != nil && ClassOf(f.code) == ClassBlock {
		err = c.blocked(f) // before the turn is given back, so that nobody gets the next one
	}
	charged := c.charge(usage, f, x, worst)
	sent := x.sent.Load()
	c.limiter.done(turn, result{code: codeOf(f), sent: sent, tokens: usage.total(), quota: readQuota(x.header, time.Now())})
	if budget != nil {
		budget.Settle(worst, charged, sent)
	}
	k.count(usage, charged, sent)
	if f != nil && f.code == CodeCancelled {
		err = ctx.Err()
	}
	return turn.trial, f, err
}

// usageOf is a call's usage; unknown where the teacher didn't say.
type usageOf struct {
	Usage
	known bool
}

// total returns all tokens, or -1.
func (u usageOf) total() int64 {
	if !u.known {
		return -1
	}
	return u.Input + u.Output
}

func codeOf(f *fault) string {
	if f == nil {
		return ""
	}
	return f.code
}

// exchange makes the call itself and reads its answer.
func (k *asking) exchange(ctx context.Context, messages []schema.Message, d dialect, x *exchange) (usageOf, *fault) {
	c := k.client
	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	x.cancel = cancel
	start := time.Now()
	k.response.Attempts++
	x.chat = true
	completion, err := c.api.CreateChatCompletion(context.WithValue(within, exchangeKey{}, x), c.chatRequest(k.ask, messages, d))
	k.response.MillisFirst = time.Since(start).Milliseconds()
	switch {
	case err != nil && ctx.Err() != nil:
		return usageOf{}, cancelled(ctx.Err())
	case err != nil:
		return usageOf{}, callFault(err, x)
	case x.reply == nil && len(completion.Choices) == 0:
		return usageOf{}, &fault{code: CodeNoChoices, detail: x.note, sent: true}
	case x.reply == nil:
		x.reply = replyOf(&completion)
	}
	usage := k.accept(x.reply, x)
	k.response.UsageUnknown = !usage.known
	return usage, nil
}

// callFault returns the fault behind what go-openai returned.
func callFault(err error, x *exchange) *fault {
	var f *fault
	switch {
	case errors.As(err, &f):
		return f
	case !x.sent.Load(): // go-openai's own checks, which come before a call
		return &fault{code: CodeUnsupported, detail: err.Error()}
	}
	return &fault{code: CodeBadShape, detail: err.Error(), sent: true}
}

// accept copies an answer into the response.
func (k *asking) accept(reply *reply, x *exchange) usageOf {
	r := &k.response
	thought, text := splitReasoning(reply.content)
	if text == "" && reply.refusal != "" { // a refusal is what the teacher said
		text = reply.refusal
	}
	r.Text, r.Reasoning = text, ""
	if k.ask.Reasoning != "drop" {
		r.Reasoning = joinReasoning(reply.reasoning, x.reasoning, thought)
	}
	r.FinishReason = reply.finish
	r.Model, r.Fingerprint = reply.model, reply.fingerprint
	r.SchemaFault = ""
	if s := k.ask.Schema; s != nil {
		r.Text = unfence(text)
		r.SchemaFault = s.Fault(r.Text)
	}
	k.client.withoutKey(r)
	k.client.stats.answers.Add(1)
	return reply.usage
}

// charge returns the micro-dollars of a call: its usage, its worst case where that is unknown, or nothing.
func (c *Client) charge(u usageOf, f *fault, x *exchange, worst int64) int64 {
	switch {
	case c.teacher.Price == nil || !x.sent.Load():
		return 0
	case f == nil && u.known:
		return *Cost(c.teacher.Price, u.Usage, false)
	case f == nil || maybePaid(f.code) || f.code == CodeCancelled:
		return worst
	}
	return 0
}

// count adds a call to the response and to the client's counts.
func (k *asking) count(u usageOf, charged int64, sent bool) {
	r, n := &k.response, &k.client.stats
	if u.known {
		r.InputTokens += u.Input
		r.CachedTokens += u.Cached
		r.OutputTokens += u.Output
		n.input.Add(u.Input)
		n.output.Add(u.Output)
	}
	if r.CostMicros != nil {
		*r.CostMicros = saturate(*r.CostMicros, charged)
	}
	n.cost.Add(charged)
	if sent {
		n.sends.Add(1)
	}
}
