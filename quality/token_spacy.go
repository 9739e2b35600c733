package quality

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"
)

// The limits on repeated n-grams and on tokens with a letter were set on tokens of a tokenizer that keeps paths, addresses and calls
// whole (Gopher's rules as datatrove applies them, with the rules of spaCy's English tokenizer). These tokens are units: a piece
// between spaces loses marks at both ends one by one, and is cut within only at a few marks between letters.

// unit is a token by those rules.
type unit struct {
	hash  uint64
	chars int32
}

// cutUnits finds the text's units, and counts those with a letter.
func (w *work) cutUnits() {
	w.units, w.letterUnits, w.smileys, w.fenced = w.units[:0], 0, 0, 0
	t, fence, letters := w.text.tokens, -1, 0 // the first unit within a block of code, and the letters before it
	for i := 0; i < len(t); {
		j := i + 1
		for j < len(t) && t[j].start == t[j-1].end && (t[j].flags|t[j-1].flags)&isIdeograph == 0 {
			j++
		}
		if s := w.text.s[t[i].start:]; s[0] == '`' && strings.HasPrefix(s, "```") {
			if fence < 0 {
				fence, letters = len(w.units), w.letterUnits
			} else {
				w.fenced, w.letterUnits, fence = w.fenced+len(w.units)-fence, letters, -1
			}
		}
		switch {
		case t[i].flags&(isPunct|isCompound) != 0 || j > i+2 || t[i].fold == cannot:
			w.cutPiece(w.text.s[t[i].start:t[j-1].end])
		case j == i+1: // a mere word
			w.mereWord(t[i])
		case t[i].chars > 1 && t[i+1].chars == 1 && strings.IndexByte(",;:)!?", w.text.s[t[i+1].start]) >= 0:
			w.mereWord(t[i])
			w.units = append(w.units, unit{t[i+1].raw, 1})
		default:
			w.cutPiece(w.text.s[t[i].start:t[j-1].end])
		}
		i = j
	}
}

func (w *work) mereWord(k token) {
	w.units = append(w.units, unit{k.raw, k.chars})
	w.letterUnits += int(k.flags & hasLetter)
}

func (w *work) unit(s string) {
	w.units = append(w.units, unit{xxh3.HashString(s), int32(utf8.RuneCountInString(s))})
	w.letterUnits += withLetter(s)
}

// alphaWords is the share of units with a letter; marks count as units, but for those that are taken together for a smiley. Blocks of
// code between fences don't count: a good answer with code isn't told by it. (datatrove counts them.)
func (w *work) alphaWords() float64 { return share(w.letterUnits, len(w.units)-w.smileys-w.fenced) }

var cannot = hashFolded("cannot") // two units

// cutPiece cuts a piece between spaces.
func (w *work) cutPiece(s string) {
	w.smileys += smileys(s)
	var tail [8]string // marks at the end, the last first
	n := 0
	for s != "" && !wholePiece(s) && n < len(tail) {
		p, q := leadingMark(s), trailingMark(s)
		if p == 0 && q == 0 {
			break
		}
		switch {
		case p > 0 && wholePiece(s[p:]), p+q > len(s):
			q = 0
		case q > 0 && wholePiece(s[:len(s)-q]):
			p = 0
		}
		if p > 0 {
			w.unit(s[:p])
		}
		if q > 0 {
			tail[n] = s[len(s)-q:]
			n++
		}
		s = s[p : len(s)-q]
	}
	if s != "" {
		w.cutCore(s)
	}
	for n--; n >= 0; n-- {
		w.unit(tail[n])
	}
}

// smileys are what marks beside each other are taken for: "):", ":)" and ":(".
func smileys(s string) (n int) {
	for i := 1; i < len(s); i++ {
		if c, before := s[i], s[i-1]; c == ':' && before == ')' || before == ':' && (c == ')' || c == '(') {
			n++
		}
	}
	return n
}

// withLetter is 1 where s has a letter.
func withLetter(s string) int {
	for _, r := range s {
		if r < utf8.RuneSelf && (class[r] == clsLetter || class[r] == clsUpper) || r >= utf8.RuneSelf && unicode.IsLetter(r) {
			return 1
		}
	}
	return 0
}

// abbreviations keep their full stop.
var abbreviations = func() map[string]bool {
	m := map[string]bool{}
	for _, s := range strings.Fields("Adm. Bros. co. Co. Corp. D.C. Dr. e.g. E.g. E.G. Gen. Gov. i.e. I.e. I.E. Inc. Jr. Ltd. Md. Messrs. Mo. Mont. Mr. Mrs. Ms. " +
		"p.m. a.m. Ph.D. Prof. Rep. Rev. Sen. St. vs. v.s. No. Nov. Dec. Jan. Feb. Mar. Apr. Jun. Jul. Aug. Sep. Sept. Oct. C++ :) :( ;) :/ 8) :D =) and/or") {
		m[s] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		m[string(c)+"."] = true
	}
	return m
}()

func wholePiece(s string) bool { return len(s) <= 6 && abbreviations[s] }

const edgeMarks = ",:;!?()[]{}<>_#*&'\"`"

// edgeByte and infixByte say which bytes are marks at an edge, and within a piece.
var edgeByte, infixByte = bytesOf(edgeMarks), bytesOf("+-*^.,:<>=/~\xe2")

func bytesOf(s string) (t [256]bool) {
	for i := range len(s) {
		t[s[i]] = true
	}
	return t
}

// leadingMark is the length of a mark at the beginning that is a token of its own, 0 where there is none.
func leadingMark(s string) int {
	c := s[0]
	switch {
	case c >= utf8.RuneSelf:
		r, n := utf8.DecodeRuneInString(s)
		if edgeRune(r) {
			return n
		}
		return 0
	case edgeByte[c] || c == '%' || c == '=' || c == '$':
		return 1
	case c == '+' && (len(s) == 1 || class[s[1]&127] != clsDigit):
		return 1
	case c == '.' && len(s) > 1 && s[1] == '.':
		return len(s) - len(strings.TrimLeft(s, "."))
	}
	return 0
}

// trailingMark is the same at the end.
func trailingMark(s string) int {
	c := s[len(s)-1]
	if c >= utf8.RuneSelf {
		if r, n := utf8.DecodeLastRuneInString(s); edgeRune(r) {
			return n
		}
		return 0
	}
	if wordByte[c]&hasLetter != 0 && (len(s) < 2 || wordByte[s[len(s)-2]]&hasLetter != 0) { // no mark ends in two letters
		return 0
	}
	before := rune(0)
	if len(s) > 1 {
		before, _ = utf8.DecodeLastRuneInString(s[:len(s)-1])
	}
	switch {
	case (c == 's' || c == 'S') && len(s) > 2 && before == '\'':
		return 2
	case (c == 's' || c == 'S') && strings.HasSuffix(s[:len(s)-1], "\u2019"):
		return 4
	case edgeByte[c]:
		return 1
	case c == '.' && before == '.':
		return len(s) - len(strings.TrimRight(s, "."))
	case c == '.':
		if unicode.IsLower(before) || unicode.IsDigit(before) || before < utf8.RuneSelf && strings.ContainsRune(edgeMarks+"%+-", before) || edgeRune(before) ||
			unicode.IsUpper(before) && len(s) > 2 && unicode.IsUpper(rune(s[len(s)-3])) {
			return 1
		}
	case unicode.IsDigit(before) && (c == '+' || c == '$' || c == '%' || strings.IndexByte("mgtTGMK", c) >= 0):
		return 1
	}
	return 0
}

// edgeRune says whether a mark beyond ASCII is a token of its own at an edge.
func edgeRune(r rune) bool {
	if r < utf8.RuneSelf {
		return false
	}
	return unicode.In(r, unicode.Po, unicode.Ps, unicode.Pe, unicode.Pi, unicode.Pf, unicode.So, unicode.Sc) || r == '–' || r == '—'
}

// cutCore cuts what is left between the marks.
func (w *work) cutCore(s string) {
	if wholePiece(s) || address(s) {
		w.unit(s)
		return
	}
	if i := contraction(s); i > 0 {
		w.unit(s[:i])
		w.unit(s[i:])
		return
	}
	from := 0
	for i := 0; i < len(s); {
		n := infix(s, i)
		if n == 0 {
			i++
			continue
		}
		if i > from {
			w.unit(s[from:i])
		}
		w.unit(s[i : i+n])
		i += n
		from = i
	}
	if from < len(s) {
		w.unit(s[from:])
	}
}

// contraction is where the second word of one begins, such as n't or 're; 0 where s is none.
func contraction(s string) int {
	switch s[len(s)-1] {
	case 't', 'e', 'l', 'd', 'm', 'T':
	default:
		return 0
	}
	for _, end := range [...]string{"n't", "'re", "'ve", "'ll", "'d", "'m", "n\u2019t", "\u2019re", "\u2019ve", "\u2019ll", "\u2019d", "\u2019m"} {
		if len(s) > len(end) && strings.HasSuffix(s, end) {
			return len(s) - len(end)
		}
	}
	if strings.EqualFold(s, "cannot") {
		return 3
	}
	return 0
}

// infix is the length of a mark at i that cuts a piece, 0 where there is none.
func infix(s string, i int) int {
	c := s[i]
	if c == '.' && i+1 < len(s) && s[i+1] == '.' {
		return len(s) - i - len(strings.TrimLeft(s[i:], "."))
	}
	if i == 0 || i+1 >= len(s) || !infixByte[c] {
		return 0
	}
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	n := 1
	switch {
	case c == 0xe2:
		if r, size := utf8.DecodeRuneInString(s[i:]); r == '–' || r == '—' {
			n = size
			break
		}
		return 0
	case c == '-':
		for n < 3 && i+n < len(s) && s[i+n] == '-' {
			n++
		}
	}
	if i+n >= len(s) {
		return 0
	}
	after, _ := utf8.DecodeRuneInString(s[i+n:])
	letter, digit := unicode.IsLetter(before), unicode.IsDigit(before)
	switch c {
	case '.':
		if (unicode.IsLower(before) || before == '\'' || before == '"') && (unicode.IsUpper(after) || after == '\'' || after == '"') {
			return 1
		}
	case ',':
		if letter && unicode.IsLetter(after) {
			return 1
		}
	case ':', '<', '>', '=', '/':
		if (letter || digit) && unicode.IsLetter(after) {
			return 1
		}
	case '-', 0xe2, '~':
		if (letter || digit) && unicode.IsLetter(after) || c == '-' && n == 1 && digit && unicode.IsDigit(after) {
			return n
		}
	case '+', '*', '^':
		if digit && (unicode.IsDigit(after) || after == '-') {
			return 1
		}
	}
	return 0
}

// address says whether s is a host or dotted name with at most a port and a path, or has a scheme: one token.
func address(s string) bool {
	if i := strings.Index(s, "://"); i > 0 {
		s = s[i+3:]
	}
	labels, from := 0, 0
	for i := 0; ; i++ {
		if i < len(s) && (s[i] >= utf8.RuneSelf || class[s[i]] != clsPunct && class[s[i]] != clsSpace || (s[i] == '-' || s[i] == '_') && i > from) {
			continue
		}
		if i == from {
			return false
		}
		if labels++; i < len(s) && s[i] == '.' && i+1 < len(s) {
			if s[i-1] == '-' || s[i-1] == '_' {
				return false
			}
			from = i + 1
			continue
		}
		last := s[from:i]
		if labels < 2 || len(last) < 2 || len(last) > 63 || strings.IndexFunc(last, func(r rune) bool { return !unicode.IsLower(r) }) >= 0 {
			return false
		}
		s = s[i:]
		break
	}
	if len(s) > 2 && s[0] == ':' && class[s[1]&127] == clsDigit {
		s = strings.TrimLeft(s[1:], "0123456789")
	}
	return s == "" || s[0] == '/' || s[0] == '?' || s[0] == '#'
}
