package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/bench/quality/photocopier"
	"github.com/retort-data/retort/quality"
)

// injection is a stream with a labelled fault, what should see it, and within how many records (0: nothing sees it yet, or
// it is healthy).
type injection struct {
	name     string
	mode     quality.Mode
	stream   func(rng *rand.Rand) []record
	anchor   int // generation of the pinned version; -1: human text; -2: the student of one half
	accounts []string
	within   int
	events   map[string]float64 // rates
	rise     map[string]float64 // rates from the 400th record on
	twins    func(rng *rand.Rand) []record
	unseen   bool // nothing is known to see it yet: reported, not asserted
}

// lab is a chain of students over Go's doc comments.
type lab struct {
	chain    []*photocopier.Student
	anchors  []*quality.Anchor
	twins    [][]record
	human    *quality.Anchor
	humanOwn []record
	humanNew []record

	half      *quality.Anchor // of a student of one half of the human text
	halfTwins []record
	otherHalf *photocopier.Student // as healthy, of the other half
}

const labRecords = 1200

func newLab(t *testing.T) *lab {
	t.Helper()
	texts0, err := goDocs()
	if err != nil {
		t.Fatal(err)
	}
	var docs []string
	for _, d := range texts0 { // pieces of 40 to 70 words
		w := strings.Fields(d)
		for len(w) >= 40 {
			n := min(len(w), 60)
			docs = append(docs, strings.Join(w[:n], " "))
			w = w[n:]
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	l := &lab{human: anchorOf(docs[:len(docs)/3])}
	rest := records(docs[len(docs)/3:], "")
	l.humanOwn, l.humanNew = rest[:len(rest)/2], rest[len(rest)/2:]
	l.chain = append(l.chain, photocopier.Train(docs, 0.8))
	for range 6 {
		published := sampled(l.chain[len(l.chain)-1], rng, 2*labRecords, 1)
		l.anchors = append(l.anchors, anchorOf(texts(published[:labRecords])))
		l.twins = append(l.twins, published[labRecords:])
		l.chain = append(l.chain, photocopier.Train(texts(published)))
	}
	published := sampled(photocopier.Train(docs[:len(docs)/2], 0.8), rng, 2*labRecords, 1)
	l.half, l.halfTwins = anchorOf(texts(published[:labRecords])), published[labRecords:]
	l.otherHalf = photocopier.Train(docs[len(docs)/2:], 0.8)
	return l
}

func (l *lab) injections() []injection {
	said := func(g int, t float64) func(*rand.Rand) []record {
		return func(rng *rand.Rand) []record { return sampled(l.chain[g], rng, labRecords, t) }
	}
	changed := func(share float64, f func(i int, s string) string) func(*rand.Rand) []record {
		return func(rng *rand.Rand) []record {
			out := sampled(l.chain[0], rng, labRecords, 1)
			for i := range out {
				if rng.Float64() < share {
					out[i].text = f(i, out[i].text)
					out[i].f = quality.FeaturesOf(out[i].text)
				}
			}
			return out
		}
	}
	rates := func(*rand.Rand) []record { return make([]record, 2*labRecords) } // of which no text is looked at
	all := []injection{
		{name: "healthy: the same model", mode: quality.ModeSame, stream: said(0, 1)},
		{name: "healthy: human text", mode: quality.ModeSame, anchor: -1, stream: func(*rand.Rand) []record { return l.humanNew }},
		{name: "healthy: a teacher replaced by one as good", mode: quality.ModeChanged, anchor: -2, stream: func(rng *rand.Rand) []record { return sampled(l.otherHalf, rng, labRecords, 1) }},
		{name: "length bias: answers of a sixth of the length", mode: quality.ModeSame, accounts: []string{"length below", quality.AccountLength}, within: 100, stream: changed(1, func(_ int, s string) string {
			w := strings.Fields(s)
			return strings.Join(w[:max(9, len(w)/6)], " ")
		})},
		{name: "length bias: shorter by a third", mode: quality.ModeSame, accounts: []string{quality.AccountLength}, within: 200, stream: changed(1, func(_ int, s string) string {
			w := strings.Fields(s)
			return strings.Join(w[:max(20, len(w)*2/3)], " ")
		})},
		{name: "length bias: longer by half", mode: quality.ModeSame, unseen: true, stream: func(rng *rand.Rand) []record {
			out := sampled(l.chain[0], rng, labRecords, 1)
			for i := range out {
				more := strings.Fields(l.chain[0].Sample(rng, 1))
				out[i].text += " " + strings.Join(more[:min(len(more), len(strings.Fields(out[i].text))/2)], " ")
				out[i].f = quality.FeaturesOf(out[i].text)
			}
			return out
		}},
		{name: "healthy: answers say as much of what was asked", mode: quality.ModeSame, twins: l.speaking(6), stream: l.speaking(6)},
		{name: "answers say less of what was asked", mode: quality.ModeSame, twins: l.speaking(6), stream: l.speaking(5), accounts: []string{quality.AccountAsked}, within: 400},
		{name: "temperature lowered", mode: quality.ModeSame, stream: said(0, 0.8), accounts: []string{quality.AccountUniLP, quality.AccountMaxRar}, within: 150},
		{name: "template repeated in 20%", mode: quality.ModeSame, accounts: []string{quality.AccountNov6Rep}, within: 500,
			stream: changed(0.2, func(_ int, s string) string {
				return "It is worth remembering here that every single case may differ. " + s
			})},
		{name: "loops in 30%", mode: quality.ModeSame, accounts: []string{quality.AccountRep4, quality.AccountHrec}, within: 300,
			stream: changed(0.3, func(_ int, s string) string {
				w := strings.Fields(s)
				return strings.Repeat(strings.Join(w[:min(8, len(w))], " ")+" ", 6)
			})},
		{name: "a worse teacher: the fourth copy", mode: quality.ModeChanged, stream: said(4, 1), accounts: []string{quality.AccountMaxRar, quality.AccountUniLP, quality.AccountUni1, quality.AccountUni2}, within: 800},
		{name: "paraphrase loop: words of the same text in another order", mode: quality.ModeSame, accounts: []string{quality.AccountUni1, quality.AccountUni2, quality.AccountTopic, quality.AccountNov6Rep}, within: 1000,
			stream: func(rng *rand.Rand) []record {
				base := sampled(l.chain[0], rng, 40, 1)
				out := make([]record, labRecords)
				for i := range out {
					w := strings.Fields(base[i%len(base)].text)
					rng.Shuffle(len(w), func(i, j int) { w[i], w[j] = w[j], w[i] })
					text := strings.Join(w, " ")
					out[i] = record{text: text, f: quality.FeaturesOf(text)}
				}
				return out
			}},
		{name: "garbage", mode: quality.ModeHuman, anchor: -1, accounts: []string{"vocabulary above", "log-probability distance", "entropy above"}, within: 400,
			stream: changed(1, func(i int, s string) string {
				var b strings.Builder
				for k := range len(strings.Fields(s)) {
					fmt.Fprintf(&b, "x%dq%d ", i, k)
				}
				return b.String()
			})},
		{name: "refusals rise from 1% to 4%", mode: quality.ModeSame, stream: rates, accounts: []string{"refusal"}, within: 400 + 1500, events: map[string]float64{"refusal": 0.01}, rise: map[string]float64{"refusal": 0.04}},
		{name: "refusals at 4%", mode: quality.ModeSame, stream: rates, accounts: []string{"refusal"}, within: 1500, events: map[string]float64{"refusal": 0.04}},
		{name: "identity leaks in 3%", mode: quality.ModeSame, stream: rates, accounts: []string{"identity"}, within: 1500, events: map[string]float64{"identity": 0.03}},
		{name: "healthy: refusals and leaks below their ceilings", mode: quality.ModeSame, stream: rates, events: map[string]float64{"refusal": 0.01, "identity": 0.004}},
	}
	all = append(all,
		injection{name: "topics that hold 20% vanish", mode: quality.ModeSame, anchor: -1, accounts: []string{quality.AccountTopic}, within: 1200,
			stream: l.withoutTopics},
		injection{name: "the rarest words rarer by a fifth", mode: quality.ModeSame, unseen: true, stream: l.withoutTail})
	for g := 1; g <= 5; g++ {
		all = append(all, injection{name: fmt.Sprintf("photocopy: generation %d against %d", g, g-1), mode: quality.ModeSame, anchor: g - 1, stream: said(g, 1),
			accounts: []string{quality.AccountMaxRar, quality.AccountUniLP}, within: 500})
	}
	return all
}

// speaking are answers to questions of ten rare words each, of which an answer says some.
func (l *lab) speaking(words int) func(*rand.Rand) []record {
	return func(rng *rand.Rand) []record {
		out := sampled(l.chain[0], rng, labRecords, 1)
		for i := range out {
			var question []string
			for k := range 10 {
				question = append(question, fmt.Sprintf("symbol%d", 10*i+k))
			}
			out[i].key, out[i].asked = fmt.Sprint(i), quality.AskedOf(strings.Join(question, " "))
			w := strings.Fields(out[i].text)
			for _, k := range rng.Perm(10)[:words] {
				w[rng.IntN(min(len(w), 8))] += " " + question[k]
			}
			out[i].text = strings.Join(w, " ")
			out[i].f = quality.FeaturesOf(out[i].text)
		}
		return out
	}
}

// withoutTopics takes away from human text the topics that hold a fifth of it.
func (l *lab) withoutTopics(rng *rand.Rand) []record {
	sizes := map[int]int{}
	for _, r := range l.humanNew {
		sizes[quality.TopicOf(l.human, r.f)]++
	}
	gone, n := map[int]bool{}, 0
	for _, t := range rng.Perm(60) {
		if n+sizes[t] <= len(l.humanNew)/5 {
			gone[t] = true
			n += sizes[t]
		}
	}
	return slices.DeleteFunc(slices.Clone(l.humanNew), func(r record) bool { return gone[quality.TopicOf(l.human, r.f)] })
}

// withoutTail puts a common word in place of one in five of the words that the sample has once.
func (l *lab) withoutTail(rng *rand.Rand) []record {
	out := sampled(l.chain[0], rng, labRecords, 1)
	count := map[string]int{}
	for _, r := range out {
		for _, w := range strings.Fields(r.text) {
			count[w]++
		}
	}
	for i := range out {
		w := strings.Fields(out[i].text)
		for k := range w {
			if count[w[k]] == 1 && rng.Float64() < 0.2 {
				w[k] = "value"
			}
		}
		out[i].text = strings.Join(w, " ")
		out[i].f = quality.FeaturesOf(out[i].text)
	}
	return out
}

// Each injected fault is held by the account that should see it, in time; healthy streams are not.
func TestInjections(t *testing.T) {
	l := newLab(t)
	for i, x := range l.injections() {
		rng := rand.New(rand.NewPCG(uint64(i), 77))
		tr := trial{stream: x.stream(rng)}
		if x.anchor == -2 {
			tr.anchor, tr.twins = l.half, l.halfTwins
		} else if x.anchor < 0 {
			tr.anchor, tr.twins = l.human, l.humanOwn
		} else {
			tr.anchor, tr.twins = l.anchors[x.anchor], l.twins[x.anchor]
		}
		if x.twins != nil {
			tr.twins = x.twins(rng)
		}
		tr.events = func(i int) (all []string) {
			for _, name := range []string{"identity", "refusal"} {
				rate := x.events[name]
				if i >= 400 && x.rise[name] > 0 {
					rate = x.rise[name]
				}
				if rng.Float64() < rate {
					all = append(all, name)
				}
			}
			return all
		}
		o := quality.GateOptions{Mode: x.mode, MinEffect: -1, Alpha: 0.005}
		if x.events != nil { // rates have a gate of their own, with the other half of α
			tr.anchor, o.Ceilings = nil, map[string]float64{"refusal": 0.015, "identity": 0.008}
		}
		r := tr.run(o, false)
		t.Logf("%-60s record %4d %s", x.name, r.gate, r.account)
		switch {
		case x.unseen:
			t.Logf("  (nothing is expected to see this yet)")
		case x.within == 0 && r.gate != 0:
			t.Errorf("%s: held at record %d by %s", x.name, r.gate, r.account)
		case x.within > 0 && (r.gate == 0 || r.gate > x.within):
			t.Errorf("%s: record %d, wanted by %d", x.name, r.gate, x.within)
		case x.within > 0 && !slices.Contains(x.accounts, r.account):
			t.Errorf("%s: held by %s, expected of %v", x.name, r.account, x.accounts)
		}
	}
}
