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
	needs []string // one of them is in each match
	marks []uint8  // of each of needs, which leftoverMarks are in it
}

// leftoverMarks tell most texts from those that a pattern is tried on: each pattern has one of them in it.
var leftoverMarks = [...]string{"<", "[", "{", ":", "◁", ">"}

// marksOf says which leftoverMarks are in s, a bit each.
func marksOf(s string) (set uint8) {
	for i, m := range leftoverMarks {
		if len(m) == 1 && strings.IndexByte(s, m[0]) >= 0 || len(m) > 1 && strings.Contains(s, m) {
			set |= 1 << i
		}
	}
	return set
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
			l.text, l.needs = r[2], []string{r[2]}
		case "regexp":
			if l.re, err = regexp.Compile(r[2]); err != nil || len(r) < 5 {
				return nil, fmt.Errorf("data/leftovers.tsv: %s: no fifth column, or %w", r[2], err)
			}
			l.needs = strings.Split(r[4], "|")
		default:
			return nil, fmt.Errorf("data/leftovers.tsv: unknown kind %q", r[1])
		}
		for _, s := range l.needs {
			l.marks = append(l.marks, marksOf(s))
			if marksOf(s) == 0 {
				return nil, fmt.Errorf("data/leftovers.tsv: %s: none of %v in %q", r[2], leftoverMarks, s)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// findLeftover returns what a check's patterns found outside code, or "".
func (w *work) findLeftover(all []leftover, check string) string {
	s, marks := w.prose(), w.proseMarks()
	if marks == 0 { // most answers are done here
		return ""
	}
	for i := range all {
		l := &all[i]
		if l.check != check || !l.maybe(s, marks) {
			continue
		}
		if l.re == nil {
			return l.text
		}
		if m := l.re.FindString(s); m != "" {
			return shorten(m)
		}
	}
	return ""
}

// maybe says whether s, with such marks, has one of the texts that each match has.
func (l *leftover) maybe(s string, marks uint8) bool {
	for i, part := range l.needs {
		if l.marks[i]&^marks == 0 && strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// proseMarks are the leftoverMarks of the prose.
func (w *work) proseMarks() uint8 {
	if !w.hasMarks {
		w.hasMarks, w.marks = true, marksOf(w.prose())
	}
	return w.marks
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
