package activities

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/retort-data/retort/schema"
)

// NewLogFilter is what every line of a process's log goes through, those of Temporal's SDK and of libraries too: an error that holds a
// teacher's words is cut down to its code, secrets of the process's environment are replaced by the name of their variable, texts are
// shortened and have no control characters.
func NewLogFilter(to slog.Handler, config *schema.Config) slog.Handler {
	return &logFilter{to: to, secrets: secretsOf(config, os.Getenv)}
}

type logFilter struct {
	to      slog.Handler
	secrets *strings.Replacer
}

// secretsOf are the values that a worker's environment may hold in secret; those that would replace innocent words are left out.
func secretsOf(config *schema.Config, env func(string) string) *strings.Replacer {
	names := []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "TEMPORAL_API_KEY", "TEMPORAL_TLS_CLIENT_KEY_DATA"}
	if config != nil {
		names = append(names, config.Signing.KeyEnv, config.Temporal.Encryption.KeyEnv)
		for i := range config.Teachers {
			names = append(names, config.Teachers[i].APIKeyEnv)
		}
		for _, n := range config.Notify {
			names = append(names, n.URLEnv, n.SecretEnv)
		}
	}
	slices.Sort(names)
	var pairs []string
	for _, name := range slices.Compact(names) {
		value := ""
		if name != "" {
			value = strings.TrimSpace(env(name))
		}
		parts := strings.Split(value, "\n") // a key in PEM may be quoted line by line
		if config != nil && name == config.Temporal.Encryption.KeyEnv {
			parts = strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",:\n", r) })
		}
		for _, part := range parts {
			if len(part) >= 8 {
				pairs = append(pairs, part, "["+name+"]")
			}
		}
	}
	return strings.NewReplacer(pairs...)
}

func (f *logFilter) Enabled(ctx context.Context, level slog.Level) bool {
	return f.to.Enabled(ctx, level)
}

func (f *logFilter) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, f.text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(f.attr(a))
		return true
	})
	return f.to.Handle(ctx, out)
}

func (f *logFilter) WithAttrs(attrs []slog.Attr) slog.Handler {
	own := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		own[i] = f.attr(a)
	}
	return &logFilter{f.to.WithAttrs(own), f.secrets}
}

func (f *logFilter) WithGroup(name string) slog.Handler {
	return &logFilter{f.to.WithGroup(name), f.secrets}
}

func (f *logFilter) attr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(f.text(a.Value.String()))
	case slog.KindGroup:
		all := slices.Clone(a.Value.Group())
		for i := range all {
			all[i] = f.attr(all[i])
		}
		a.Value = slog.GroupValue(all...)
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			a.Value = logged(err).Value.Resolve()
		}
		a.Value = slog.StringValue(f.text(a.Value.String()))
	}
	return a
}

// mostLogged bounds a text in a log; a stack fits.
const mostLogged = 8 << 10

func (f *logFilter) text(s string) string {
	if len(s) > mostLogged {
		s = s[:mostLogged] + "…"
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
	return f.secrets.Replace(s)
}
