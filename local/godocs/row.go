package godocs

import (
	"bufio"
	"encoding/json"
	"io"
	"math/rand/v2"
)

// Row is one documented symbol of the standard library.
type Row struct {
	Key      string `json:"key"`      // unique: net/http, net/http.Client, net/http.Client.Do
	Package  string `json:"package"`  // import path
	Symbol   string `json:"symbol"`   // Client.Do; empty for a package
	Kind     string `json:"kind"`     // package, const, var, func, type, field or method
	Question string `json:"question"` // What does the method http.Client.Do from net/http do?
	Doc      string `json:"doc"`      // the comment as plain text, a paragraph a line
	Words    int    `json:"words"`    // of Doc, split at white space
}

// Sample returns n rows chosen by seed, in their order in rows; all of them
// where n is 0 or there are no more.
func Sample(rows []Row, n int, seed uint64) []Row {
	if n <= 0 || n >= len(rows) {
		return rows
	}
	chosen := make([]bool, len(rows))
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(len(rows))[:n] {
		chosen[i] = true
	}
	kept := make([]Row, 0, n)
	for i, c := range chosen {
		if c {
			kept = append(kept, rows[i])
		}
	}
	return kept
}

// Write writes rows as JSON, a line each.
func Write(w io.Writer, rows []Row) error {
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for _, r := range rows {
		if err := encoder.Encode(r); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
