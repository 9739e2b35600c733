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
	declines       bool // a trigger of the refusal check
	first          bool // of the first person, for the identity check
	term           bool // speaks of models, for the identity check
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
	mark := func(words []string, set func(*entry)) {
		for _, w := range words {
			e := entries[hashFolded(w)]
			set(&e)
			entries[hashFolded(w)] = e
		}
	}
	for _, f := range []struct {
		file, kind string
		set        func(*entry)
	}{
		{"refusal.tsv", kindTrigger, func(e *entry) { e.declines = true }},
		{"identity.tsv", kindFirst, func(e *entry) { e.first = true }},
		{"identity.tsv", kindTerm, func(e *entry) { e.term = true }},
	} {
		words, err := patternWords(f.file, f.kind)
		if err != nil {
			return nil, err
		}
		mark(words, f.set)
	}
	mark(terms, func(e *entry) { e.term = true })
	x := newLexicon(entries)
	x.codes = codes
	return x, nil
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
