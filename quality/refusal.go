package quality

import "strings"

// A refusal stands near the beginning of an answer: within the first sentences, before so many bytes of prose.
const (
	refusalSentences = 3
	refusalBytes     = 400
)

// refusal returns the words by which the answer declines, or "".
func (w *work) refusal(all map[string]*patterns, order []string) string {
	s := w.prose()
	if len(s) > 2*refusalBytes {
		s = strings.ToValidUTF8(s[:2*refusalBytes], "")
	}
	if !w.declines {
		return ""
	}
	n, found := 0, ""
	sentences(s, func(start, end int) bool {
		if start > refusalBytes || n >= refusalSentences {
			return false
		}
		n++
		f := foldText(s[start:end])
		for _, lang := range order {
			if found = all[lang].find(f); found != "" {
				return false
			}
		}
		return true
	})
	return shorten(found)
}
