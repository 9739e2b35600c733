package schema

import (
	"testing"
	"time"
)

// Of workers that wait, those stay that have said so lately, and those of which an earlier program hasn't noted when.
func TestForgetWaits(t *testing.T) {
	now := time.Unix(1e9, 0)
	waits := []TeacherWait{{Worker: "dead", Heard: now.Add(-WaitForgotten - time.Second)}, {Worker: "waits", Heard: now.Add(-WaitSaidEvery)}, {Worker: "unknown"}}
	s := Status{Teachers: []TeacherStatus{{Waits: waits}, {Waits: waits[:1]}, {}}}
	s.ForgetWaits(now)
	if got := s.Teachers[0].Waits; len(got) != 2 || got[0].Worker != "waits" || got[1].Worker != "unknown" {
		t.Errorf("%+v", got)
	}
	if s.Teachers[1].Waits != nil || waits[0].Worker != "dead" {
		t.Errorf("%+v, and of the caller's own %+v", s.Teachers[1].Waits, waits)
	}
}
