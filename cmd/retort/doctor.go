package main

import (
	"context"
	"fmt"
	"time"

	"github.com/retort-data/retort/schema"
)

// DoctorCmd looks at an installation.
type DoctorCmd struct {
	NoWorker bool `help:"Don't look for workers, nor ask teachers through them."`
}

// Finding is what doctor says of a part.
type Finding struct {
	Part  string `json:"part"`
	State string `json:"state"` // ok, note or bad
	What  string `json:"what"`
	Mend  string `json:"mend,omitempty"`
}

// States of a part.
const (
	partOK   = "ok"
	partNote = "note"
	partBad  = "bad"
)

// doctor looks at one part after the other; what needs a part that is bad is left out.
type doctor struct {
	*app
	found []Finding
}

func (d *doctor) say(state, part, what, mend string, args ...any) {
	d.found = append(d.found, Finding{Part: part, State: state, What: fmt.Sprintf(what, args...), Mend: mend})
}

func (d *doctor) ok(part, what string, args ...any) { d.say(partOK, part, what, "", args...) }

// bad says what is wrong, with the error's own mend where it has one.
func (d *doctor) bad(part, mend string, err error) {
	what, hint := parts(err)
	if mend == "" {
		mend = hint
	}
	d.say(partBad, part, "%s", mend, what)
}

// parts splits an error into what is wrong and how to mend it.
func parts(err error) (what, mend string) {
	if e, ok := err.(*schema.Error); ok { //nolint:errorlint // the outermost one has the words
		short := *e
		short.Hint = ""
		return short.Error(), e.Hint
	}
	return err.Error(), ""
}

// lookMost bounds a whole examination.
const lookMost = 3 * time.Minute

// Run looks at all parts; exit 1 where one is bad.
func (c *DoctorCmd) Run(a *app) error {
	ctx, cancel := context.WithTimeout(a.ctx, lookMost)
	defer cancel()
	a.ctx = ctx
	d := &doctor{app: a}
	if d.configuration() {
		store := d.storage()
		d.machine()
		if d.encryption() && d.temporalServer() && !c.NoWorker {
			d.workers()
		}
		if store {
			d.datasetsAllowed()
		}
	}
	return d.report()
}

func (d *doctor) report() error {
	bad := 0
	for _, f := range d.found {
		if f.State == partBad {
			bad++
		}
	}
	if d.json {
		if err := d.printJSON(d.found); err != nil {
			return err
		}
	} else {
		for _, f := range d.found {
			d.printf("%-5s %-14s %s\n", f.State, f.Part, f.What)
			if f.Mend != "" {
				d.printf("%20s %s\n", "", f.Mend)
			}
		}
	}
	if bad > 0 {
		return exitStatus(exitFailed)
	}
	return nil
}
