package quality

import "strings"

// A refusal stands near the beginning of an answer: within the first sentences, before so many bytes of prose.
const (
	refusalSentences = 3
	refusalBytes     = 400
	refusalTokens    = 300 // among which its words are looked for: Chinese has one a character
)

// refusal returns the words by which the answer declines, or "".
func (w *work) refusal(l *lexicon, all []*patterns) string {
	if w.claims[claimRefusal] == 0 {
		return ""
	}
	s := w.prose()
	if len(s) > 2*refusalBytes {
		s = strings.ToValidUTF8(s[:2*refusalBytes], "")
	}
	n, found := 0, ""
	sentences(s, func(start, end int) bool {
		if start > refusalBytes || n >= refusalSentences {
			return false
		}
		n++
		found = w.findClaim(l, all, claimRefusal, s[start:end])
		return found == ""
	})
	return shorten(found)
}
