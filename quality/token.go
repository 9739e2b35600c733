package quality

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"
)

// Kinds of token.
const (
	hasLetter   = 1 << iota // a letter of any script is in it
	isPunct                 // nothing but punctuation
	isCompound              // an inner hyphen, full stop or apostrophe, or full-width letters: may hide a name
	isIdeograph             // one character of a script that is written without spaces
)

// token is a piece of a text; start and end are byte offsets.
type token struct {
	start, end int32
	chars      int32 // code points
	flags      uint8
	raw        uint64 // hash of the bytes as written
	fold       uint64 // hash of the text in lower case
}

// line is a line of a text, without its newline; start and end are byte offsets.
type line struct {
	start, end int32
	chars      int32
	hash       uint64
}

// text is a tokenized text. Its slices are reused.
type text struct {
	s          string
	chars      int // code points
	newlines   int
	words      int // tokens that are not punctuation
	wordChars  int
	ideographs int
	kana       int
	latin      int // tokens whose first rune is a Latin letter
	tokens     []token
	lines      []line
	buf        []byte
	bare       bool // words alone, by their folded hashes: no lines, no punctuation, no raw hashes
}

// byte classes of ASCII
const (
	clsSpace = iota
	clsLetter
	clsUpper
	clsDigit
	clsPunct
)

var class = func() (t [128]uint8) {
	for c := range t {
		switch r := rune(c); {
		case r >= 'a' && r <= 'z':
			t[c] = clsLetter
		case r >= 'A' && r <= 'Z':
			t[c] = clsUpper
		case r >= '0' && r <= '9':
			t[c] = clsDigit
		case r <= ' ' || r == 127:
			t[c] = clsSpace
		default:
			t[c] = clsPunct
		}
	}
	return t
}()

// wordByte has the flags that a letter or digit of ASCII adds to its word; other bytes have none.
var wordByte = func() (t [256]uint8) {
	for c, k := range class {
		switch k {
		case clsLetter:
			t[c] = hasLetter
		case clsUpper:
			t[c] = hasLetter | isUpper
		case clsDigit:
			t[c] = isDigit
		}
	}
	return t
}()

// Flags of wordByte that no token has.
const (
	isUpper = 0x40
	isDigit = 0x80
)

// markHash are the hashes of single marks of ASCII.
var markHash = func() (t [128]uint64) {
	for c := range t {
		t[c] = xxh3.HashString(string(rune(c)))
	}
	return t
}()

// reset tokenizes s in one pass.
func (t *text) reset(s string) {
	*t = text{s: s, tokens: t.tokens[:0], lines: t.lines[:0], buf: t.buf, bare: t.bare}
	lineStart, lineChars := 0, 0
	i := 0
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			switch class[c] {
			case clsSpace:
				t.chars++
				if c == '\n' {
					t.endLine(lineStart, i, t.chars-1-lineChars)
					t.newlines++
					lineStart, lineChars = i+1, t.chars
				}
				i++
				continue
			case clsPunct:
				j := i + 1
				for j < len(s) && s[j] == c {
					j++
				}
				t.addPunct(i, j, j-i)
				i = j
				continue
			}
			i = t.word(i)
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case ideographic(r):
			t.addIdeograph(i, i+n, r)
			i += n
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			i = t.word(i)
		case unicode.IsSpace(r) || r == 0x200b || r == 0xfeff:
			t.chars++
			i += n
		default:
			j, k := i+n, 1
			for strings.HasPrefix(s[j:], s[i:i+n]) {
				j += n
				k++
			}
			t.addPunct(i, j, k)
			i = j
		}
	}
	t.endLine(lineStart, len(s), t.chars-lineChars)
}

// ideographic says whether each character of r's script counts as a token.
func ideographic(r rune) bool {
	switch {
	case r < 0x2e80:
		return false
	case r >= 0x3040 && r <= 0x30ff: // kana
		return r != 0x30fb
	case r >= 0x3400 && r <= 0x4dbf, r >= 0x4e00 && r <= 0x9fff, r >= 0xf900 && r <= 0xfaff:
		return true
	}
	return r >= 0x20000 && r <= 0x3134f || r == 0x3005
}

// word adds the word that begins at i and returns where it ends. An apostrophe, hyphen, full stop or underscore stays
// within a word when letters or digits stand on both sides of it.
func (t *text) word(i int) int {
	s, start := t.s, i
	more, flags, ascii := 0, uint8(0), true // more: bytes that are no code points of their own
	for i < len(s) {
		c := s[i]
		if f := wordByte[c]; f != 0 {
			flags |= f
			i++
			continue
		}
		if c < utf8.RuneSelf {
			if (c != '\'' && c != '-' && c != '.' && c != '_') || !wordFollows(s[i+1:]) {
				break
			}
			if c != '_' {
				flags |= isCompound
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == 0x2019 && wordFollows(s[i+n:]) {
			ascii = false
			flags |= isCompound
		} else if ideographic(r) || !(unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)) {
			break
		} else {
			ascii = false
			flags |= hasLetter
			if r >= 0xff10 && r <= 0xff5a {
				flags |= isCompound
			}
		}
		i += n
		more += n - 1
	}
	t.addWord(start, i, i-start-more, flags&^(isUpper|isDigit), flags&isUpper != 0, ascii)
	return i
}

func wordFollows(s string) bool {
	if s == "" {
		return false
	}
	if c := s[0]; c < utf8.RuneSelf {
		return class[c] == clsLetter || class[c] == clsUpper || class[c] == clsDigit
	}
	r, _ := utf8.DecodeRuneInString(s)
	return !ideographic(r) && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

func (t *text) addWord(start, end, chars int, flags uint8, upper, ascii bool) {
	s := t.s[start:end]
	raw, fold := uint64(0), uint64(0)
	if !t.bare || ascii && !upper {
		raw = xxh3.HashString(s)
		fold = raw
	}
	switch {
	case !ascii:
		fold = hashFolded(s)
	case upper:
		t.buf = t.buf[:0]
		for i := 0; i < len(s); i++ {
			c := s[i]
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			t.buf = append(t.buf, c)
		}
		fold = xxh3.Hash(t.buf)
	}
	if c := s[0]; c < utf8.RuneSelf && flags&hasLetter != 0 || c == 0xc3 {
		t.latin++
	}
	t.chars += chars
	t.words++
	t.wordChars += chars
	t.tokens = append(t.tokens, token{int32(start), int32(end), int32(chars), flags, raw, fold})
}

func (t *text) addIdeograph(start, end int, r rune) {
	h := xxh3.HashString(t.s[start:end])
	t.chars++
	t.words++
	t.wordChars++
	t.ideographs++
	if r >= 0x3040 && r <= 0x30ff {
		t.kana++
	}
	t.tokens = append(t.tokens, token{int32(start), int32(end), 1, hasLetter | isIdeograph, h, h})
}

func (t *text) addPunct(start, end, chars int) {
	t.chars += chars
	if t.bare {
		return
	}
	h := uint64(0)
	if c := t.s[start]; end == start+1 && c < utf8.RuneSelf {
		h = markHash[c]
	} else {
		h = xxh3.HashString(t.s[start:end])
	}
	t.tokens = append(t.tokens, token{int32(start), int32(end), int32(chars), isPunct, h, h})
}

func (t *text) endLine(start, end, chars int) {
	if t.bare {
		return
	}
	t.lines = append(t.lines, line{int32(start), int32(end), int32(chars), xxh3.HashString(t.s[start:end])})
}

// of returns the token's text as written.
func (t *text) of(k token) string { return t.s[k.start:k.end] }

// hashFolded is the hash under which a word of a data file is found again in a text.
func hashFolded(s string) uint64 {
	return xxh3.HashString(strings.ReplaceAll(strings.ToLower(s), "\u2019", "'"))
}
