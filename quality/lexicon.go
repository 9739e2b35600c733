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
	opens          bool      // of a pair that is a term: looked up under pairGram
	first, term    [2]uint32 // languages in which it may begin a claim, and complete it; by kind of claim
}

// maxLanguages bounds the languages told by function words: a bit each.
const maxLanguages = 32

// loadLexicon reads function words, stop words and the triggers of patterns; words and pairs are those of aliases.
func loadLexicon(words []string, pairs [][2]string) (*lexicon, error) {
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
	if err := addTriggers(entries, codes); err != nil {
		return nil, err
	}
	addAliases(entries, words, pairs)
	x := newLexicon(entries)
	x.codes = codes
	return x, nil
}

// Kinds of claim.
const (
	claimIdentity = iota
	claimRefusal
)

// addTriggers marks the words without which no pattern of a language is tried.
func addTriggers(entries map[uint64]entry, codes []string) error {
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
	return nil
}

// addAliases marks the words of aliases: terms in every language.
func addAliases(entries map[uint64]entry, words []string, pairs [][2]string) {
	term := func(h uint64) {
		e := entries[h]
		e.term[claimIdentity] = ^uint32(0)
		entries[h] = e
	}
	for _, w := range words {
		term(hashFolded(w))
	}
	for _, p := range pairs {
		h := hashFolded(p[0])
		e := entries[h]
		e.opens = true
		entries[h] = e
		term(pairGram(h, hashFolded(p[1])))
	}
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

// triggers returns the entries of token i as far as claims go: of the word itself, or, of a word with an inner hyphen, full
// stop or apostrophe that isn't known as a whole, the part before; and of the pair with the next word. Either may be nil.
func (x *lexicon) triggers(t *text, i int) (word, pair *entry) {
	k := t.tokens[i]
	word = x.find(k.fold)
	if word == nil {
		if k.flags&isCompound == 0 {
			return nil, nil
		}
		s := t.of(k)
		cut, rest := cutCompound(s)
		if cut < 0 {
			return &fullWidth, nil
		}
		word = x.find(hashFolded(s[:cut]))
		if word != nil && word.opens {
			if end, _ := cutCompound(rest); end > 0 {
				rest = rest[:end]
			}
			return word, x.find(pairGram(word.key, hashFolded(rest)))
		}
		return word, nil
	}
	if word.opens && i+1 < len(t.tokens) {
		pair = x.find(pairGram(k.fold, t.tokens[i+1].fold))
	}
	return word, pair
}

// cutCompound returns where a word's first inner mark stands and what follows it, or -1.
func cutCompound(s string) (at int, rest string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '-', '.', '\'':
			return i, s[i+1:]
		case 0xe2:
			if strings.HasPrefix(s[i:], "\u2019") {
				return i, s[i+3:]
			}
		}
	}
	return -1, ""
}

// addTo collects an entry's languages.
func (e *entry) addTo(first, term *[2]uint32) {
	for c := range first {
		first[c] |= e.first[c]
		term[c] |= e.term[c]
	}
}
