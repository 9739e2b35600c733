package activities

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/retort-data/retort/schema"
)

// codeOf is an error's code; "" where there is no error.
func codeOf(err error) string {
	var e *schema.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	}
	return string(schema.KindOf(err))
}

// logged is what of an error may stand in a log: not what a teacher said or a source holds, which may be a prompt, an answer, or a key that
// a server sends back. The whole of it stands beside the run, in problems/.
func logged(err error) slog.Attr {
	var e *schema.Error
	var faults schema.Faults
	switch {
	case errors.As(err, &faults) && len(faults) > 0:
		f := faults[0]
		return slog.String("error", fmt.Sprintf("%d faults; the first: %s:%d:%d %s", len(faults), f.File, f.Line, f.Col, f.Path))
	case errors.As(err, &e) && fromTeacher(e.Op):
		return slog.String("error", fmt.Sprintf("%s %s: %s", e.Op, e.Subject, e.Code))
	}
	return slog.Any("error", err)
}

// fromTeacher says whether an operation's errors hold a provider's words.
func fromTeacher(op string) bool {
	switch op {
	case "ask", "ping", "probe", "batch":
		return true
	}
	return false
}
