package main

import (
	"fmt"
	"time"

	"github.com/retort-data/retort/schema"
)

// waitLines say what worker processes wait for before they send to a teacher.
func waitLines(waits []schema.TeacherWait, now time.Time) (lines []string) {
	for _, w := range waits {
		line := "            waits on worker " + w.Worker + ": " + waitText(w)
		if !w.Since.IsZero() {
			line += fmt.Sprintf(", since %s (%s)", w.Since.Local().Format(time.TimeOnly), span(now.Sub(w.Since)))
		}
		if w.Until.After(now) {
			line += ", until " + w.Until.Local().Format(time.TimeOnly)
		}
		lines = append(lines, line)
	}
	return lines
}

func waitText(w schema.TeacherWait) string {
	switch w.For {
	case schema.WaitBreaker:
		return "it only failed (" + w.Code + "), so its breaker is open: one request now and then tries whether it is back"
	case schema.WaitLimit:
		return "its limit (" + w.Code + ")"
	case schema.WaitServer:
		return "its rate headers say so"
	case schema.WaitLease:
		return "no part of its limit: other workers have it, or Temporal can't be asked"
	}
	return w.For
}
