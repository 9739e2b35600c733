package quality

import (
	"bytes"
	"compress/flate"
	"encoding/gob"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/retort-data/retort/schema"
)

// Formats of encoded anchors and gates; the number rises when an old one can't be read.
const (
	anchorFormat = "retort-anchor/1\n"
	gateFormat   = "retort-gate/2\n"
	maxDecoded   = 2 << 30 // bytes
)

// EncodeAnchor writes an anchor; the same anchor gives the same bytes.
func EncodeAnchor(a *Anchor) ([]byte, error) { return pack(anchorFormat, a) }

// DecodeAnchor reads what EncodeAnchor wrote.
func DecodeAnchor(b []byte) (*Anchor, error) {
	a := &Anchor{}
	if err := unpack(anchorFormat, b, a); err != nil {
		return nil, err
	}
	if err := a.check(); err != nil {
		return nil, damaged(anchorFormat, err)
	}
	a.Profile.Vocab.index()
	return a, nil
}

func (a *Anchor) check() error {
	p := a.Profile
	switch {
	case p == nil || p.Vocab == nil || p.Topics == nil:
		return fmt.Errorf("no profile")
	case len(p.Vocab.Words) != len(p.Vocab.Counts) || !slices.IsSorted(p.Vocab.Words) || slices.Contains(p.Vocab.Counts, 0):
		return fmt.Errorf("vocabulary")
	case len(p.Vocab.Words) > maxVocabulary || math.IsNaN(p.Vocab.Total) || p.Vocab.Total < 0:
		return fmt.Errorf("vocabulary's size")
	case !p.Six.valid():
		return fmt.Errorf("6-grams")
	case !slices.IsSorted(a.Known):
		return fmt.Errorf("known prompts")
	case len(p.Topics.IDF) != topicDims || len(p.Topics.Centers) != topicDims*topicCount:
		return fmt.Errorf("topics")
	}
	for _, t := range a.Topics {
		if t >= topicCount {
			return fmt.Errorf("topics of twins")
		}
	}
	for c := range p.Dists {
		for s := range p.Dists[c] {
			if !slices.IsSorted(p.Dists[c][s].Quantiles) {
				return fmt.Errorf("distributions")
			}
		}
	}
	return nil
}

// encodedGate is a gate's options and state: a page's object on S3.
type encodedGate struct {
	Options  GateOptions
	Names    []string // of ceilings, in order: gob's maps have none
	Ceilings []float64
	State    state
}

// State encodes the gate, so that it goes on from here: equal gates give equal bytes.
func (g *Gate) State() ([]byte, error) {
	e := encodedGate{Options: g.o, Names: g.rates, State: g.s}
	e.Options.Ceilings = nil
	for _, n := range g.rates {
		e.Ceilings = append(e.Ceilings, g.o.Ceilings[n])
	}
	return pack(gateFormat, &e)
}

// DecodeGate goes on from a state. The anchor must be the one that the state was made with.
func DecodeGate(a *Anchor, b []byte) (*Gate, error) {
	var e encodedGate
	if err := unpack(gateFormat, b, &e); err != nil {
		return nil, err
	}
	if len(e.Names) != len(e.Ceilings) || !slices.IsSorted(e.Names) {
		return nil, damaged(gateFormat, fmt.Errorf("ceilings"))
	}
	if len(e.Names) > 0 {
		e.Options.Ceilings = map[string]float64{}
		for i, n := range e.Names {
			e.Options.Ceilings[n] = e.Ceilings[i]
		}
	}
	g, err := NewGate(a, e.Options)
	if err != nil {
		return nil, err
	}
	if g.s.Anchor != e.State.Anchor {
		return nil, &schema.Error{Kind: schema.KindFailed, Code: "other-anchor", Op: "decode", Subject: "the gate's state",
			Cause: fmt.Errorf("it was made with another anchor"), Hint: "give the anchor that the run began with"}
	}
	if err := e.State.check(g); err != nil {
		return nil, damaged(gateFormat, err)
	}
	g.s = e.State
	return g, nil
}

func (s *state) check(fresh *Gate) error {
	ok := len(s.Rates) == len(fresh.rates) && len(s.Used) == len(fresh.s.Used) && len(s.Band.StreamWords) == len(s.Band.TwinWords) &&
		len(s.Band.StreamNLL) == len(s.Band.TwinNLL)
	for i := range s.Accounts {
		ok = ok && len(s.Accounts[i].Bets) > 0 && s.Accounts[i].Gap > 0
	}
	for i := range s.Rates {
		ok = ok && s.Rates[i].Ceiling > 0 && s.Rates[i].Ceiling < 1 && len(s.Rates[i].Low.Bets) > 0 && len(s.Rates[i].High.Bets) > 0 && s.Rates[i].Low.Gap > 0 && s.Rates[i].High.Gap > 0
	}
	for _, c := range s.Cursors {
		ok = ok && c.At >= 0
	}
	if fresh.anchor != nil {
		ok = ok && s.Pasts.Uni.valid(uniBits) && s.Pasts.Bi.valid(biBits)
		ok = ok && s.Six.valid()
		for k := range s.Examples {
			for _, e := range s.Examples[k] {
				ok = ok && e.Twin >= 0 && e.Twin < len(fresh.anchor.Twins)
			}
		}
	}
	if !ok {
		return fmt.Errorf("parts don't fit together")
	}
	return nil
}

func pack(format string, x any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(format)
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := gob.NewEncoder(w).Encode(x); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpack(format string, b []byte, x any) error {
	if !bytes.HasPrefix(b, []byte(format)) {
		return damaged(format, fmt.Errorf("it doesn't begin with %q", format))
	}
	r := flate.NewReader(bytes.NewReader(b[len(format):]))
	if err := gob.NewDecoder(io.LimitReader(r, maxDecoded)).Decode(x); err != nil {
		return damaged(format, err)
	}
	return nil
}

// CodeDamaged is the code of the error where an anchor or a gate can't be decoded.
const CodeDamaged = "damaged"

func damaged(format string, cause error) error {
	return &schema.Error{Kind: schema.KindFailed, Code: CodeDamaged, Op: "decode", Subject: format[:len(format)-1], Cause: cause,
		Hint: "the object is damaged or was written by another version: delete it, and it is built again"}
}
