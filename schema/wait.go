package schema

import (
	"slices"
	"time"
)

// What a worker process can wait for before it sends to a teacher.
const (
	WaitBreaker = "breaker" // the teacher only failed: nothing is sent but a trial now and then
	WaitServer  = "headers" // the teacher's own rate headers say so
	WaitLimit   = "limit"   // requests or tokens a minute, as the configuration has them
	WaitLease   = "lease"   // the limit is one over all workers, and this one has no part of it
)

// TeacherWait is what a worker process waits for before it sends to a teacher.
type TeacherWait struct {
	Teacher int       `json:"teacher"`        // index in the recipe
	Worker  string    `json:"worker"`         // drawn by the process
	For     string    `json:"for"`            // one of the Wait… words; "": it waits for nothing any more
	Code    string    `json:"code,omitempty"` // of the last fault, where a breaker is open
	Since   time.Time `json:"since,omitzero"`
	Until   time.Time `json:"until,omitzero"` // when it is tried again, where that is known
	Heard   time.Time `json:"heard,omitzero"` // when the run was last told of it
}

// A worker process that goes on waiting says so every so often; who has been silent for longer is taken for dead, or asks no page any more.
const (
	WaitSaidEvery = 2 * time.Minute
	WaitForgotten = 5 * time.Minute
)

// ForgetWaits forgets what worker processes waited for that haven't said so for a while.
func (s *Status) ForgetWaits(now time.Time) {
	for i := range s.Teachers {
		t := &s.Teachers[i]
		t.Waits = slices.DeleteFunc(slices.Clone(t.Waits), func(w TeacherWait) bool { return !w.Heard.IsZero() && now.Sub(w.Heard) > WaitForgotten })
		if len(t.Waits) == 0 {
			t.Waits = nil
		}
	}
}
