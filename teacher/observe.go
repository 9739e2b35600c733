package teacher

import (
	"context"

	"github.com/retort-data/retort/schema"
)

// Call is one call of a teacher, as its observer hears of it: names and numbers, no text and no key.
type Call struct {
	Teacher  *schema.Teacher
	Sampling schema.Sampling
	Attempt  int // of the request, from 1
}

// CallEnd is what became of a call. What the teacher wrote in it is bounded by nothing: an observer has to mind that.
type CallEnd struct {
	Code         string // of the fault; "" is an answer
	Model        string // as the answer has it
	FinishReason string
	InputTokens  int64 // 0 where the teacher didn't say
	OutputTokens int64
}

// Observer hears of each call when it is sent, and of its end by what it returns.
type Observer func(context.Context, Call) func(CallEnd)

// observe tells the observer of a call; what is returned takes its end.
func (k *asking) observe(ctx context.Context) func(usageOf, *fault) {
	if k.client.options.Observe == nil {
		return nil
	}
	end := k.client.options.Observe(ctx, Call{Teacher: &k.client.teacher, Sampling: k.ask.Sampling, Attempt: k.response.Attempts + 1})
	return func(u usageOf, f *fault) {
		e := CallEnd{Code: codeOf(f), InputTokens: u.Input, OutputTokens: u.Output}
		if f == nil {
			e.Model, e.FinishReason = k.response.Model, k.response.FinishReason
		}
		end(e)
	}
}
