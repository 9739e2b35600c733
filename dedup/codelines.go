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
	lines, filledLines := 0, 0
	for i := 0; i < len(text); {
		stop := lineEnd(text, i, len(text))
		code, filled := codeLine(text[i:stop])
		lines += asInt(code)
		filledLines += asInt(filled)
		i = stop + 1
	}
	return lines*2 >= filledLines
}

// fence says whether line opens or closes a fenced block of Markdown.
func fence(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("```"))
}

// lineWeight counts a byte that is no space, and in the upper half one that programs are full of.
var lineWeight = func() (w [256]uint64) {
	for b := int(' ') + 1; b < 256; b++ {
		w[b] = 1
	}
	for _, b := range []byte("(){}[]<>;=") {
		w[b] += 1 << 32
	}
	return w
}()

// codeLine says whether a fifth of the line's signs are brackets, semicolons and equals signs, or it has two of
// them and ends as statements and blocks do; filled, whether there is anything in it.
func codeLine(line []byte) (code, filled bool) {
	var sum uint64
	for _, b := range line {
		sum += lineWeight[b]
	}
	full, signs := sum&(1<<32-1), sum>>32
	if signs > 0 && signs*5 < full && signs >= 2 {
		end := bytes.TrimRight(line, " \t\r")
		last := end[len(end)-1]
		return last == ';' || last == '{', true
	}
	return signs > 0 && signs*5 >= full, full > 0
}
