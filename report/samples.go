package report

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// How many samples are drawn: of admitted records, and of each reason.
const (
	samplesAdmitted = 8
	samplesReason   = 3
	mostReasons     = 16
)

// mostShown bounds a text of a sample, in bytes.
const mostShown = 1500

// Sample is a record as the report shows it.
type Sample struct {
	RequestID    string
	Teacher      string
	Source       string
	License      string
	Generation   int32
	Prompt       []schema.Message
	Answer       string
	Cut          bool // texts were shortened
	Outcome      string
	Reason       string
	Signal       string
	Value, Limit float64
	Match        string
	Of           string
	Jaccard      float64
	Tags         []string
	FinishReason string
	Tokens       int64
}

// Samples are drawn by seed.
type Samples struct {
	Admitted []Sample
	Rejected []OfReason
}

// OfReason are samples of one reason.
type OfReason struct {
	Reason  string
	Samples []Sample
}

// Cluster is a set of near-duplicates, with some of its members.
type Cluster struct {
	Size    int
	Members []*Sample // nil: not found
}

type sampler struct {
	n    int64
	most int
	kept []Sample
}

func (s *sampler) offer(rng *rand.Rand, a *Answer) {
	s.n++
	if len(s.kept) < s.most {
		s.kept = append(s.kept, sampleOf(a))
	} else if at := rng.Int64N(s.n); at < int64(s.most) {
		s.kept[at] = sampleOf(a)
	}
}

// sample draws, and fills what is wanted.
func (m *Measurement) sample(a *Answer) {
	key, most := "", samplesAdmitted
	if a.Decision.Outcome != schema.OutcomeAdmitted {
		key, most = a.Decision.Reason, samplesReason
	}
	s := m.samples[key]
	if s == nil && len(m.samples) <= mostReasons {
		s = &sampler{most: most}
		m.samples[key] = s
	}
	if s != nil {
		s.offer(m.rng, a)
	}
	if want, ok := m.wanted[a.Decision.RequestID]; ok {
		*want = sampleOf(a)
	}
}

// Want has a record's sample filled when it comes.
func (m *Measurement) Want(requestID string) *Sample {
	if m.wanted[requestID] == nil {
		m.wanted[requestID] = &Sample{}
	}
	return m.wanted[requestID]
}

func (m *Measurement) drawn() *Samples {
	out := &Samples{}
	for reason, s := range m.samples {
		if reason == "" {
			out.Admitted = s.kept
			continue
		}
		out.Rejected = append(out.Rejected, OfReason{reason, s.kept})
	}
	slices.SortFunc(out.Rejected, func(a, b OfReason) int {
		return cmp.Or(cmp.Compare(m.samples[b.Reason].n, m.samples[a.Reason].n), strings.Compare(a.Reason, b.Reason))
	})
	return out
}

func sampleOf(a *Answer) Sample {
	s := Sample{RequestID: a.Decision.RequestID, Teacher: a.Teacher, Source: a.Source, License: a.License, Generation: a.Generation, Outcome: a.Decision.Outcome,
		Reason: a.Decision.Reason, Of: a.Decision.Of, Jaccard: a.Decision.Jaccard, FinishReason: a.Response.FinishReason, Tokens: a.Response.OutputTokens}
	for _, p := range a.Prompt {
		s.Prompt = append(s.Prompt, schema.Message{Role: p.Role, Content: s.cut(p.Content)})
	}
	s.Answer = s.cut(quality.Mask(a.Response.Text)) // a report goes to more people than a dataset
	for _, f := range a.Inspection.Findings {
		switch {
		case f.Check == a.Decision.Reason && s.Signal == "" && s.Match == "":
			s.Signal, s.Value, s.Limit, s.Match = f.Signal, f.Value, f.Limit, f.Match
		case a.Decision.Outcome == schema.OutcomeAdmitted:
			s.Tags = append(s.Tags, f.Check)
		}
	}
	return s
}

// cut shortens a text at a character, not within one.
func (s *Sample) cut(text string) string {
	if len(text) <= mostShown {
		return text
	}
	s.Cut = true
	end := mostShown
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end])
}
