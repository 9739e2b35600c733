package schema

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
)

// mostPageBytes bounds what a page may claim to hold: a page is a megabyte and at most one record more.
const mostPageBytes = 2*pageBytes + MostRecordBytes + batchBytes

// Footer is what stands at the end of a shard.
type Footer struct {
	Format    string            // FormatMessages, FormatPromptCompletion or FormatText
	Rejects   bool              // a file of rejects
	Rows      int64             //
	RowGroups []int64           // rows of each
	Keys      map[string]string // all footer keys
}

// ReadFooter reads a shard's footer, and no more.
func ReadFooter(r io.ReaderAt, size int64) (*Footer, error) {
	s, err := openShard(r, size)
	if err != nil {
		return nil, err
	}
	return &s.footer, nil
}

// ReadRecords reads the records of a shard, or of a file of rejects, in order. The prompt and completion columns
// become one conversation again; the text layout gives one message without a role. Memory is bounded by a row
// group as it stands in the file. The first error ends the sequence; a corrupted file is an error, never a panic.
func ReadRecords(r io.ReaderAt, size int64) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		readRows(r, size, false, func(row *Reject, err error) bool {
			if err != nil {
				return yield(nil, err)
			}
			return yield(&row.Record, nil)
		})
	}
}

// ReadRejects reads a file of rejects as ReadRecords reads a shard.
func ReadRejects(r io.ReaderAt, size int64) iter.Seq2[*Reject, error] {
	return func(yield func(*Reject, error) bool) { readRows(r, size, true, yield) }
}

func readRows(r io.ReaderAt, size int64, rejects bool, yield func(*Reject, error) bool) {
	s, err := openShard(r, size)
	if err == nil && rejects && !s.footer.Rejects {
		err = readError(errors.New("it has no reasons: it is a shard, not a file of rejects"))
	}
	if err != nil {
		yield(nil, err)
		return
	}
	for g := range s.footer.RowGroups {
		group, err := s.openGroup(g)
		for i := int64(0); err == nil && i < s.footer.RowGroups[g]; i++ {
			var row *Reject
			if row, err = group.row(); err == nil && !yield(row, nil) {
				return
			}
		}
		if err == nil {
			err = group.finished()
		}
		if err != nil {
			yield(nil, readError(fmt.Errorf("row group %d: %w", g, err)))
			return
		}
	}
}

func readError(err error) error {
	return &Error{
		Kind: KindFailed, Code: "parquet-read", Op: "read a shard", Cause: err,
		Hint: "the file is no shard, or was damaged after it was written: compare it with the sha256 of its manifest (retort verify)",
	}
}

// recovered runs what calls Arrow, which panics on some damaged files.
func recovered(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the Parquet library gave up: %v", p)
		}
	}()
	return do()
}

type openedShard struct {
	file    *file.Reader
	size    int64
	footer  Footer
	columns []column
	leaves  []leaf
	at      []int // index of each leaf in the file
}

func openShard(r io.ReaderAt, size int64) (*openedShard, error) {
	s := &openedShard{size: size}
	err := recovered(func() (err error) {
		props := parquet.NewReaderProperties(boundedMemory{memory.NewGoAllocator()})
		s.file, err = file.NewParquetReader(io.NewSectionReader(r, 0, size), file.WithReadProps(props))
		if err != nil {
			return err
		}
		return s.readLayout()
	})
	if err != nil {
		return nil, readError(err)
	}
	return s, nil
}

// readLayout fills in the footer and finds the leaves of the layout that the columns show.
func (s *openedShard) readLayout() error {
	meta := s.file.MetaData()
	paths := map[string]int{}
	for i := 0; i < meta.Schema.NumColumns(); i++ {
		paths[meta.Schema.Column(i).Path()] = i
	}
	s.footer = Footer{Keys: map[string]string{}, Format: layoutOf(paths)}
	_, s.footer.Rejects = paths["reason"]
	for i, k := range meta.KeyValueMetadata().Keys() {
		s.footer.Keys[k] = meta.KeyValueMetadata().Values()[i]
	}
	for i := range meta.GetRowGroups() {
		rows := meta.RowGroup(i).NumRows()
		if rows < 0 || rows > math.MaxInt64-s.footer.Rows {
			return fmt.Errorf("row group %d claims %d rows", i, rows)
		}
		s.footer.RowGroups = append(s.footer.RowGroups, rows)
		s.footer.Rows += rows
	}
	layout, err := layoutFor(s.footer.Format, s.footer.Rejects)
	if err != nil {
		return errors.New("it has no column messages, prompt and completion, or text")
	}
	s.columns, s.leaves = layout.columns, leavesOf(layout.columns)
	return s.findLeaves(paths)
}

func layoutOf(paths map[string]int) string {
	for _, l := range []struct{ path, format string }{
		{"messages.list.element.content", FormatMessages},
		{"completion.list.element.content", FormatPromptCompletion},
		{"text", FormatText},
	} {
		if _, ok := paths[l.path]; ok {
			return l.format
		}
	}
	return ""
}

func (s *openedShard) findLeaves(paths map[string]int) error {
	for _, l := range s.leaves {
		at, ok := paths[l.path()]
		if !ok {
			return fmt.Errorf("it has no column %s", l.path())
		}
		var wantDefinition, wantRepetition int16 = levelFlat, 0
		if l.field != "" {
			wantDefinition, wantRepetition = levelListValue, 1
		}
		c := s.file.MetaData().Schema.Column(at)
		if c.PhysicalType() != l.physical || c.MaxDefinitionLevel() != wantDefinition || c.MaxRepetitionLevel() != wantRepetition {
			return fmt.Errorf("column %s is a %s of levels %d and %d; a shard's is a %s of levels %d and %d", l.path(),
				c.PhysicalType(), c.MaxDefinitionLevel(), c.MaxRepetitionLevel(), l.physical, wantDefinition, wantRepetition)
		}
		s.at = append(s.at, at)
	}
	return nil
}

// checkChunk refuses a column chunk that doesn't lie within the file, before Arrow allocates what it claims.
func (s *openedShard) checkChunk(rows *metadata.RowGroupMetaData, at int) error {
	c, err := rows.ColumnChunk(at)
	if err != nil {
		return err
	}
	start, length := c.DataPageOffset(), c.TotalCompressedSize()
	if c.HasDictionaryPage() && c.DictionaryPageOffset() > 0 {
		start = min(start, c.DictionaryPageOffset())
	}
	if start < 0 || length < 0 || start > s.size || length > s.size-start {
		return fmt.Errorf("a column claims %d bytes at %d of a file of %d", length, start, s.size)
	}
	return nil
}

// boundedMemory refuses what no page of a shard needs, so that a damaged size costs an error, not all memory.
type boundedMemory struct{ memory.Allocator }

func (m boundedMemory) Allocate(n int) []byte {
	checkAllocation(n)
	return m.Allocator.Allocate(n)
}

func (m boundedMemory) Reallocate(n int, b []byte) []byte {
	checkAllocation(n)
	return m.Allocator.Reallocate(n, b)
}

func checkAllocation(n int) {
	if n < 0 || n > mostPageBytes {
		panic(fmt.Sprintf("a page claims %d bytes; the most is %d", n, mostPageBytes)) // recovered above
	}
}
