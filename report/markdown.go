package report

import (
	"strings"
	"unicode"
)

// markdown is what people or models wrote as plain text within a line or a cell of Markdown: it can start no heading, link, code,
// table cell or HTML. Line breaks become spaces; what can't be seen or turns the direction of writing is taken out.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(visible(s)), " ") {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_{}[]()#+!|~$:@", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code is text between backticks.
func code(s string) string {
	s = strings.Join(strings.Fields(visible(s)), " ")
	return "`" + strings.NewReplacer("`", "'", "|", "¦").Replace(s) + "`"
}

// visible takes out control characters and those that turn the direction of writing.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
