package quality

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/zeebo/xxh3"

	"github.com/retort-data/retort/schema"
)

// AnchorRecord is one text of an anchor: human text, or an answer of a pinned version. PromptID matches it to an answer to the very
// same prompt, Key to a prompt made of the same row, Stratum (source, language, teacher) to answers of the same kind.
type AnchorRecord struct {
	Key, Stratum, Text string
	PromptID           string
	Asked              []uint64 // AskedOf the prompt: what an answer to it speaks of
}

// mostAsked bounds the words of a prompt that are kept: a long one begins with what it is about.
const mostAsked = 128

// AskedOf returns the different words of a prompt, as hashes in their order.
func AskedOf(prompt string) (asked []uint64) {
	var seen counter
	words := FeaturesOf(prompt).words
	seen.reset(len(words))
	for _, w := range words {
		if seen.add(w) == 1 && len(asked) < mostAsked {
			asked = append(asked, w)
		}
	}
	return asked
}

// AnchorOptions bound the parts. Zero values are the defaults.
type AnchorOptions struct {
	Seed    uint64
	Pinned  bool // an earlier version: 30% profile, 70% twins, no holdout
	Profile int  // most records of the profile (20,000)
	Twins   int  // most twins (50,000)
	Holdout int  // most records of the holdout (20,000)

	HoldoutShare float64 // of the texts, below 1 (0.1); profile and twins divide the rest as 4 to 5
}

// Shares of the three parts.
const (
	profileShare = 0.40
	twinShare    = 0.50 // the rest is the holdout

	pinnedProfileShare = 0.30
)

// Anchor is human text or a pinned version, cut in three parts that share no text: the profile (frozen tables), the
// twins that answers are paired with, each once, and the holdout, the part that may be published.
type Anchor struct {
	Seed    uint64
	Profile *profile
	Twins   []AnchorRecord // in the order in which they are used
	Holdout []AnchorRecord
	Topics  []uint8  // of the twins
	Known   []uint64 // of a version: hashes of the profile's prompt ids and keys, sorted
}

// AnchorBuilder cuts a stream of records. What part a human text falls into follows from the seed and the text alone, not from
// the stream's order, and equal texts are kept once. A version's answers are drawn one by one, equal texts too, and its twins stay in
// the order in which they were said: a stream that says the same texts again, as often and in the same order, is healthy. Memory is
// bounded: of too many records those with the lowest hashes stay.
type AnchorBuilder struct {
	o     AnchorOptions
	parts [3]lowest
	sum   [3]int
	said  map[uint64]uint64 // of a version: how often a text came, by hash
	known map[uint64]bool
}

// NewAnchorBuilder makes an empty builder.
func NewAnchorBuilder(o AnchorOptions) *AnchorBuilder {
	for _, x := range []struct {
		n   *int
		def int
	}{{&o.Profile, 20_000}, {&o.Twins, 50_000}, {&o.Holdout, 20_000}} {
		if *x.n <= 0 {
			*x.n = x.def
		}
	}
	b := &AnchorBuilder{o: o, said: map[uint64]uint64{}, known: map[uint64]bool{}}
	for i, most := range []int{o.Profile, o.Twins, o.Holdout} {
		b.parts[i] = lowest{most: most, has: map[uint64]bool{}}
	}
	return b
}

// Add takes in one record; texts of fewer than 8 words are of no use and left out.
func (b *AnchorBuilder) Add(r AnchorRecord) {
	if FeaturesOf(r.Text).size < minPairWords {
		return
	}
	h := xxh3.HashStringSeed(r.Text, b.o.Seed)
	part := 2
	first, second := profileShare, twinShare
	if s := b.o.HoldoutShare; s > 0 {
		rest := (1 - s) / (profileShare + twinShare)
		first, second = first*rest, second*rest
	}
	if b.o.Pinned {
		first, second = pinnedProfileShare, 1
		b.said[h]++
		h = mix(h + b.said[h]*ngramPrime)
	}
	switch u := float64(mix(h)>>11) / (1 << 53); {
	case u < first:
		part = 0
	case u < first+second:
		part = 1
	}
	b.sum[part]++
	b.parts[part].add(h, r)
	if b.o.Pinned && part == 0 {
		b.known[promptHash(r.PromptID)], b.known[keyHash(r.Key)] = true, true
	}
}

func promptHash(id string) uint64 { return xxh3.HashStringSeed(id, 1) }
func keyHash(key string) uint64   { return xxh3.HashStringSeed(key, 2) }

// Build freezes the anchor. An anchor of too few records to say anything is an error of kind invalid.
func (b *AnchorBuilder) Build() (*Anchor, error) {
	if b.o.Pinned {
		b.fillProfile()
	}
	if n := len(b.parts[0].items); n < minProfile {
		need := "about 250"
		if b.o.Pinned {
			need = fmt.Sprint(FewestPinned)
		}
		return nil, &schema.Error{Kind: schema.KindInvalid, Code: "anchor-small", Op: "cut", Subject: "anchor",
			Cause: fmt.Errorf("%d texts of 8 words or more, of which %d for the profile; at least %d are needed", b.sum[0]+b.sum[1]+b.sum[2], n, minProfile),
			Hint:  "give the anchor more text, " + need + " records of 8 words or more, or leave the anchor out"}
	}
	a := &Anchor{Seed: b.o.Seed, Twins: b.parts[1].records(b.o.Pinned), Holdout: b.parts[2].records(false)}
	delete(b.known, promptHash(""))
	delete(b.known, keyHash(""))
	a.Known = slices.Sorted(maps.Keys(b.known))
	var texts []string
	for _, r := range b.parts[0].records(false) {
		texts = append(texts, r.Text)
	}
	a.Profile = newProfile(texts, b.o.Seed)
	var v topicVector
	for _, t := range a.Twins {
		v = a.Profile.Topics.vector(FeaturesOf(t.Text).words, v)
		a.Topics = append(a.Topics, uint8(a.Profile.Topics.nearest(v)))
	}
	return a, nil
}

const minProfile = 100

// FewestPinned is how many texts of 8 words or more a version needs to be an anchor: 100 for its profile, and as many twins.
const FewestPinned = 2 * minProfile

// fillProfile takes the twins that were drawn next to the profile into it where chance gave it too few: a small version is cut by
// its size alone, not by luck.
func (b *AnchorBuilder) fillProfile() {
	profile, twins := &b.parts[0], &b.parts[1]
	short := minProfile - len(profile.items)
	if short <= 0 || len(twins.items)-short < minProfile {
		return
	}
	slices.SortFunc(twins.items, func(x, y hashed) int { return cmp.Compare(mix(x.hash), mix(y.hash)) })
	for _, x := range twins.items[:short] {
		profile.add(x.hash, x.r)
		b.known[promptHash(x.r.PromptID)], b.known[keyHash(x.r.Key)] = true, true
	}
	twins.items = twins.items[short:]
}

// Digest names the anchor by its content.
func (a *Anchor) Digest() uint64 {
	h := xxh3.New()
	var n [8]byte
	number := func(x uint64) {
		binary.LittleEndian.PutUint64(n[:], x)
		h.Write(n[:]) //nolint:errcheck // a hash never fails
	}
	number(a.Seed)
	for i, w := range a.Profile.Vocab.Words {
		number(w)
		number(uint64(a.Profile.Vocab.Counts[i]))
	}
	for _, k := range a.Known {
		number(k)
	}
	for _, part := range [][]AnchorRecord{a.Twins, a.Holdout} {
		number(uint64(len(part)))
		for _, r := range part {
			for _, s := range []string{r.PromptID, r.Key, r.Stratum, r.Text} {
				number(uint64(len(s)))
				h.WriteString(s) //nolint:errcheck // a hash never fails
			}
			for _, w := range r.Asked {
				number(w)
			}
		}
	}
	return h.Sum64()
}

// lowest keeps the records of the lowest hashes, each hash once.
type lowest struct {
	most  int
	items []hashed // a heap, highest hash first
	has   map[uint64]bool
	came  int
}

type hashed struct {
	hash uint64
	at   int // its place in the stream
	r    AnchorRecord
}

func (l *lowest) Len() int           { return len(l.items) }
func (l *lowest) Less(i, j int) bool { return l.items[i].hash > l.items[j].hash }
func (l *lowest) Swap(i, j int)      { l.items[i], l.items[j] = l.items[j], l.items[i] }
func (l *lowest) Push(x any)         { l.items = append(l.items, x.(hashed)) }
func (l *lowest) Pop() any {
	x := l.items[len(l.items)-1]
	l.items = l.items[:len(l.items)-1]
	return x
}

func (l *lowest) add(h uint64, r AnchorRecord) {
	if l.has[h] || len(l.items) == l.most && h >= l.items[0].hash {
		return
	}
	l.has[h] = true
	l.came++
	heap.Push(l, hashed{h, l.came, r})
	if len(l.items) > l.most {
		delete(l.has, heap.Pop(l).(hashed).hash)
	}
}

// records are in the order of their hashes, or in that of the stream.
func (l *lowest) records(inOrder bool) []AnchorRecord {
	sort.Slice(l.items, func(i, j int) bool {
		if inOrder {
			return l.items[i].at < l.items[j].at
		}
		return l.items[i].hash < l.items[j].hash
	})
	out := make([]AnchorRecord, len(l.items))
	for i, x := range l.items {
		out[i] = x.r
	}
	return out
}
