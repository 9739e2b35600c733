package activities

import (
	"sync"
	"unicode/utf8"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// handed keeps what a step has just put for the step that reads it next, where that comes to the same process: what it would decode is the same.
// Each value is taken once; a retry, another process and whoever comes late read what stands on S3.
type handed struct {
	mu   sync.Mutex
	held []handedRows // the oldest first
	rows int
}

// handedRows are the decoded rows of an object.
type handedRows struct {
	key   string
	rows  int
	value any
}

// mostHanded bounds the rows that are kept: some pages, whose next step is under way or about to be.
const mostHanded = 8192

// give keeps a value of so many rows that was put to key just now; what was kept longest makes room.
func (h *handed) give(key string, rows int, value any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if rows > mostHanded {
		return
	}
	h.drop(func(have handedRows) bool { return have.key == key })
	h.held, h.rows = append(h.held, handedRows{key, rows, value}), h.rows+rows
	h.drop(func(handedRows) bool { return h.rows > mostHanded })
}

// drop lets go of what is to be gone, looking at the oldest first. h.mu is held.
func (h *handed) drop(gone func(handedRows) bool) {
	kept := h.held[:0]
	for _, have := range h.held {
		if gone(have) {
			h.rows -= have.rows
		} else {
			kept = append(kept, have)
		}
	}
	clear(h.held[len(kept):])
	h.held = kept
}

// take returns what was kept of key, and lets go of it; nil where nothing was.
func (h *handed) take(key string) (value any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(func(have handedRows) bool {
		if have.key != key {
			return false
		}
		value = have.value
		return true
	})
	return value
}

// answeredPage is what Inspect reads: a page with its final answers.
type answeredPage struct {
	page    *page
	head    answersHeader
	answers []schema.Response
}

// inspectedPage is what Admit reads.
type inspectedPage struct {
	head inspectedHeader
	rows []schema.Inspection
}

// handAnswers keeps a page's answers for Inspect.
func (r *Rooms) handAnswers(run store.Run, ref schema.PageRef, p answeredPage) {
	for i := range p.answers {
		if !sameReadBack(&p.answers[i]) {
			return
		}
	}
	r.handed.give(run.Answers(ref), len(p.answers), p)
}

// sameReadBack says whether a response is read back as it is: bytes that are no UTF-8 would be replaced.
func sameReadBack(a *schema.Response) bool {
	for _, s := range [...]string{a.Text, a.Reasoning, a.FinishReason, a.Model, a.Fingerprint, a.FailCode, a.FailDetail, a.SchemaFault} {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

// handInspected keeps a page's inspections for Admit.
func (r *Rooms) handInspected(run store.Run, ref schema.PageRef, p inspectedPage) {
	for i := range p.rows {
		for k := range p.rows[i].Findings {
			if !utf8.ValidString(p.rows[i].Findings[k].Match) {
				return
			}
		}
	}
	r.handed.give(run.Inspected(ref), len(p.rows), p)
}
