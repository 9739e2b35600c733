package main

import "github.com/retort-data/retort/schema"

// waitText says what a worker process waits for.
func waitText(w schema.TeacherWait) string {
	switch w.For {
	case schema.WaitBreaker:
		return "it only failed (" + clean(w.Code) + "), so its breaker is open: one request now and then tries whether it is back"
	case schema.WaitLimit:
		return "its limit (" + clean(w.Code) + ")"
	case schema.WaitServer:
		return "its rate headers say so"
	case schema.WaitLease:
		return "no part of its limit: other workers have it, or Temporal can't be asked"
	}
	return clean(w.For)
}
