package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/retort-data/retort/schema"
)

// view shows a run that goes on.
type view interface {
	show(*snapshot) error
	trouble(error)
	close()
}

// newView chooses by what stdout is: JSON lines, a live view on a terminal, plain lines elsewhere.
func (a *app) newView() view {
	if a.json {
		return &jsonView{out: a.stdout}
	}
	if f, ok := a.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &liveView{out: f}
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
func (v *jsonView) close()        {}

// plainView prints a line when something has changed, at most every few seconds.
type plainView struct {
	out  io.Writer
	last string
	at   time.Time
}

const plainEvery = 5 * time.Second

func (v *plainView) show(s *snapshot) error {
	line := printable(summary(s))
	if line == v.last || s.State == stateOf(v.last) && time.Since(v.at) < plainEvery {
		return nil
	}
	v.last, v.at = line, time.Now()
	_, err := fmt.Fprintln(v.out, line)
	return err
}
func (v *plainView) trouble(err error) {
	fmt.Fprintln(v.out, printable("waiting: "+firstLine(err.Error())))
}
func (v *plainView) close() {}

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

// liveView redraws some lines in place.
type liveView struct {
	out    *os.File
	lines  int
	closed bool
}

func (v *liveView) draw(lines []string) {
	width, _, err := term.GetSize(int(v.out.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	var b strings.Builder
	if v.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.lines)
	}
	for _, line := range lines {
		b.WriteString("\x1b[2K" + clip(printable(line), width-1) + "\n")
	}
	for i := len(lines); i < v.lines; i++ {
		b.WriteString("\x1b[2K\n")
	}
	if extra := v.lines - len(lines); extra > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", extra)
	}
	v.lines = len(lines)
	io.WriteString(v.out, b.String()) //nolint:errcheck // a terminal that is gone ends by its signal
}

func clip(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return string(r[:width-1]) + "…"
}

func (v *liveView) show(s *snapshot) error {
	v.draw(liveLines(s, time.Now()))
	return nil
}

func (v *liveView) trouble(err error) { v.draw([]string{"waiting: " + firstLine(err.Error())}) }
func (v *liveView) close()            { v.closed = true }

// liveLines are the lines of the live view.
func liveLines(s *snapshot, now time.Time) []string {
	c := s.Counts
	lines := []string{fmt.Sprintf("%s  run %s  %s", s.Dataset, s.Run, stateText(s, now))}
	if c.Planned == 0 {
		return lines
	}
	asked := s.asked()
	lines = append(lines, fmt.Sprintf("  asked     %s %s of %s%s", bar(asked, c.Planned, 24), number(asked), number(c.Planned), rateText(s, now)))
	lines = append(lines, fmt.Sprintf("  decided   %s admitted %s, rejected %s, failed %s", bar(c.Planned-c.Unasked, c.Planned, 24), number(c.Admitted), number(c.RejectedTotal()), number(c.Failed)))
	if len(c.Rejected) > 0 {
		lines = append(lines, "  rejected  "+reasons(c.Rejected))
	}
	if s.Files.Total > 0 {
		lines = append(lines, fmt.Sprintf("  files     %s %d of %d", bar(int64(s.Files.Done), int64(s.Files.Total), 24), s.Files.Done, s.Files.Total))
	}
	lines = append(lines, gateLines(&s.Gate)...)
	cost := "  cost      " + costText(s.Cost)
	if s.Budget > 0 {
		cost += " of " + dollars(s.Budget)
	}
	lines = append(lines, cost+figuresText(s.Figures, s.Ended()))
	if text := reuseText(&s.Status); text != "" {
		lines = append(lines, "  reused    "+text)
	}
	for _, t := range s.Teachers {
		line := fmt.Sprintf("  teacher   %-16s pages %d of %d, answered %s, cost %s%s", t.Name, t.Pages.Done, t.Pages.Total, number(t.Answered), costText(t.Cost), figuresText(t.Figures, s.Ended()))
		if n := len(t.Served); n > 1 {
			line += fmt.Sprintf(", its model changed: %d names", n)
		}
		if len(t.Failed) > 0 {
			line += ", failed: " + reasons(t.Failed)
		}
		if t.Stopped != "" {
			line += ", stopped: " + t.Stopped
		}
		lines = append(lines, line)
		lines = append(lines, waitLines(t.Waits, now)...)
		if text := batchText("            ", t.Batches); text != "" {
			lines = append(lines, text)
		}
	}
	return lines
}

func stateText(s *snapshot, now time.Time) string {
	text := s.State
	if s.stale && !s.Updated.IsZero() {
		text += fmt.Sprintf(" (no worker answers; this is what was known %s ago)", span(now.Sub(s.Updated)))
	}
	if s.Reason != "" {
		text += ": " + reasonText(&s.Status)
	}
	return text
}

// rateText is the rate since the first answer, and the time that the rest takes at it.
func rateText(s *snapshot, now time.Time) string {
	if s.FirstAt == 0 || s.State != schema.StateAsking {
		return ""
	}
	since := now.Sub(time.UnixMilli(s.FirstAt)).Seconds()
	if since < 1 {
		return ""
	}
	rate := float64(s.asked()) / since
	if rate <= 0 {
		return ""
	}
	left := time.Duration(float64(s.Counts.Planned-s.asked()) / rate * float64(time.Second))
	return fmt.Sprintf("  %.1f/s, %s left", rate, span(left))
}

func bar(done, total int64, width int) string {
	n := 0
	if total > 0 {
		n = int(min(done, total) * int64(width) / total)
	}
	return "[" + strings.Repeat("#", n) + strings.Repeat(".", width-n) + "]"
}

// reasons lists counts, the largest first.
func reasons(m map[string]int64) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return m[keys[i]] > m[keys[j]] || m[keys[i]] == m[keys[j]] && keys[i] < keys[j] })
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
