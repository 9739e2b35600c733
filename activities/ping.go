package activities

import (
	"context"
	"errors"

	"github.com/retort-data/retort/schema"
)

// Ping asks a teacher of the configuration whether it is there. That it isn't is an answer, by its code, and no error.
func (r *Rooms) Ping(ctx context.Context, name string) (schema.PingResult, error) {
	out := schema.PingResult{Name: name}
	client, _, err := r.Teachers.Of(name)
	if err == nil {
		pong, pingErr := client.Ping(ctx)
		out.Millis, out.Listed, err = pong.Latency.Milliseconds(), pong.Listed, pingErr
	}
	var e *schema.Error
	if errors.As(err, &e) {
		r.Log.Warn("a teacher didn't answer a ping", "teacher", name, logged(err))
		out.Code = e.Code
		return out, nil
	}
	return out, err
}
