package schema

import "time"

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
}
