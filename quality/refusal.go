package quality

import "strings"

// A refusal stands near the beginning of an answer: within the first sentences, before so many bytes of prose.
const (
	refusalSentences = 3
	refusalBytes     = 400
	refusalTokens    = 300 // among which its words are looked for: Chinese has one a character
)

// refusal returns the sentence in which the answer declines, or "".
func (w *work) refusal(in *Inspector) string {
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
		if w.findClaim(in.lexicon, in.refusals, claimRefusal, s[start:end], func(folded string) string { return folded }) {
			found = s[start:end]
		}
		return found == ""
	})
	return shorten(found)
}
