package dedup

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// needsNormalizing says whether NFKC may change text in a way that tokens would show. It knows the characters that
// fill most texts, and says yes to all others.
func needsNormalizing(text string) bool {
	i := firstBeyondASCII(text)
	for i < len(text) {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if !plain(r) {
			return true
		}
		i += n
	}
	return false
}

func firstBeyondASCII(text string) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		s := text[i : i+8]
		if (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&0x80 != 0 {
			break
		}
	}
	for i < len(text) && text[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// plain characters are the same after NFKC, or marks that NFKC spells with other marks.
func plain(r rune) bool {
	switch {
	case r >= 0xc0 && r <= 0x131, r >= 0x410 && r <= 0x44f: // Latin, Cyrillic
		return true
	case r >= 0x4e00 && r <= 0x9fff, r >= 0x3041 && r <= 0x3096, r >= 0x30a1 && r <= 0x30fe, r >= 0x3001 && r <= 0x3002:
		return true // Han, Hiragana, Katakana, stops
	case r >= 0xe01 && r <= 0xe32, r >= 0xe34 && r <= 0xe5b: // Thai
		return true
	case r >= 0xac00 && r <= 0xd7a3: // Hangul
		return true
	case r >= 0x2010 && r <= 0x2016, r >= 0x2018 && r <= 0x2023, r >= 0x2192 && r <= 0x21ff, r == 0x2212:
		return true // dashes, quotes, bullets, arrows, minus
	}
	return r == 0xab || r == 0xbb || r == 0xb7 || r == 0xb0 || r == 0xa7
}

// normalize appends text in NFKC.
func normalize(dst, text []byte) []byte {
	return norm.NFKC.Append(dst, text...)
}

// ignorable characters stand in a word and are no part of it.
func ignorable(r rune) bool {
	return r == 0xad || r == 0x200c || r == 0x200d || r == 0x2060 || r == 0xfeff || r >= 0xfe00 && r <= 0xfe0f
}

// foldCase is the simple case folding of a letter.
func foldCase(r rune) rune {
	if r == 'ς' {
		return 'σ'
	}
	return unicode.ToLower(r)
}

// plainMark spells typographic marks as the typewriter does, for the exact hash.
func plainMark(r rune) rune {
	switch r {
	case '‘', '’', '‚', '‛':
		return '\''
	case '“', '”', '„', '‟', '«', '»':
		return '"'
	case '‐', '‑', '‒', '–', '—', '―', '−':
		return '-'
	}
	return r
}

// standsAlone says whether r belongs to a script that is written without spaces, so that each character is a token.
func standsAlone(r rune) bool {
	switch {
	case r < 0xe00:
		return false
	case r < 0x10a0, r >= 0x1780 && r < 0x1800: // Thai, Lao, Tibetan, Burmese; Khmer
		return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r)
	case r < 0x3005:
		return false
	case r < 0xa000: // Han, Hiragana, Katakana with their iteration and length marks
		return unicode.IsLetter(r) || unicode.IsMark(r) || r == 0x3007
	}
	return r >= 0xf900 && r < 0xfb00 || r >= 0x20000 && r < 0x40000
}
