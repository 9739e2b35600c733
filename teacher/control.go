package teacher

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/retort-data/retort/schema"
)

// control makes a call that isn't an answer (files, batches), again where a fault passes. A 404 is of the thing
// asked for, and blocks nobody.
func (c *Client) control(ctx context.Context, limit time.Duration, call func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		f, err := c.controlOnce(ctx, limit, call)
		if f == nil || err != nil {
			return err
		}
		if ClassOf(f.code) != ClassRetry || attempt >= c.options.MaxAttempts {
			return c.controlError(f)
		}
		if err := sleep(ctx, c.pause(attempt, f.wait)); err != nil {
			return err
		}
	}
}

func (c *Client) controlOnce(ctx context.Context, limit time.Duration, call func(context.Context) error) (*fault, error) {
	if err := c.limiter.blockedBy(); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	x := &exchange{cancel: cancel}
	err := call(context.WithValue(within, exchangeKey{}, x))
	switch {
	case err == nil:
		return nil, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	f := callFault(err, x)
	if ClassOf(f.code) == ClassBlock && f.code != CodeModelNotFound && f.code != CodeUnsupported {
		return f, c.blocked(f)
	}
	return f, nil
}

// controlError is what a fault of a control call becomes: one that passes may be tried again later.
func (c *Client) controlError(f *fault) error {
	kind, code := schema.KindFailed, f.code
	if ClassOf(code) == ClassRetry {
		kind = schema.KindRetry
	}
	if code == CodeModelNotFound {
		code = CodeNotFound
	}
	return &schema.Error{Kind: kind, Code: code, Op: "batch", Subject: c.teacher.Name,
		Cause: fmt.Errorf("%s: %s", code, redact(f.detail, c.options.Key))}
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}$`)

// goodID says whether a provider's id can stand in a URL's path.
func goodID(id string) bool { return idPattern.MatchString(id) }

// needID turns a reply without a usable id into a fault.
func needID(err error, id string) error {
	if err == nil && !goodID(id) {
		return &fault{code: CodeBadShape, detail: fmt.Sprintf("a reply with the id %q", shorten(id, 60)), sent: true}
	}
	return err
}
