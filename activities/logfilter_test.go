package activities

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.temporal.io/sdk/log"

	"github.com/retort-data/retort/schema"
)

// Lines of our own and of Temporal's SDK hold no key, no teacher's words and no control characters, whatever they are given; and say the rest.
func TestLogHoldsNoSecret(t *testing.T) {
	t.Setenv("CANARY_KEY", "canary-of-a-teacher")
	t.Setenv("CANARY_PEM", "-----BEGIN-----\ncanary-of-a-signer\n-----END-----")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-of-aws")
	t.Setenv("CANARY_PAYLOADS", "k1:canary-of-payloads,k2:canary-of-old-payloads")
	config := &schema.Config{Temporal: schema.TemporalConfig{Encryption: schema.Encryption{KeyEnv: "CANARY_PAYLOADS"}}, Teachers: []schema.Teacher{{APIKeyEnv: "CANARY_KEY"}}, Signing: schema.Signing{KeyEnv: "CANARY_PEM"}}
	said := &schema.Error{Kind: schema.KindHold, Code: "teacher_blocked", Op: "ask", Subject: "tester", Cause: errors.New("canary answer of a teacher")}
	for _, format := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var out bytes.Buffer
		own := slog.New(NewLogFilter(format(&out), config))
		own.Warn("sent canary-of-a-teacher", "error", fmt.Errorf("wrapped: %w", said), "header", []string{"Bearer canary-of-a-teacher"})
		own.With("with", "canary-of-aws").WithGroup("g").Info("line", slog.Group("deep", "x", "canary-of-a-signer", "n", 7), "key", "canary-of-old-payloads")
		log.NewStructuredLogger(own).Error("Activity error.", "Error", said, "Attempt", 3, "ActivityType", "Ask")
		own.Info("a title\x1b]0;x\x07 \u202eback", "error", errors.New(strings.Repeat("canary-of-aws ", 1000)))
		got := out.String()
		for _, bad := range []string{"canary", "\\x1b", "\\u001b", "\\a", "\u202e", "\\u202e"} {
			if strings.Contains(got, bad) {
				t.Errorf("the log holds %q:\n%.2000s", bad, got)
			}
		}
		for _, want := range []string{"[CANARY_KEY]", "[CANARY_PEM]", "[AWS_SECRET_ACCESS_KEY]", "ask tester: teacher_blocked", "Attempt", "Activity error."} {
			if !strings.Contains(got, want) {
				t.Errorf("the log lacks %q:\n%.2000s", want, got)
			}
		}
		if len(got) > 40<<10 {
			t.Errorf("%d bytes", len(got))
		}
	}
}
