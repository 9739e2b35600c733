package main

import (
	"fmt"
	"time"

	"github.com/retort-data/retort/schema"
)

// teachers shows each teacher's part, and what it or its provider makes us wait for.
func (s *screen) teachers(c *column) {
	for i := range s.Teachers {
		s.teacher(c, &s.Teachers[i])
	}
}

func (s *screen) teacher(c *column, t *schema.TeacherStatus) {
	p := s.paint
	money := costText(t.Cost)
	if c.width < roomyWidth {
		if t.Projected != nil && !s.Ended() {
			money += " of about " + dollars(*t.Projected)
		}
	} else {
		money += figuresText(t.Figures, s.Ended())
	}
	text := fmt.Sprintf("%s  %s of %s, pages %d of %d, %s", p.bold(clean(t.Name)), number(t.Answered), number(t.Requests), t.Pages.Done, t.Pages.Total, money)
	c.field("teacher", text)
	if t.Stopped != "" {
		c.under(p.bad("not asked any more: " + stoppedText(t.Stopped)))
	}
	if text := batchText("", t.Batches); text != "" {
		c.under(p.warn("at its provider: ") + text)
	}
	for _, w := range t.Waits {
		c.under(p.warn(waitLine(w, s.now)))
	}
	if n := len(t.Served); n > 1 {
		c.under(p.warn(fmt.Sprintf("its model changed: it answered under %d names", n)))
	}
	if len(t.Failed) > 0 {
		c.under(p.warn("failed: ") + clean(reasons(t.Failed)))
	}
}

// roomyWidth is the width from which a teacher's line says all of its figures.
const roomyWidth = 90

// stoppedText explains why a teacher is left alone, where the reasons of holds do.
func stoppedText(code string) string {
	text := clean(code)
	if code == "budget" {
		return "its part of the budget is used up"
	}
	return text
}

// waitLine says what a worker process waits for before it sends to a teacher.
func waitLine(w schema.TeacherWait, now time.Time) string {
	line := "waits on worker " + clean(w.Worker) + ": " + waitText(w)
	if !w.Since.IsZero() {
		line += fmt.Sprintf(", since %s (%s)", w.Since.Local().Format(time.TimeOnly), span(now.Sub(w.Since)))
	}
	if w.Until.After(now) {
		line += ", until " + w.Until.Local().Format(time.TimeOnly)
	}
	return line
}
