package prompt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/retort-data/retort/schema"
)

func notUTF8(file string, line int64, b byte, at int) error {
	return schema.Faults{{File: file, Line: int(line), Col: at, What: fmt.Sprintf("byte 0x%02x is not valid UTF-8", b), Mend: "save the file as UTF-8; iconv converts it"}}
}

// readJSONL yields a row for each line, which must be a JSON object. Numbers keep the form that they have in the file.
func readJSONL(file string, r io.Reader, yield func(Row, error) bool) {
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
		columns, err := decodeObject(file, lines.line, line)
		if !yield(Row{Columns: columns, File: file, Line: lines.line}, err) {
			return
		}
	}
}

func decodeObject(file string, number int64, line []byte) (map[string]any, error) {
	if at := invalidAt(line); at > 0 {
		return nil, notUTF8(file, number, line[at-1], at)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, jsonFault(file, number, d.InputOffset(), err)
	}
	if rest := bytes.TrimSpace(line[d.InputOffset():]); len(rest) > 0 {
		return nil, schema.Faults{{File: file, Line: int(number), Col: int(d.InputOffset()) + 1, What: "more text follows the object", Mend: "write one JSON object a line"}}
	}
	columns, ok := value.(map[string]any)
	if !ok {
		return nil, rowFault(file, number, "is no JSON object", `write an object a line, such as {"question": "…"}`)
	}
	return columns, nil
}

func jsonFault(file string, number, offset int64, err error) error {
	var syntax *json.SyntaxError
	what := "is not valid JSON"
	if errors.As(err, &syntax) {
		offset, what = syntax.Offset, "is not valid JSON: "+syntax.Error()
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		what = "is not valid JSON: the line ends too early"
	}
	return schema.Faults{{File: file, Line: int(number), Col: max(int(offset), 1), What: what, Mend: "write one JSON object a line, without line ends in it"}}
}
