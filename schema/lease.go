package schema

import (
	"strings"
	"time"
)

// TeacherWorkflow is the id of the workflow that lends a teacher's limit: one in a namespace, for all runs, datasets and workers.
func TeacherWorkflow(name string) string { return "teacher/" + name }

// Update and query of the workflow teacher/NAME.
const (
	UpdateLease = "lease" // LeaseAsk → Lease
	QueryLease  = "lease" // worker, number → whether the lease still stands
	QueryShares = "shares"
)

// A worker process may use its lease for LeaseUsed after it was last confirmed, counted from before it asked. The workflow takes a
// lease that can't be confirmed any more for used up after LeaseGone: the difference is for a request on its way out.
const (
	LeaseUsed = 6 * time.Second
	LeaseGone = 8 * time.Second
)

// LeaseAsk is what a worker process tells teacher/NAME when it wants a share of the teacher's limit, another one, or none.
type LeaseAsk struct {
	Worker  string   `json:"worker"`            // LeaseWorker of the process
	Ask     int64    `json:"ask"`               // the process counts its asks, so that a late one changes nothing
	Using   int64    `json:"using"`             // number of the lease that it uses; it uses no other one any more. 0: none
	Want    int64    `json:"want"`              // requests of its pages that aren't answered yet; 0 gives everything back
	Flying  int64    `json:"flying"`            // requests under way
	Largest int64    `json:"largest,omitempty"` // tokens of its dearest request, at their worst
	Limits  Limits   `json:"limits"`            // as the process's configuration has them
	Suspect bool     `json:"suspect,omitempty"` // another process may have died: ask those who hold a lease whether they are there
	Gone    []string `json:"gone,omitempty"`    // processes that are known to have ended: what they had is free
}

// LeaseWorker names who asks for a teacher's leases: a process, which may do so more than once, each time with another name.
func LeaseWorker(process, drawn string) string { return process + leaseSeparator + drawn }

// LeaseOf says whether that is a name of the process.
func LeaseOf(worker, process string) bool {
	return process != "" && strings.HasPrefix(worker, process+leaseSeparator)
}

const leaseSeparator = "-"

// Lease is a process's part of a teacher's limit.
type Lease struct {
	Number int64 `json:"number"` // 0: none is to be had now
	Share  Share `json:"share"`
	Again  int64 `json:"again,omitempty"` // milliseconds after which to ask again; 0: when something changes
	More   bool  `json:"more,omitempty"`  // it would be larger for who wants more
}

// Share is how much of a teacher's limit a process may use. The zero value is nothing.
type Share struct {
	Of          Limits `json:"of"`          // the whole limit that it is a part of
	Pace        int64  `json:"pace"`        // millionths of Of.RPM's pace
	Burst       int64  `json:"burst"`       // requests at once, of RequestBurst(Of.RPM)
	Tokens      int64  `json:"tokens"`      // a minute, of Of.TPM
	Concurrency int64  `json:"concurrency"` // of Of.Concurrency
}

// WholePace is the pace of a share that is the whole limit.
const WholePace = 1_000_000

// RequestBurst is the number of requests that may be sent at once over all who share a limit: what is left of the limit is paced.
func RequestBurst(rpm int) int64 { return max(1, int64(rpm)/40) }

// WholeShare is all of a limit.
func WholeShare(l Limits) Share {
	return Share{Of: l, Pace: WholePace, Burst: RequestBurst(l.RPM), Tokens: int64(l.TPM), Concurrency: int64(l.Concurrency)}
}
