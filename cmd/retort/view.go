package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/retort-data/retort/schema"
)

// view shows a run that goes on, a line at a time; live.go is the one on a terminal.
type view interface {
	show(*snapshot) error
	trouble(error)
}

// newView is JSON lines where asked for, else plain ones.
func (a *app) newView() view {
	if a.json {
		return &jsonView{out: a.stdout}
	}
	return &plainView{out: a.stdout}
}

// jsonView prints a status a line, when it has changed.
type jsonView struct {
	out  io.Writer
	last string
}

func (v *jsonView) show(s *snapshot) error {
	b, err := json.Marshal(s.Status)
	if err != nil || string(b) == v.last {
		return err
	}
	v.last = string(b)
	_, err = fmt.Fprintf(v.out, "%s\n", b)
	return err
}
func (v *jsonView) trouble(error) {}

// plainView prints a line when something has changed, at most every few seconds.
type plainView struct {
	out  io.Writer
	last string
	at   time.Time
	said string // of the connection
}

const plainEvery = 5 * time.Second

func (v *plainView) show(s *snapshot) error {
	line := printable(summary(s))
	if line == v.last || s.State == stateOf(v.last) && time.Since(v.at) < plainEvery {
		return nil
	}
	v.last, v.at, v.said = line, time.Now(), ""
	_, err := fmt.Fprintln(v.out, line)
	return err
}
func (v *plainView) trouble(err error) {
	if line := printable("connection lost, trying again: " + firstLine(err.Error())); line != v.said {
		v.said = line
		fmt.Fprintln(v.out, line)
	}
}

func stateOf(line string) string { return strings.SplitN(line, ":", 2)[0] }

// summary is a run in one line.
func summary(s *snapshot) string {
	c := s.Counts
	line := fmt.Sprintf("%s: asked %s of %s, admitted %s, rejected %s, failed %s, cost %s", s.State, number(s.asked()), number(c.Planned),
		number(c.Admitted), number(c.RejectedTotal()), number(c.Failed), costText(s.Cost))
	if s.Files.Total > 0 {
		line += fmt.Sprintf(", files %d of %d", s.Files.Done, s.Files.Total)
	}
	for _, t := range s.Teachers {
		line += batchText(", "+t.Name+": ", t.Batches)
	}
	return line
}

// batchText says how far a teacher's batches are that are at its provider; "" where there are none.
func batchText(before string, b *schema.BatchStatus) string {
	if b == nil || b.Queued+b.Running+b.Finalizing == 0 {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{b.Queued, "queued"}, {b.Running, "running"}, {b.Finalizing, "finalizing"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	text := fmt.Sprintf("%sbatches %s, %s of %s requests answered", before, strings.Join(parts, ", "), number(b.Completed), number(b.Requests))
	if b.Failed > 0 {
		text += fmt.Sprintf(", %s failed", number(b.Failed))
	}
	return text
}

// asked counts what pages and batches in flight have answered too.
func (s *snapshot) asked() int64 {
	n := s.Asked + s.flying.Done
	for _, t := range s.Teachers {
		if t.Batches != nil {
			n += t.Batches.Completed + t.Batches.Failed
		}
	}
	return min(max(s.Counts.Planned, s.Asked), n)
}

func costText(c schema.Cost) string {
	if c.Unknown > 0 && c.Micros == 0 {
		return "unknown"
	}
	text := dollars(c.Micros)
	if c.Unknown > 0 {
		text += fmt.Sprintf(" and %s answers of unknown price", number(c.Unknown))
	}
	return text
}

func firstLine(s string) string { return strings.SplitN(s, "\n", 2)[0] }

// reasons lists counts, the largest first.
func reasons(m map[string]int64) string {
	keys := byCount(m)
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%s %s", k, number(m[k]))
	}
	return strings.Join(keys, ", ")
}

// figuresText is what an admitted record costs, and the whole run while it goes on.
func figuresText(f schema.Figures, ended bool) (text string) {
	if f.PerAdmitted != nil {
		text = fmt.Sprintf(", $%.6g an admitted record", float64(*f.PerAdmitted)/1e6)
	}
	if f.Projected != nil && !ended {
		text += fmt.Sprintf(", about %s to the end", dollars(*f.Projected))
	}
	return text
}

// reuseText says what a run takes of earlier runs' answers, or why it takes none; "" where nobody would ask.
func reuseText(s *schema.Status) string {
	r := s.Reuse
	if r == nil {
		return ""
	}
	earlier := fmt.Sprintf("%d earlier runs", r.Runs)
	if r.Runs == 1 {
		earlier = "an earlier run"
	}
	switch {
	case r.Why == "no-runs", r.Why == "never", r.Why == "preview":
		return ""
	case r.Why == "none-equal":
		return fmt.Sprintf("none: %s answered none of these requests", earlier)
	case r.Why != "":
		return fmt.Sprintf("none of %s: %s", earlier, strings.ReplaceAll(r.Why, "-", " "))
	}
	return fmt.Sprintf("%s of %s answers that %s had paid for", number(s.Reused), number(r.Requests), earlier)
}
