package activities

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// sample picks some of a plan's prompts, spread over all of it: the plan is cut into as many equal stretches as prompts are wanted,
// and one of each is drawn by seed. It holds no list, so a plan may be as long as it likes.
type sample struct {
	seed uint64
	n    int64 // prompts wanted; 0: all
	of   int64 // prompts of the plan
	next int64 // stretch to be drawn from
	at   int64 // prompts seen
}

// takes says whether the next prompt is picked.
func (s *sample) takes() bool {
	if s.n == 0 || s.n >= s.of {
		return true
	}
	at := s.at
	s.at++
	if s.next == s.n || at != s.pick(s.next) {
		return false
	}
	s.next++
	return true
}

// pick is the prompt that is drawn from the k-th stretch.
func (s *sample) pick(k int64) int64 {
	from, to := s.bound(k), s.bound(k+1)
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(k))
	return from + int64(xxh3.HashSeed(b[:], s.seed)%uint64(to-from))
}

func (s *sample) bound(k int64) int64 { return k * s.of / s.n }
