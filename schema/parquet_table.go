package schema

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// tableBuffer is what is read ahead of each column chunk.
const tableBuffer = 1 << 20

// Table is any Parquet file, of whatever columns: a source of prompts, an anchor, a file to be inspected. Shards have
// ReadRecords. Rows are assembled from the columns' levels here: Arrow's own assembly decodes in goroutines, and panics there on
// damaged files, which nothing can recover from.
type Table struct {
	shard  openedShard
	fields []*tableNode
	keys   map[string]string
}

// OpenTable reads the footer. Errors are plain: the caller names the file.
func OpenTable(r io.ReaderAt, size int64) (*Table, error) {
	t := &Table{shard: openedShard{size: size}, keys: map[string]string{}}
	err := recovered(func() (err error) {
		props := parquet.NewReaderProperties(boundedMemory{memory.NewGoAllocator()})
		props.BufferedStreamEnabled, props.BufferSize = true, tableBuffer
		t.shard.file, err = file.NewParquetReader(io.NewSectionReader(r, 0, size), file.WithReadProps(props))
		if err != nil {
			return err
		}
		meta := t.shard.file.MetaData()
		for i, k := range meta.KeyValueMetadata().Keys() {
			t.keys[k] = meta.KeyValueMetadata().Values()[i]
		}
		t.fields, err = tableFields(meta.Schema)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Columns are the names of the columns, in the file's order.
func (t *Table) Columns() []string {
	names := make([]string, len(t.fields))
	for i, f := range t.fields {
		names[i] = f.name
	}
	return names
}

// Keys are the keys and values of the footer.
func (t *Table) Keys() map[string]string { return t.keys }

// Rows yields the rows with the named columns (those that there are), in order. Values are string, json.Number (written plainly,
// never 1e+07), bool, nil, []any and map[string]any; dates and times are text (RFC 3339), NaN and infinities, by which dataframes mark
// what is missing, are nil. A row of more than mostBytes is an error. The first error ends the sequence. Memory holds a page or two of each column.
func (t *Table) Rows(names []string, mostBytes int) iter.Seq2[map[string]any, error] {
	var wanted []*tableNode
	for _, f := range t.fields {
		if slices.Contains(names, f.name) {
			wanted = append(wanted, f)
		}
	}
	if len(wanted) == 0 && len(t.fields) > 0 {
		wanted = t.fields[:1] // what a footer claims of the number of rows is not believed without a column
	}
	return func(yield func(map[string]any, error) bool) {
		for g := 0; len(wanted) > 0 && g < t.shard.file.NumRowGroups(); g++ {
			if !t.group(g, wanted, mostBytes, yield) {
				return
			}
		}
	}
}

func (t *Table) group(g int, wanted []*tableNode, mostBytes int, yield func(map[string]any, error) bool) bool {
	var cursors tableCursors
	var rows int64
	err := recovered(func() (err error) {
		rows = t.shard.file.MetaData().RowGroup(g).NumRows()
		cursors, err = t.openCursors(g, wanted)
		return err
	})
	for i := int64(0); err == nil && i < rows; i++ {
		var row map[string]any
		err = recovered(func() (err error) {
			row, err = readTableRow(wanted, cursors, mostBytes)
			return err
		})
		if err == nil && !yield(row, nil) {
			return false
		}
	}
	if err != nil {
		yield(nil, err)
	}
	return err == nil
}

func (t *Table) openCursors(g int, wanted []*tableNode) (tableCursors, error) {
	cursors := tableCursors{}
	group := t.shard.file.RowGroup(g)
	for _, f := range wanted {
		for _, at := range f.leaves {
			if err := t.shard.checkChunk(group.MetaData(), at); err != nil {
				return nil, fmt.Errorf("column %q: %w", f.name, err)
			}
			chunk, err := t.shard.openChunk(group, at)
			if err != nil {
				return nil, fmt.Errorf("column %q: %w", f.name, err)
			}
			if cursors[at], err = newTableCursor(chunk); err != nil {
				return nil, fmt.Errorf("column %q: %w", f.name, err)
			}
		}
	}
	return cursors, nil
}

var errRowTooLarge = errors.New("a row is too large")

func readTableRow(wanted []*tableNode, cursors tableCursors, mostBytes int) (map[string]any, error) {
	row := make(map[string]any, len(wanted)+4)
	left := mostBytes
	for _, f := range wanted {
		for _, at := range f.leaves {
			if err := cursors[at].begins(); err != nil {
				return nil, fmt.Errorf("column %q: %w", f.name, err)
			}
		}
		v, err := f.read(cursors, &left)
		if errors.Is(err, errRowTooLarge) {
			return nil, fmt.Errorf("column %q: the row has more than %d bytes", f.name, mostBytes)
		}
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.name, err)
		}
		row[f.name] = v
	}
	return row, nil
}
