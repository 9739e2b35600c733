package quality

import (
	"strings"
	"unicode/utf8"
)

// sentences calls do with the byte range of each sentence of s; do returns false to stop. A full stop ends one only
// before white space, so that GPT-3.5 and file.go stay whole; a newline always does.
func sentences(s string, do func(start, end int) bool) {
	start := 0
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		i += n
		end := false
		switch r {
		case '\n', '。', '！', '？', '；':
			end = true
		case '.', '!', '?':
			end = i == len(s) || s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r'
		}
		if end {
			if strings.TrimSpace(s[start:i]) != "" && !do(start, i) {
				return
			}
			start = i
		}
	}
	if strings.TrimSpace(s[start:]) != "" {
		do(start, len(s))
	}
}

// quotePairs open and close what somebody else says.
var quotePairs = []struct{ open, close string }{
	{"“", "”"}, {"„", "“"}, {"«", "»"}, {"»", "«"}, {"「", "」"}, {"『", "』"}, {"‚", "‘"}, {"‘", "’"}, {"\"", "\""},
}

// withoutQuotes replaces quoted passages of at most 400 bytes and lines that begin with > by an ellipsis.
func withoutQuotes(s string) string {
	if strings.Contains(s, ">") {
		lines := strings.Split(s, "\n")
		for i, l := range lines {
			if strings.HasPrefix(strings.TrimSpace(l), ">") {
				lines[i] = "…"
			}
		}
		s = strings.Join(lines, "\n")
	}
	for _, q := range quotePairs {
		s = cutQuotes(s, q.open, q.close)
	}
	return cutSingleQuotes(s)
}

func cutQuotes(s, opening, closing string) string {
	if !strings.Contains(s, opening) {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, opening)
		if i < 0 {
			break
		}
		rest := s[i+len(opening):]
		j := strings.Index(rest, closing)
		if j < 0 || j > 400 || strings.Contains(rest[:j], "\n\n") {
			b.WriteString(s[:i+len(opening)])
			s = rest
			continue
		}
		b.WriteString(s[:i])
		b.WriteString("…")
		s = rest[j+len(closing):]
	}
	b.WriteString(s)
	return b.String()
}

// cutSingleQuotes cuts what stands between ASCII apostrophes that open after a space and close before one or a mark.
func cutSingleQuotes(s string) string {
	for from := 0; ; {
		i := strings.Index(s[from:], " '")
		if i < 0 {
			return s
		}
		i += from
		j := closingApostrophe(s[i+2:])
		if j < 0 {
			from = i + 2
			continue
		}
		s = s[:i+1] + "…" + s[i+2+j+1:]
		from = i + 1
	}
}

func closingApostrophe(s string) int {
	for j := 1; j < len(s) && j < 400; j++ {
		if s[j] == '\n' {
			return -1
		}
		if s[j] == '\'' && (j+1 == len(s) || strings.IndexByte(" .,;:!?)\n", s[j+1]) >= 0) {
			return j
		}
	}
	return -1
}
