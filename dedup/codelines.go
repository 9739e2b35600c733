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

// cutLines cuts t.text[:end] line by line. Marks count between the fences of Markdown and, where most lines look like
// code, everywhere: a few lines of code among prose are cut as prose, so that similarity there is that of words.
func (t *tokenizer) cutLines(end int) {
	fenced, source := false, mostlyCode(t.text[:end])
	for i := 0; i < end; {
		stop := lineEnd(t.text, i, end)
		if fence(t.text[i:stop]) {
			fenced = !fenced
		} else {
			t.cutRange(i, stop, fenced || source)
		}
		i = stop + 1
	}
}

func lineEnd(text []byte, i, end int) int {
	if n := bytes.IndexByte(text[i:end], '\n'); n >= 0 {
		return i + n
	}
	return end
}

// mostlyCode says whether at least half of the lines with anything in them look like code.
func mostlyCode(text []byte) bool {
	code, full := 0, 0
	for i := 0; i < len(text); {
		stop := lineEnd(text, i, len(text))
		if line := text[i:stop]; len(bytes.TrimSpace(line)) > 0 {
			full++
			code += asInt(codeLine(line))
		}
		i = stop + 1
	}
	return code*2 >= full
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
