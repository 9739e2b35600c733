package dedup

import (
	"bytes"
	"strings"
)

// mayHoldCode is a cheap first look: text without any of these has no line that codeLine would take.
func mayHoldCode(text string) bool {
	return strings.IndexByte(text, '{') >= 0 || strings.IndexByte(text, '=') >= 0 ||
		strings.IndexByte(text, ';') >= 0 || strings.Contains(text, "```")
}

// cutLines cuts t.text[:end] line by line: marks are tokens between fences and in lines that look like code. The
// choice is made for each line, so that an edit somewhere else in the text can't change it.
func (t *tokenizer) cutLines(end int) {
	fenced := false
	for i := 0; i < end; {
		stop := end
		if n := bytes.IndexByte(t.text[i:end], '\n'); n >= 0 {
			stop = i + n
		}
		line := t.text[i:stop]
		if fence(line) {
			fenced = !fenced
			t.cutRange(i, stop, false)
		} else {
			t.cutRange(i, stop, fenced || codeLine(line))
		}
		i = stop + 1
	}
}

// fence says whether line opens or closes a fenced block of Markdown.
func fence(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("```"))
}

var codeSign = func() (c [256]uint8) {
	for _, b := range []byte("(){}[]<>;=") {
		c[b] = 1
	}
	return c
}()

// codeLine says whether a fifth of the line's signs are brackets, semicolons and equals signs, or it has two of
// them and ends as statements and blocks do.
func codeLine(line []byte) bool {
	signs, full := 0, 0
	last := byte(0)
	for _, b := range line {
		if b > ' ' {
			full++
			signs += int(codeSign[b])
			last = b
		}
	}
	return signs > 0 && signs*5 >= full || signs >= 2 && (last == ';' || last == '{')
}
