package ngram

import (
	"strings"
	"unicode"
)

// Paragraph is the token of a blank line.
const paragraph = "\n"

// tokenize splits text at white space and takes punctuation off the edges of
// words, so that "file" and "file." are one word.
func tokenize(text string) []string {
	tokens := make([]string, 0, len(text)/5)
	blank := 0
	for line := range strings.Lines(text) {
		words := strings.FieldsFunc(line, unicode.IsSpace)
		if len(words) == 0 {
			blank++
			continue
		}
		if blank > 0 && len(tokens) > 0 {
			tokens = append(tokens, paragraph)
		}
		blank = 0
		for _, w := range words {
			tokens = appendWord(tokens, w)
		}
	}
	return tokens
}

const (
	opening = "(["
	closing = ".,;:!?)]"
)

func appendWord(tokens []string, w string) []string {
	for len(w) > 1 && strings.IndexByte(opening, w[0]) >= 0 {
		tokens = append(tokens, w[:1])
		w = w[1:]
	}
	end := len(w)
	for end > 1 && strings.IndexByte(closing, w[end-1]) >= 0 {
		end--
	}
	tokens = append(tokens, w[:end])
	for ; end < len(w); end++ {
		tokens = append(tokens, w[end:end+1])
	}
	return tokens
}

// join is the inverse of tokenize but for white space.
func join(tokens []string) string {
	var b strings.Builder
	space := false
	for _, t := range tokens {
		if t == paragraph {
			b.WriteString("\n\n")
			space = false
			continue
		}
		if space && !(len(t) == 1 && strings.Contains(closing, t)) {
			b.WriteByte(' ')
		}
		b.WriteString(t)
		space = !(len(t) == 1 && strings.Contains(opening, t))
	}
	return b.String()
}
