package schema

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// MaxYAMLBytes bounds a recipe or configuration. What people write by hand is a twentieth of it.
const MaxYAMLBytes = 256 << 10

// maxYAMLDepth bounds nesting before the parser sees it: the parser recurses, and a stack overflow can't be recovered from.
const maxYAMLDepth = 200

// The parser takes quadratic time (measured: 7 minutes for 175,000 entries of a mapping between brackets), so that what it is given
// is bounded in lines, their length, and characters that begin something.
const (
	maxYAMLLines     = 10_000
	maxYAMLLineBytes = 64 << 10
	maxYAMLMarks     = 10_000 // brackets, commas between them, and * & !
)

// checkYAMLBytes finds what no parser should be given: too much, invalid UTF-8, control characters, deep nesting. It
// returns the text without a byte order mark and with \n as the only end of line, so that a recipe means the same on every system.
func checkYAMLBytes(file string, data []byte) ([]byte, *Fault) {
	if len(data) > MaxYAMLBytes {
		return nil, &Fault{File: file, What: fmt.Sprintf("is larger than %d bytes", MaxYAMLBytes), Mend: "keep data in files that `prompts` names, not in YAML"}
	}
	text := bytes.TrimPrefix(data, []byte("\ufeff"))
	line, col := 1, 1
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return nil, &Fault{File: file, Line: line, Col: col, What: fmt.Sprintf("byte 0x%02x is not valid UTF-8", text[i]), Mend: "save the file as UTF-8"}
		}
		if r < 0x20 && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return nil, &Fault{File: file, Line: line, Col: col, What: fmt.Sprintf("control character U+%04X", r), Mend: "remove it"}
		}
		i, col = i+n, col+1
		if r == '\n' {
			line, col = line+1, 1
		}
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	}
	return text, checkYAMLDepth(file, text)
}

// checkYAMLDepth bounds nesting from above. It counts brackets in quoted text too, where templates keep theirs in pairs.
func checkYAMLDepth(file string, text []byte) *Fault {
	depth, marks := 0, 0
	for i, line := range bytes.Split(text, []byte("\n")) {
		if i >= maxYAMLLines || len(line) > maxYAMLLineBytes {
			return &Fault{File: file, Line: i + 1, Col: 1, What: fmt.Sprintf("has more than %d lines, or one of more than %d bytes", maxYAMLLines, maxYAMLLineBytes), Mend: "keep data in files that `prompts` names, not in YAML"}
		}
		indicators := 0
		for _, word := range bytes.Fields(line[:min(len(line), 8*maxYAMLDepth)]) {
			if !isIndicator(word) {
				break
			}
			indicators++
		}
		for _, c := range line {
			switch c {
			case '[', '{':
				depth++
				marks++
			case '*', '&', '!':
				marks++
			case ']', '}':
				depth = max(depth-1, 0)
			case ',':
				marks += min(depth, 1)
			}
			if marks > maxYAMLMarks {
				return &Fault{File: file, Line: i + 1, Col: 1, What: fmt.Sprintf("has more than %d brackets and items between them", maxYAMLMarks), Mend: "write long lists as blocks, a line `- item` each"}
			}
			if depth+indicators > maxYAMLDepth {
				return &Fault{File: file, Line: i + 1, Col: 1, What: "is nested too deeply",
					Mend: fmt.Sprintf("at most %d levels are read; look for brackets that aren't closed", maxYAMLDepth)}
			}
		}
	}
	return nil
}

// isIndicator says whether a word at the start of a line opens a level: a list's dash, a complex key, a tag, an anchor.
func isIndicator(word []byte) bool {
	return bytes.Equal(word, []byte("-")) || bytes.Equal(word, []byte("?")) || word[0] == '!' || word[0] == '&'
}
