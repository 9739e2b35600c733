package prompt

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/retort-data/retort/schema"
)

// MaxRowBytes bounds a row as it stands in the file: what is longer is a fault, whatever it is compressed to.
const MaxRowBytes = 16 << 20

// Row is one row of a source. Values are string, json.Number, bool, nil, []any and map[string]any.
type Row struct {
	Columns map[string]any
	File    string // as a person knows it
	Line    int64  // where it begins, from 1; of Parquet the number of the row
	Lineage Lineage
}

// Place names the row in messages.
func (r Row) Place() string {
	if strings.Contains(r.File, ".parquet") {
		return fmt.Sprintf("%s, row %d", r.File, r.Line)
	}
	return fmt.Sprintf("%s:%d", r.File, r.Line)
}

// columnNames lists the columns for a message, at most 20.
func (r Row) columnNames() string {
	names := slices.Sorted(maps.Keys(r.Columns))
	if len(names) > 20 {
		names = append(names[:20], "…")
	}
	return strings.Join(names, ", ")
}

// rowFault is a fault in a source's file; line 0 is the whole file.
func rowFault(file string, line int64, what, mend string) error {
	f := schema.Fault{File: file, What: what, Mend: mend}
	if line > 0 {
		f.Line, f.Col = int(line), 1
	}
	return schema.Faults{f}
}
