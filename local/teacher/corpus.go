package teacher

import (
	"fmt"
	"iter"
	"strings"
	"unicode"

	"github.com/retort-data/retort/local/godocs"
)

// Corpus is the sentences that answers are made of.
type Corpus struct {
	sentences []string
	words     []int // of each sentence
}

// minSentences keeps answers from being near-duplicates by chance.
const minSentences = 500

// NewCorpus splits texts into distinct sentences of 5 to 45 words.
func NewCorpus(texts iter.Seq[string]) (*Corpus, error) {
	c := &Corpus{}
	seen := map[string]bool{}
	for text := range texts {
		for s := range sentences(text) {
			words := len(strings.Fields(s))
			if words < 5 || words > 45 || seen[s] {
				continue
			}
			seen[s] = true
			c.sentences = append(c.sentences, s)
			c.words = append(c.words, words)
		}
	}
	if len(c.sentences) < minSentences {
		return nil, fmt.Errorf("teacher: only %d sentences in the texts given, want %d", len(c.sentences), minSentences)
	}
	return c, nil
}

// GoDocs is the corpus of the Go standard library's documentation.
func GoDocs() (*Corpus, error) {
	rows, err := godocs.Read("", 8)
	if err != nil {
		return nil, err
	}
	return NewCorpus(func(yield func(string) bool) {
		for _, r := range rows {
			if !yield(r.Doc) {
				return
			}
		}
	})
}

// sentences yields the sentences of a text whose paragraphs are lines; indented
// lines are code and left out.
func sentences(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			if line[0] == ' ' || line[0] == '\t' || line[0] == '#' || line[0] == '[' {
				continue
			}
			line = strings.TrimSpace(line)
			for line != "" {
				end := sentenceEnd(line)
				s := line[:end]
				line = strings.TrimSpace(line[end:])
				if strings.HasSuffix(s, ".") && !yield(s) {
					return
				}
			}
		}
	}
}

// sentenceEnd is the index after the first full stop that a capital follows.
func sentenceEnd(line string) int {
	for i := 0; i+2 < len(line); i++ {
		if line[i] == '.' && line[i+1] == ' ' && unicode.IsUpper(rune(line[i+2])) {
			return i + 1
		}
	}
	return len(line)
}
