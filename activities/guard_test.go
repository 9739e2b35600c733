package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

func asApplication(err error, app **temporal.ApplicationError) bool { return errors.As(err, app) }

// secret is what a person, a model or a provider wrote.
const secret = "my grandmother's recipe sk-12345"

// What goes back to Temporal of an error are its kind and its code, whatever it is made of.
func TestErrorsCarryKindAndCodeAlone(t *testing.T) {
	inner := errors.New(secret)
	for name, c := range map[string]struct {
		err  error
		kind schema.Kind
		code string
	}{
		"a room's error":      {&schema.Error{Kind: schema.KindHold, Code: "teacher_blocked", Op: secret, Subject: secret, Cause: inner, Hint: secret}, schema.KindHold, "teacher_blocked"},
		"wrapped":             {fmt.Errorf("%s: %w", secret, &schema.Error{Kind: schema.KindFailed, Code: "object_broken", Cause: inner}), schema.KindFailed, "object_broken"},
		"faults of a recipe":  {schema.Faults{{File: secret, What: secret}}, schema.KindInvalid, "recipe"},
		"nobody's error":      {inner, schema.KindRetry, "internal"},
		"a missing object":    {fmt.Errorf("s3://%s: %w", secret, store.ErrNotFound), schema.KindRetry, "store_state"},
		"the worker's end":    {errWorkerStops, schema.KindRetry, "worker_stops"},
		"an interrupted call": {fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), schema.KindRetry, "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "")
			_, err := l.activity(l.rooms(l.store), func(context.Context, schema.RunRef) error { return c.err }, l.ref)
			app := applicationError(t, err)
			if app.Type() != string(c.kind) || app.Message() != c.code || app.NonRetryable() != (c.kind != schema.KindRetry) {
				t.Errorf("type %q, message %q, non-retryable %v", app.Type(), app.Message(), app.NonRetryable())
			}
			if all := fmt.Sprintf("%v %+v %v", err, app, errors.Unwrap(app)); strings.Contains(all, secret) || app.HasDetails() {
				t.Errorf("Temporal gets to see %s", all)
			}
			if app.NonRetryable() {
				var p Problem
				body, err := l.store.Get(t.Context(), l.run.Problem(c.code))
				l.must(err)
				if err := json.Unmarshal(body, &p); err != nil || p.Message != c.err.Error() {
					t.Errorf("beside the run stands %s", body)
				}
			}
		})
	}
}

// An error that no room has classified is tried some times and then shown.
func TestUnknownErrorsEnd(t *testing.T) {
	for _, err := range []error{errors.New("a bug"), store.ErrExists} {
		if first := outward(err, 1); first.NonRetryable() {
			t.Errorf("%v is not tried again", err)
		}
		if last := outward(err, mostUnknown); !last.NonRetryable() {
			t.Errorf("%v is tried for ever", err)
		}
	}
	for _, passing := range []error{&schema.Error{Kind: schema.KindRetry, Code: "s3_unreachable"}, context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.ECONNREFUSED,
		serviceerror.NewDeadlineExceeded("context deadline exceeded"), serviceerror.NewUnavailable("away"), fmt.Errorf("ask: %w", serviceerror.NewDeadlineExceeded("late"))} {
		if got := outward(passing, 1000); got.NonRetryable() || got.Message() == "internal" {
			t.Errorf("%v ends a night's run as %s", passing, got.Message())
		}
	}
}

// A panic becomes an error that says nothing of what it was about.
func TestPanicBecomesAnError(t *testing.T) {
	l := newLab(t, "")
	_, err := l.activity(l.rooms(l.store), func(context.Context, schema.RunRef) error { panic(secret) }, l.ref)
	app := applicationError(t, err)
	if app.Message() != "panic" || !app.NonRetryable() || strings.Contains(fmt.Sprintf("%+v", err), secret) {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(l.logs.String(), "guard_test.go") {
		t.Error("the log lacks the place of the panic")
	}
}

// What a provider wrote and what was asked reach neither the error nor, with it, Temporal.
func TestProvidersTextStaysHere(t *testing.T) {
	l, r := planned(t, "")
	l.refuseAfter(0)
	_, err := l.ask(r, l.unbounded(0))
	app := applicationError(t, err)
	if app.Type() != string(schema.KindHold) || app.Message() != "teacher_blocked" {
		t.Errorf("type %q, message %q", app.Type(), app.Message())
	}
	for _, word := range []string{"verysecret", "topic", "Tell me"} {
		if strings.Contains(fmt.Sprintf("%+v", err), word) {
			t.Errorf("%q is in %v", word, err)
		}
	}
}
