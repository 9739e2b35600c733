// Package verdict prints what must hold of a long trial, what was measured, and whether it does.
package verdict

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrFails says that something didn't hold; what, was printed.
var ErrFails = errors.New("it doesn't hold")

// Table is what a trial has come to so far.
type Table struct {
	Out   io.Writer
	Began time.Time
	fails int
}

// Say prints a line.
func (t *Table) Say(format string, args ...any) { fmt.Fprintf(t.Out, format+"\n", args...) }

// Hold prints a line of the table: what must hold, what was measured, and whether it does.
func (t *Table) Hold(ok bool, what, format string, args ...any) {
	word := "holds"
	if !ok {
		word = "FAILS"
		t.fails++
	}
	t.Say("  %-5s  %-34s %s", word, what, fmt.Sprintf(format, args...))
}

// Verdict prints the last line, and returns ErrFails where anything didn't hold.
func (t *Table) Verdict(what string) error {
	took := time.Since(t.Began).Round(time.Second)
	if t.fails > 0 {
		t.Say("FAILS: %d of what must hold doesn't; %s, %v", t.fails, what, took)
		return ErrFails
	}
	t.Say("HOLDS: %s, %v", what, took)
	return nil
}
