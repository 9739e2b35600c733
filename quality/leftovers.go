package quality

import (
	"fmt"
	"regexp"
	"strings"
)

// leftover is a pattern that belongs to a chat template or to hidden reasoning.
type leftover struct {
	check string
	text  string
	re    *regexp.Regexp
	needs []string // one of them is in each match of re
}

func loadLeftovers() ([]leftover, error) {
	rows, err := embedded("leftovers.tsv", 4)
	if err != nil {
		return nil, err
	}
	var out []leftover
	for _, r := range rows {
		l := leftover{check: r[0]}
		switch r[1] {
		case "text":
			l.text = r[2]
		case "regexp":
			if l.re, err = regexp.Compile(r[2]); err != nil || len(r) < 5 {
				return nil, fmt.Errorf("data/leftovers.tsv: %s: no fifth column, or %w", r[2], err)
			}
			l.needs = strings.Split(r[4], "|")
		default:
			return nil, fmt.Errorf("data/leftovers.tsv: unknown kind %q", r[1])
		}
		out = append(out, l)
	}
	return out, nil
}

// findLeftover returns what a check's patterns found outside code, or "".
func (w *work) findLeftover(all []leftover, check string) string {
	s := w.prose()
	// Every pattern has one of these in it: most answers are done here.
	if strings.IndexByte(s, '<') < 0 && strings.IndexByte(s, '[') < 0 && strings.IndexByte(s, '{') < 0 &&
		strings.IndexByte(s, ':') < 0 && !strings.Contains(s, "◁") {
		return ""
	}
	for _, l := range all {
		if l.check != check {
			continue
		}
		if l.re == nil {
			if strings.Contains(s, l.text) {
				return l.text
			}
		} else if hasAny(s, l.needs) {
			if m := l.re.FindString(s); m != "" {
				return shorten(m)
			}
		}
	}
	return ""
}

// prose is the text without fenced blocks and without what stands between backticks, each replaced by a space. Text
// without backticks is returned as it is.
func (w *work) prose() string {
	if w.hasProse {
		return w.proseText
	}
	w.hasProse = true
	w.proseText = withoutCode(w.text.s)
	return w.proseText
}

func withoutCode(s string) string {
	if !strings.Contains(s, "`") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '`')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		n := 1
		for i+n < len(s) && s[i+n] == '`' {
			n++
		}
		b.WriteString(s[:i])
		b.WriteByte(' ')
		end := strings.Index(s[i+n:], s[i:i+n])
		switch {
		case end >= 0:
			s = s[i+n+end+n:]
		case n >= 3: // a block that was never closed runs to the end
			return b.String()
		default:
			s = s[i+n:]
		}
	}
}

// shorten cuts a match for a finding.
func shorten(s string) string {
	const most = 120
	s = strings.TrimSpace(s)
	if len(s) <= most {
		return s
	}
	i := most
	for i > 0 && s[i]&0xc0 == 0x80 {
		i--
	}
	return s[:i] + "…"
}

func hasAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
