package prompt

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

var errRowTooLong = errors.New("row too long")

// lineReader yields lines without their ends (\n or \r\n) and without a byte order mark at the start of the file. Blank lines
// are passed over, and count towards the bound, so that a small packed file can't hold us for long.
type lineReader struct {
	r    *bufio.Reader
	long []byte // of a line longer than the buffer
	line int64
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: bufio.NewReaderSize(r, 256<<10)} }

// next returns the next line that isn't blank; the slice is valid until the call after. io.EOF ends the file.
func (l *lineReader) next() ([]byte, error) {
	since := 0
	for {
		line, err := l.read(MaxRowBytes - since)
		if err != nil {
			return nil, err
		}
		since += len(line) + 1
		if l.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
		if since >= MaxRowBytes {
			return nil, errRowTooLong
		}
	}
}

func (l *lineReader) read(most int) ([]byte, error) {
	l.line++
	part, err := l.r.ReadSlice('\n')
	if err == nil {
		return part[:len(part)-1], nil
	}
	l.long = append(l.long[:0], part...)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(l.long) > most {
			return nil, errRowTooLong
		}
		part, err = l.r.ReadSlice('\n')
		l.long = append(l.long, part...)
	}
	switch {
	case err == nil:
		return l.long[:len(l.long)-1], nil
	case err != io.EOF:
		return nil, err
	case len(l.long) == 0:
		return nil, io.EOF
	}
	return l.long, nil
}

// invalidAt is the position (from 1, in bytes) of the first byte that is not valid UTF-8, or 0.
func invalidAt(b []byte) int {
	if utf8.Valid(b) {
		return 0
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i + 1
		}
		i += n
	}
	return 0
}

// readText yields a row a line, its column `text`.
func readText(file string, r io.Reader, yield func(Row, error) bool) {
	lines := newLineReader(r)
	for {
		line, err := lines.next()
		if err == io.EOF {
			return
		}
		if err != nil {
			yield(Row{}, readFault(file, lines.line, err))
			return
		}
		if at := invalidAt(line); at > 0 {
			if !yield(Row{}, notUTF8(file, lines.line, line[at-1], at)) {
				return
			}
			continue
		}
		if !yield(Row{Columns: map[string]any{"text": string(line)}, File: file, Line: lines.line}, nil) {
			return
		}
	}
}
