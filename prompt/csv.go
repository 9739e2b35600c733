package prompt

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/retort-data/retort/schema"
)

// readCSV yields the rows of a CSV file (RFC 4180), whose first line names the columns. Values are text.
func readCSV(file string, r io.Reader, need []string, yield func(Row, error) bool) {
	bound := &boundedReader{r: r, left: MaxRowBytes}
	buffered := bufio.NewReader(bound)
	if mark, err := buffered.Peek(3); err == nil && bytes.Equal(mark, []byte("\ufeff")) {
		buffered.Discard(3) //nolint:errcheck // just seen
	}
	c := csv.NewReader(buffered)
	c.ReuseRecord = true
	header, err := readHeader(file, c, need)
	if err != nil {
		yield(Row{}, err)
		return
	}
	last := int64(1)
	for {
		bound.left = MaxRowBytes
		before := c.InputOffset()
		record, err := c.Read()
		if err == io.EOF {
			return
		}
		line := last + 1
		if len(record) > 0 {
			n, _ := c.FieldPos(0)
			line = int64(n)
		}
		last = line
		if err != nil {
			// a row of the wrong length is over; after any other error the reader's place is unknown
			ok := yield(Row{}, csvFault(file, line, err, len(header)))
			if !ok || !errors.Is(err, csv.ErrFieldCount) || c.InputOffset() == before {
				return
			}
			continue
		}
		columns, err := csvColumns(file, c, header, record)
		if !yield(Row{Columns: columns, File: file, Line: line}, err) {
			return
		}
	}
}

func readHeader(file string, c *csv.Reader, need []string) ([]string, error) {
	record, err := c.Read()
	if err == io.EOF {
		return nil, rowFault(file, 0, "is empty", "the first line of a CSV file names its columns")
	}
	if err != nil {
		return nil, csvFault(file, 1, err, 0)
	}
	header := slices.Clone(record)
	for i, name := range header {
		if at := invalidAt([]byte(name)); at > 0 {
			return nil, notUTF8(file, 1, name[at-1], at)
		}
		if name == "" || slices.Contains(header[:i], name) {
			return nil, rowFault(file, 1, fmt.Sprintf("column %d has the name %q, empty or for the second time", i+1, name), "give every column its own name in the first line")
		}
	}
	if missing := firstMissing(need, header); missing != "" {
		return nil, missingColumn(file, missing, header)
	}
	return header, nil
}

func csvColumns(file string, c *csv.Reader, header, record []string) (map[string]any, error) {
	columns := make(map[string]any, len(header)+4)
	for i, value := range record {
		if at := invalidAt([]byte(value)); at > 0 {
			line, _ := c.FieldPos(i)
			return nil, notUTF8(file, int64(line), value[at-1], at)
		}
		columns[header[i]] = value
	}
	return columns, nil
}

func csvFault(file string, line int64, err error, columns int) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return readFault(file, line, err)
	}
	what, mend := p.Err.Error(), `put values with commas, quotes or line ends in double quotes, and write a quote in them as ""`
	if errors.Is(p.Err, csv.ErrFieldCount) {
		what, mend = fmt.Sprintf("this row has another number of values than the first line has columns (%d)", columns), "give each row a value for each column; "+mend
	}
	return schema.Faults{{File: file, Line: p.Line, Col: max(p.Column, 1), What: what, Mend: mend}}
}

// boundedReader stops a single row from filling the memory: left is set anew for each row.
type boundedReader struct {
	r    io.Reader
	left int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errRowTooLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// firstMissing returns the first needed column that there isn't, or "".
func firstMissing(need, columns []string) string {
	for _, w := range need {
		if !slices.Contains(columns, w) {
			return w
		}
	}
	return ""
}

// missingColumn is a *noColumn, so that the stream can show the place in the recipe that wants it.
func missingColumn(file, column string, columns []string) error {
	return &noColumn{file, column, columns}
}

type noColumn struct {
	file, column string
	columns      []string
}

func (n *noColumn) Error() string { return fmt.Sprintf("%s has no column %q", n.file, n.column) }
