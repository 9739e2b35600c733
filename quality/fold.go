package quality

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// foldText brings a sentence into the form that patterns are written in: compatibility forms (full-width letters) made
// plain, lower case, no accents on Latin letters, one kind of apostrophe, no emphasis marks, single spaces.
func foldText(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := true
	plain := norm.NFC.String(dropAccents(norm.NFKD.String(s)))
	for _, r := range plain {
		switch {
		case r == '*' || r == 0x200b || r == 0x200d || r == 0xfeff || r == 0xad:
			continue
		case unicode.IsSpace(r):
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case r == 0x2019 || r == 0x2018 || r == 0x02bc || r == '`' || r == 0xb4:
			r = '\''
		case r == 0x2010 || r == 0x2011 || r == 0x2012:
			r = '-'
		case r == 'ß':
			b.WriteString("ss")
			space = false
			continue
		}
		b.WriteRune(unicode.ToLower(r))
		space = false
	}
	return strings.TrimSpace(b.String())
}

// dropAccents removes combining marks of Latin letters from decomposed text; the marks of kana stay.
func dropAccents(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x300 && r <= 0x36f {
			return -1
		}
		return r
	}, s)
}
