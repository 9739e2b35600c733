package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/retort-data/retort/schema"
)

// lineageColumns are read besides what is wanted.
var lineageColumns = []string{"generation", "origin", shardLicense}

// parquetRows streams a Parquet file, whose place in memory is a page or two of each column.
func (a *Access) parquetRows(ctx context.Context, f schema.PinnedFile, compression string, columns Columns) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		at, size, closer, err := a.openAt(ctx, f, compression)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer closer.Close() //nolint:errcheck // only read
		keeper := &failureKeeper{at: at}
		table, err := schema.OpenTable(keeper, size)
		if err != nil {
			yield(Row{}, keeper.fault(f.Name, 0, err))
			return
		}
		names, err := tableColumns(f.Name, table.Columns(), columns)
		if err != nil {
			yield(Row{}, err)
			return
		}
		lineage := fileLineage(table.Keys())
		var n int64
		for values, err := range table.Rows(names, MaxRowBytes) {
			if err == nil && n%256 == 0 {
				err = ctx.Err()
			}
			if err != nil {
				yield(Row{}, keeper.fault(f.Name, n+1, err))
				return
			}
			n++
			if !yield(Row{Columns: values, File: f.Name, Line: n, Lineage: lineage}, nil) {
				return
			}
		}
	}
}

func tableColumns(file string, there []string, columns Columns) ([]string, error) {
	if missing := firstMissing(columns.Need, there); missing != "" {
		return nil, missingColumn(file, missing, there)
	}
	var names []string
	for _, name := range there {
		if columns.All || slices.Contains(columns.Need, name) || slices.Contains(columns.Want, name) || slices.Contains(lineageColumns, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// failureKeeper remembers the error of the file below, such as that it has changed, which the Parquet library may put into other
// words.
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

func (k *failureKeeper) fault(file string, row int64, err error) error {
	switch {
	case k.err != nil:
		return readFault(file, 0, k.err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case row > 0:
		return rowFault(file, 0, fmt.Sprintf("row %d can't be read: %s", row, short(err.Error())), "check that the file is whole, and mend the row where it was written")
	}
	return rowFault(file, 0, "can't be read as Parquet: "+short(err.Error()), "check that the file is whole and really Parquet")
}
