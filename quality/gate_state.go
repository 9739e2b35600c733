package quality

import (
	"slices"
	"sort"
)

// Reasons of a hold.
const (
	whyWealth = "wealth"
	whyBand   = "band"
)

// state is everything that a gate carries from record to record.
type state struct {
	Anchor    uint64 // digest
	Records   int
	Pairs     int
	Unmatched int // no twin was left
	Short     int // fewer than 8 words
	ByKey     int // paired by key
	Profiled  int // answers to prompts of the version whose own answers are in the profile, or used
	Peak      float64
	AlarmAt   int // record number, 0 none
	Why       string
	Releases  int // how often a person let it go on
	Accepted  accepted

	Accounts     [numAccounts]account
	Tolerance    [numAccounts]tolerance
	Examples     [numAccounts]examples
	Rates        []rateAccount
	Pasts        pasts
	Six          sixCounts
	TopicsStream [topicCount]int
	TopicsTwin   [topicCount]int
	Used         bits64
	Cursors      []cursor // by stratum, sorted
	Band         bandState
}

type cursor struct {
	Stratum string
	At      int
}

func (s *state) cursor(stratum string) *int {
	i := sort.Search(len(s.Cursors), func(i int) bool { return s.Cursors[i].Stratum >= stratum })
	if i == len(s.Cursors) || s.Cursors[i].Stratum != stratum {
		s.Cursors = append(s.Cursors, cursor{})
		copy(s.Cursors[i+1:], s.Cursors[i:])
		s.Cursors[i] = cursor{Stratum: stratum}
	}
	return &s.Cursors[i].At
}

func (g *Gate) firstState() state {
	s := state{Peak: 1}
	start := 0
	if g.o.Mode == ModeHuman {
		start = learnPairs
	}
	for k := range s.Accounts {
		s.Accounts[k] = newAccount(start)
	}
	for _, name := range g.rates {
		s.Rates = append(s.Rates, newRateAccount(g.o.Ceilings[name], 0))
	}
	if g.anchor != nil {
		s.Anchor = g.anchor.Digest()
		s.Pasts, s.Six = newPasts(), newSixCounts()
		s.Used = make(bits64, (len(g.anchor.Twins)+63)/64)
	}
	return s
}

// bits64 is a plain bit set.
type bits64 []uint64

func (b bits64) get(i int) bool { return b[i/64]>>(i%64)&1 == 1 }
func (b bits64) set(i int)      { b[i/64] |= 1 << (i % 64) }

// Example is a record that an account won much on.
type Example struct {
	Record string  `json:"record"`
	Number int     `json:"number"` // of the record in the stream, from 1
	Pair   int     `json:"pair"`   // of the pair, from 1
	Twin   int     `json:"twin"`   // index in the anchor
	D      float64 `json:"d"`
}

const maxExamples = 10

// examples are the records of the largest D since the account began to win.
type examples []Example

// offer takes x in where it is larger than the smallest; those from before since make room first.
func (e *examples) offer(x Example, since func() int) {
	if x.D <= 0 {
		return
	}
	if len(*e) == maxExamples {
		from := since()
		*e = slices.DeleteFunc(*e, func(x Example) bool { return x.Pair < from })
	}
	if len(*e) < maxExamples {
		*e = append(*e, x)
		return
	}
	low := 0
	for i := range *e {
		if (*e)[i].D < (*e)[low].D {
			low = i
		}
	}
	if x.D > (*e)[low].D {
		(*e)[low] = x
	}
}
