package ngram

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// ReadJSONL reads one text a line from the string field of that name; lines
// without it are an error that names the line.
func ReadJSONL(path, field string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var texts []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var row map[string]json.RawMessage
		var text string
		err := json.Unmarshal(lines.Bytes(), &row)
		if err == nil {
			err = json.Unmarshal(row[field], &text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: want a JSON object with a string %q: %w", path, n, field, err)
		}
		texts = append(texts, text)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return texts, nil
}
