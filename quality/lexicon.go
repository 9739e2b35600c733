package quality

import (
	"fmt"
	"slices"
	"strings"
)

// lexicon is one small hash table of all words that the data files name, so that a text is looked up in one pass.
type lexicon struct {
	codes []string // language by bit
	slots []entry
	size  int
	mask  uint64
}

// entry is what is known of a folded word: languages by bit.
type entry struct {
	key            uint64
	id             int // 0 to len(entries)-1
	function, stop uint32
	first, term    [2]uint32 // languages in which it may begin a claim, and complete it; by kind of claim
}

// maxLanguages bounds the languages told by function words: a bit each.
const maxLanguages = 32

// loadLexicon reads function words, stop words and the triggers of patterns; terms are the words of aliases.
func loadLexicon(terms []string) (*lexicon, error) {
	var codes []string
	entries := map[uint64]entry{}
	for _, f := range []struct {
		file string
		set  func(*entry, int)
	}{
		{"function_words.tsv", func(e *entry, bit int) { e.function |= 1 << bit }},
		{"stop_words.tsv", func(e *entry, bit int) { e.stop |= 1 << bit }},
	} {
		rows, err := embedded(f.file, 2)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			bit := slices.Index(codes, r[0])
			if bit < 0 {
				bit = len(codes)
				codes = append(codes, r[0])
			}
			for _, w := range strings.Fields(r[1]) {
				e := entries[hashFolded(w)]
				f.set(&e, bit)
				entries[hashFolded(w)] = e
			}
		}
	}
	if len(codes) > maxLanguages {
		return nil, fmt.Errorf("data: %d languages, at most %d", len(codes), maxLanguages)
	}
	if err := addTriggers(entries, codes, terms); err != nil {
		return nil, err
	}
	x := newLexicon(entries)
	x.codes = codes
	return x, nil
}

// Kinds of claim.
const (
	claimIdentity = iota
	claimRefusal
)

// addTriggers marks the words without which no pattern of a language is tried. Terms, the words of aliases, count in all.
func addTriggers(entries map[uint64]entry, codes []string, terms []string) error {
	for claim, file := range []string{claimIdentity: "identity.tsv", claimRefusal: "refusal.tsv"} {
		rows, err := embedded(file, 3)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r[1] != kindFirst && r[1] != kindTerm {
				continue
			}
			bit := slices.Index(codes, r[0])
			if bit < 0 {
				return fmt.Errorf("data/%s: %s has no function or stop words", file, r[0])
			}
			for _, w := range strings.Fields(r[2]) {
				e := entries[hashFolded(w)]
				if r[1] == kindFirst {
					e.first[claim] |= 1 << bit
				} else {
					e.term[claim] |= 1 << bit
				}
				entries[hashFolded(w)] = e
			}
		}
	}
	for _, w := range terms {
		e := entries[hashFolded(w)]
		e.term[claimIdentity] = ^uint32(0)
		entries[hashFolded(w)] = e
	}
	return nil
}

func newLexicon(entries map[uint64]entry) *lexicon {
	size := 64
	for size < 4*len(entries) {
		size *= 2
	}
	x := &lexicon{slots: make([]entry, size), mask: uint64(size - 1), size: len(entries)}
	id := 0
	for key, e := range entries {
		i := key & x.mask
		for x.slots[i].key != 0 {
			i = (i + 1) & x.mask
		}
		e.key, e.id = key, id
		id++
		x.slots[i] = e
	}
	return x
}

// find returns the word's entry, or nil.
func (x *lexicon) find(key uint64) *entry {
	for i := key & x.mask; x.slots[i].key != 0; i = (i + 1) & x.mask {
		if x.slots[i].key == key {
			return &x.slots[i]
		}
	}
	return nil
}

// fullWidth stands for a word in full-width letters: it may be any.
var fullWidth = entry{first: [2]uint32{^uint32(0), 0}, term: [2]uint32{^uint32(0), 0}}

// trigger returns the entry of a token as far as claims go, or nil. Of a word with an inner hyphen, full stop or
// apostrophe that isn't known as a whole, the part before counts.
func (x *lexicon) trigger(k token, word string) *entry {
	if e := x.find(k.fold); e != nil || k.flags&isCompound == 0 {
		return e
	}
	i := strings.IndexAny(word, "-.'")
	if i < 0 {
		return &fullWidth
	}
	return x.find(hashFolded(word[:i]))
}
