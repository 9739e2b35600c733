package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"github.com/retort-data/retort/schema"
)

// Rows and bytes read at a time: memory holds one batch and a buffer for each column, not a row group.
const (
	parquetBatch  = 512
	parquetBuffer = 1 << 20
)

// lineageColumns are read besides what is wanted.
var lineageColumns = []string{"generation", "origin"}

// parquetRows streams a Parquet file. Arrow panics on some damaged files; that is an error of the file here.
func (a *Access) parquetRows(ctx context.Context, f schema.PinnedFile, compression string, wanted []string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		at, size, closer, err := a.openAt(ctx, f, compression)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer closer.Close() //nolint:errcheck // only read
		p := &parquetFile{name: f.Name, source: &failureKeeper{at: at}}
		if err := p.open(ctx, size, wanted); err != nil {
			yield(Row{}, err)
			return
		}
		defer p.close()
		p.rows(ctx, yield)
	}
}

// parquetFile reads one file.
type parquetFile struct {
	name    string
	source  *failureKeeper
	reader  *file.Reader
	records pqarrow.RecordReader
	lineage Lineage
	row     int64
}

// failureKeeper remembers the error of the file below, which Arrow may wrap in words of its own or lose in a panic.
type failureKeeper struct {
	at  io.ReaderAt
	err error
}

func (k *failureKeeper) ReadAt(p []byte, off int64) (int, error) {
	n, err := k.at.ReadAt(p, off)
	if err != nil && err != io.EOF {
		k.err = err
	}
	return n, err
}

// guard runs f and names the file in its errors and panics.
func (p *parquetFile) guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = p.fault(fmt.Errorf("%v", r))
		}
	}()
	if err := f(); err != nil {
		return p.fault(err)
	}
	return nil
}

func (p *parquetFile) fault(err error) error {
	var missing *noColumn
	var faults schema.Faults
	switch {
	case p.source.err != nil:
		return readFault(p.name, 0, p.source.err)
	case errors.As(err, &missing), errors.As(err, &faults), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	where := ""
	if p.row > 0 {
		where = fmt.Sprintf(" after row %d", p.row)
	}
	return rowFault(p.name, 0, "can't be read as Parquet"+where+": "+short(err.Error()), "check that the file is whole and really Parquet")
}

func (p *parquetFile) open(ctx context.Context, size int64, wanted []string) error {
	return p.guard(func() error {
		props := parquet.NewReaderProperties(memory.DefaultAllocator)
		props.BufferedStreamEnabled, props.BufferSize = true, parquetBuffer
		reader, err := file.NewParquetReader(io.NewSectionReader(p.source, 0, size), file.WithReadProps(props))
		if err != nil {
			return err
		}
		p.reader = reader
		p.lineage = fileLineage(footerKeys(reader.MetaData()))
		leaves, err := p.leaves(wanted)
		if err != nil {
			return err
		}
		rows, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{BatchSize: parquetBatch}, memory.DefaultAllocator)
		if err != nil {
			return err
		}
		p.records, err = rows.GetRecordReader(ctx, leaves, nil)
		return err
	})
}

func footerKeys(m *metadata.FileMetaData) map[string]string {
	out := map[string]string{}
	kv := m.KeyValueMetadata()
	values := kv.Values()
	for i, k := range kv.Keys() {
		out[k] = values[i]
	}
	return out
}

// leaves finds the leaf columns below the wanted names; wanted nil means all.
func (p *parquetFile) leaves(wanted []string) ([]int, error) {
	s := p.reader.MetaData().Schema
	var names []string
	var leaves []int
	for i := range s.NumColumns() {
		name := s.ColumnRoot(i).Name()
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if wanted == nil || slices.Contains(wanted, name) || slices.Contains(lineageColumns, name) {
			leaves = append(leaves, i)
		}
	}
	if missing := firstMissing(wanted, names); missing != "" {
		return nil, missingColumn(p.name, missing, names)
	}
	if len(leaves) == 0 && len(names) > 0 {
		leaves = []int{0} // templates without columns still want the number of rows
	}
	return leaves, nil
}

func (p *parquetFile) rows(ctx context.Context, yield func(Row, error) bool) {
	for {
		var batch arrow.Record
		err := p.guard(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !p.records.Next() {
				if err := p.records.Err(); err != nil && err != io.EOF {
					return err
				}
				return nil
			}
			batch = p.records.Record()
			return nil
		})
		if err != nil {
			yield(Row{}, err)
			return
		}
		if batch == nil || !p.batch(batch, yield) {
			return
		}
	}
}

func (p *parquetFile) batch(batch arrow.Record, yield func(Row, error) bool) bool {
	for i := range int(batch.NumRows()) {
		p.row++
		row := Row{Columns: make(map[string]any, batch.NumCols()+4), File: p.name, Line: p.row, Lineage: p.lineage}
		err := p.guard(func() error {
			left := MaxRowBytes
			for c := range int(batch.NumCols()) {
				v, err := arrowValue(batch.Column(c), i, &left)
				if err != nil {
					return rowFault(p.name, 0, fmt.Sprintf("row %d, column %q: %v", p.row, batch.ColumnName(c), err), "mend the value, or use other columns")
				}
				row.Columns[batch.ColumnName(c)] = v
			}
			return nil
		})
		if !yield(row, err) {
			return false
		}
	}
	return true
}

func (p *parquetFile) close() {
	p.guard(func() error { //nolint:errcheck // only read
		if p.records != nil {
			p.records.Release()
		}
		return nil
	})
}
