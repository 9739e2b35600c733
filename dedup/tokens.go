package dedup

import (
	"math/bits"
	"unicode"
	"unicode/utf8"
)

// Classes of ASCII bytes; what is not ASCII is beyond.
const (
	space  = iota // white space and control
	word          // letter, digit or underscore
	mark          // any other sign
	beyond        // the first or a later byte of a character beyond ASCII
)

var class = func() (c [256]uint8) {
	for b := range c {
		switch {
		case b >= 0x80:
			c[b] = beyond
		case b >= '0' && b <= '9', b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b == '_':
			c[b] = word
		case b > ' ' && b < 0x7f:
			c[b] = mark
		}
	}
	return c
}()

// tokenizer cuts text into token hashes. Its buffers are used again for the next text.
type tokenizer struct {
	tokens []uint64
	marks  uint64 // hash of the marks that are no tokens, with their places
	marked bool   // there is at least one such mark
	word   []byte // a word that needs the slow path, folded
	text   []byte // the text with eight zero bytes after it
	norm   []byte // the normalized text
}

// pad is what follows the text in a buffer, so that eight bytes can be loaded at any place of it.
const pad = "\x00\x00\x00\x00\x00\x00\x00\x00"

// cut replaces t.tokens by those of text.
func (t *tokenizer) cut(text string) {
	t.tokens, t.marks, t.marked = t.tokens[:0], 0, false
	t.text = append(append(t.text[:0], text...), pad...)
	if needsNormalizing(text) {
		t.norm = append(normalize(t.norm[:0], t.text[:len(text)]), pad...)
		t.text, t.norm = t.norm, t.text
	}
	end := len(t.text) - len(pad)
	if mayHoldCode(text) {
		t.cutLines(end)
	} else {
		t.cutRange(0, end, false)
	}
}

// cutRange cuts t.text[i:end]; where code is true, marks count.
func (t *tokenizer) cutRange(i, end int, code bool) {
	b := t.text
	for i < end {
		switch class[b[i]] {
		case space:
			i++
		case word:
			i = t.asciiWord(i, end, code)
		case mark:
			t.mark(rune(b[i]), code)
			i++
		default:
			i = t.slowWord(i, end, code)
		}
	}
}

// Bit patterns for eight bytes at once.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// wordBytes sets the high bit of each byte of x that is an ASCII letter, digit or underscore.
func wordBytes(x uint64) uint64 {
	low := x &^ highs
	lower := low | 0x20*ones
	letter := (lower + (0x80-'a')*ones) &^ (lower + (0x7f-'z')*ones)
	digit := (low + (0x80-'0')*ones) &^ (low + (0x7f-'9')*ones)
	underscore := ^(low ^ '_'*ones + (0x7f * ones))
	return (letter | digit | underscore) & highs &^ x
}

// asciiWord takes the word at i and returns the place after it. A word that goes on beyond ASCII takes the slow path.
func (t *tokenizer) asciiWord(i, end int, code bool) int {
	start, h := i, uint64(k3)
	for {
		x := le64(t.text[i:])
		stop := ^wordBytes(x) & highs
		x |= 0x20 * ones // case; digits have the bit already, and underscores become 0x7f
		if stop == 0 {
			h = fold(h, x)
			i += 8
			continue
		}
		n := bits.TrailingZeros64(stop) &^ 7
		i += n / 8
		if i < end && t.text[i] >= 0x80 {
			return t.slowWord(start, end, code)
		}
		h = fold(h, x&(1<<n-1))
		break
	}
	if t.signed(start) {
		h = ^h
	}
	t.tokens = append(t.tokens, mix(h))
	return i
}

// signed says whether the number at i has a minus of its own: -3 is not 3, while 1-3 and a-3 are two words.
func (t *tokenizer) signed(i int) bool {
	return i > 0 && t.text[i-1] == '-' && t.text[i]-'0' <= 9 && (i == 1 || class[t.text[i-2]] == space)
}

// mark takes a sign: in code a part of the token before it, so that i < n and i <= n differ and there are no more tokens
// than words; else a part of the exact hash alone.
func (t *tokenizer) mark(r rune, code bool) {
	if n := len(t.tokens); code && n > 0 {
		t.tokens[n-1] = mix((t.tokens[n-1] ^ uint64(r)) * k1)
		return
	}
	t.marks = mix((t.marks ^ uint64(r) ^ uint64(len(t.tokens))<<24) * k1)
	t.marked = true
}

// slowWord takes what stands at i, character by character, up to the end of a word or of one character alone.
func (t *tokenizer) slowWord(i, end int, code bool) int {
	t.word = t.word[:0]
	for i < end {
		r, n := rune(t.text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(t.text[i:end])
		}
		switch {
		case ignorable(r):
		case standsAlone(r):
			if len(t.word) == 0 {
				t.tokens = append(t.tokens, hashMark(r))
				return i + n
			}
			return t.endWord(i)
		case r < utf8.RuneSelf && class[r] == word:
			t.word = append(t.word, byte(r)|0x20)
		case r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)):
			t.word = utf8.AppendRune(t.word, foldCase(r))
		case len(t.word) > 0:
			return t.endWord(i)
		default:
			if !unicode.IsSpace(r) && !unicode.IsControl(r) {
				t.mark(plainMark(r), code)
			}
			return i + n
		}
		i += n
	}
	return t.endWord(i)
}

// endWord takes the collected word, if there is any, and returns i.
func (t *tokenizer) endWord(i int) int {
	if len(t.word) > 0 {
		t.tokens = append(t.tokens, hashWord(t.word))
	}
	return i
}
