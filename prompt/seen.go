package prompt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
)

// SeenInMemory is the number of ids that a Seen holds in memory unless told otherwise: some 16 MB.
const SeenInMemory = 1 << 18

// runsOfALevel is the number of runs of about one size that are merged into one of the next.
const runsOfALevel = 4

type id [16]byte

// Seen is an exact set of prompt ids that is bounded in memory: beyond a number of ids it writes sorted runs to disk, and keeps a
// Bloom filter of 10 bits an id for each. It is not safe for use by several goroutines.
type Seen struct {
	recent  map[id]struct{}
	bound   int
	folder  string
	made    bool // whether folder is ours to remove
	runs    []*run
	count   int64
	repeats int64
}

// NewSeen makes an empty set. Runs are written to a new folder in scratch ("" is the system's temporary folder); bound 0 is
// SeenInMemory.
func NewSeen(scratch string, bound int) *Seen {
	if bound <= 0 {
		bound = SeenInMemory
	}
	return &Seen{recent: make(map[id]struct{}), bound: bound, folder: scratch}
}

// Add adds an id (32 hex digits) and says whether it is new.
func (s *Seen) Add(promptID string) (bool, error) {
	var k id
	if n, err := hex.Decode(k[:], []byte(promptID)); err != nil || n != len(k) || len(promptID) != 2*len(k) {
		return false, fmt.Errorf("seen: %q is no id of 32 hex digits", short(promptID))
	}
	known, err := s.has(k)
	if err != nil {
		return false, err
	}
	if known {
		s.repeats++
		return false, nil
	}
	s.recent[k] = struct{}{}
	s.count++
	if len(s.recent) >= s.bound {
		return true, s.spill()
	}
	return true, nil
}

// Len is the number of different ids, Repeats that of those added again.
func (s *Seen) Len() int64 { return s.count }

// Repeats is the number of ids that were added again.
func (s *Seen) Repeats() int64 { return s.repeats }

// Close removes what is on disk.
func (s *Seen) Close() error {
	var errs []error
	for _, r := range s.runs {
		errs = append(errs, r.file.Close())
	}
	s.runs = nil
	if s.made {
		errs = append(errs, os.RemoveAll(s.folder))
		s.made = false
	}
	return errors.Join(errs...)
}

func (s *Seen) has(k id) (bool, error) {
	if _, ok := s.recent[k]; ok {
		return true, nil
	}
	for _, r := range s.runs {
		if ok, err := r.has(k); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// spill writes the ids in memory as a run, and merges runs as long as enough of one level lie at the end.
func (s *Seen) spill() error {
	if !s.made {
		folder, err := os.MkdirTemp(s.folder, "retort-seen-")
		if err != nil {
			return err
		}
		s.folder, s.made = folder, true
	}
	keys := make([]id, 0, len(s.recent))
	for k := range s.recent {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b id) int { return bytes.Compare(a[:], b[:]) })
	r, err := writeRun(s.folder, 0, int64(len(keys)), func(emit func(id) error) error {
		for _, k := range keys {
			if err := emit(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.runs = append(s.runs, r)
	clear(s.recent)
	return s.merge()
}

func (s *Seen) merge() error {
	for len(s.runs) >= runsOfALevel {
		last := s.runs[len(s.runs)-runsOfALevel:]
		if last[0].level != last[runsOfALevel-1].level {
			return nil
		}
		merged, err := mergeRuns(s.folder, last)
		if err != nil {
			return err
		}
		for _, r := range last {
			r.remove()
		}
		s.runs = append(s.runs[:len(s.runs)-runsOfALevel], merged)
	}
	return nil
}
