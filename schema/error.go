package schema

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind says what shall happen after an error: whether trying again can help, and which exit status a person sees.
type Kind string

const (
	// KindRetry is a passing fault: the same call may succeed later.
	KindRetry Kind = "retry"
	// KindFailed can't succeed by trying again (exit 1).
	KindFailed Kind = "failed"
	// KindInvalid is a fault of the recipe, the configuration or the arguments (exit 2).
	KindInvalid Kind = "invalid"
	// KindHold stops the run until a person decides (exit 3).
	KindHold Kind = "hold"
	// KindBudget says that the budget was reached (exit 4).
	KindBudget Kind = "budget"
)

// Error is what every room returns: which operation failed on what, why, and how to mend it. Code is a
// short fixed word (it may travel through Temporal); Cause and Hint may hold a person's text and don't.
type Error struct {
	Kind    Kind
	Code    string
	Op      string
	Subject string
	Cause   error
	Hint    string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Subject != "" {
		b.WriteString(" " + e.Subject)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	} else if e.Code != "" {
		b.WriteString(": " + e.Code)
	}
	if e.Hint != "" {
		b.WriteString("\n  " + e.Hint)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// KindOf returns the kind of the first Error or Faults in err's chain; what is neither may be tried again.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var f Faults
	if errors.As(err, &f) {
		return KindInvalid
	}
	return KindRetry
}

// Fault is one mistake in something that a person wrote. Line and Col count from 1; 0 means the whole file.
type Fault struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"column,omitempty"`
	Path string `json:"path,omitempty"` // the key, such as teachers[0].weight
	What string `json:"what"`           // what is wrong, with the offending value
	Mend string `json:"mend,omitempty"` // what was expected and how to mend it
}

func (f Fault) Error() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", f.Line, f.Col)
		}
		b.WriteString(": ")
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.What)
	if f.Mend != "" {
		b.WriteString("\n  " + f.Mend)
	}
	return b.String()
}

// Faults are all the mistakes found, in order of file, line and column. It is an error of KindInvalid.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns nil where there is no fault, else the sorted faults.
func (fs Faults) Err() error {
	if len(fs) == 0 {
		return nil
	}
	sort.SliceStable(fs, func(i, j int) bool {
		a, b := fs[i], fs[j]
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Col < b.Col
	})
	return fs
}
