package teacher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retort-data/retort/schema"
)

// Pong is what a teacher answered to Ping.
type Pong struct {
	Model   string        `json:"model"`   // as served, where a call was made; else as configured
	Listed  bool          `json:"listed"`  // the teacher lists the model
	Asked   bool          `json:"asked"`   // it was asked for one token, for it lists no models
	Latency time.Duration `json:"latency"` // of the call
}

// Ping asks whether a teacher is there, takes the key and serves the model: by its list of models, or by one
// token where it keeps none. One call or two, outside of the limiter; no retries.
func (c *Client) Ping(ctx context.Context) (Pong, error) {
	ctx, cancel := context.WithTimeout(ctx, min(c.timeout, time.Minute))
	defer cancel()
	x := &exchange{cancel: cancel}
	start := time.Now()
	list, err := c.api.ListModels(context.WithValue(ctx, exchangeKey{}, x))
	pong := Pong{Model: c.teacher.Model, Latency: time.Since(start)}
	if err == nil && len(list.Models) > 0 {
		for _, m := range list.Models {
			pong.Listed = pong.Listed || m.ID == c.teacher.Model
		}
		if pong.Listed {
			return pong, nil
		}
	}
	if f := (*fault)(nil); errors.As(err, &f) && (ClassOf(f.code) == ClassBlock && f.code != CodeModelNotFound || down(f.code)) {
		return pong, c.pingError(f)
	}
	return c.pingOneToken(ctx, pong)
}

// pingOneToken decides where the list is missing or doesn't name the model: some servers take any name.
func (c *Client) pingOneToken(ctx context.Context, pong Pong) (Pong, error) {
	x := &exchange{cancel: func() {}}
	one := 1
	a := Ask{Messages: []schema.Message{{Role: "user", Content: "Hi"}}, Sampling: schema.Sampling{MaxTokens: &one}}
	start := time.Now()
	reply, err := c.api.CreateChatCompletion(context.WithValue(ctx, exchangeKey{}, x), c.chatRequest(&a, a.Messages, c.dialect()))
	pong.Asked, pong.Latency = true, time.Since(start)
	if err != nil {
		return pong, c.pingError(callFault(err, x))
	}
	if reply.Model != "" {
		pong.Model = reply.Model
	}
	return pong, nil
}

func (c *Client) pingError(f *fault) error {
	e := &schema.Error{Kind: schema.KindFailed, Code: f.code, Op: "ping", Subject: c.teacher.Name,
		Cause: fmt.Errorf("%s: %s", f.code, redact(f.detail, c.options.Key))}
	if ClassOf(f.code) == ClassBlock {
		e.Hint = blockHint(c.teacher, f.code)
	}
	return e
}
