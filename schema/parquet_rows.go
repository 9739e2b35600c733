package schema

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// readBatch is how many values of a leaf are decoded at once. Their pages stay in memory until they are used.
const readBatch = 64

// rowGroup reads the rows of one row group, a row at a time, from all leaves side by side.
type rowGroup struct {
	columns []column
	cursors []leafCursor
}

func (s *openedShard) openGroup(g int) (*rowGroup, error) {
	group := &rowGroup{columns: s.columns}
	err := recovered(func() error {
		rows := s.file.RowGroup(g)
		for i, l := range s.leaves {
			if err := s.checkChunk(rows.MetaData(), s.at[i]); err != nil {
				return fmt.Errorf("column %s: %w", l.path(), err)
			}
			chunk, err := s.openChunk(rows, s.at[i])
			if err != nil {
				return fmt.Errorf("column %s: %w", l.path(), err)
			}
			group.cursors = append(group.cursors, newLeafCursor(l, chunk))
		}
		return nil
	})
	return group, err
}

func (s *openedShard) openChunk(rows *file.RowGroupReader, at int) (file.ColumnChunkReader, error) {
	pages, err := rows.GetColumnPageReader(at)
	if err != nil {
		return nil, err
	}
	c := s.file.MetaData().Schema.Column(at)
	checked := &checkedPages{PageReader: pages, maxDefinition: c.MaxDefinitionLevel(), maxRepetition: c.MaxRepetitionLevel()}
	return file.NewColumnReader(c, checked, boundedMemory{memory.NewGoAllocator()}, s.file.BufferPool()), nil
}

func (g *rowGroup) row() (row *Reject, err error) {
	err = recovered(func() error {
		row = &Reject{}
		at := 0
		for i := range g.columns {
			used, err := readColumn(&g.columns[i], g.cursors[at:], row)
			if err != nil {
				return fmt.Errorf("column %s: %w", g.columns[i].name, err)
			}
			at += used
		}
		return nil
	})
	return row, err
}

// finished says whether any leaf has more values than the row group has rows.
func (g *rowGroup) finished() error {
	return recovered(func() error {
		for i := range g.cursors {
			c := &g.cursors[i]
			if err := c.fill(); err == nil {
				return fmt.Errorf("column %s has more values than rows", c.path())
			} else if err != io.EOF {
				return fmt.Errorf("column %s: %w", c.path(), err)
			}
		}
		return nil
	})
}

// readColumn puts the next value of a column into the row and returns how many leaves the column has.
func readColumn(c *column, leaves []leafCursor, row *Reject) (int, error) {
	switch c.kind {
	case messagesColumn:
		messages, err := readMessages(&leaves[0], &leaves[1])
		if err == nil {
			c.addMessages(row, messages)
		}
		return 2, err
	case signalsColumn:
		signals, err := readSignals(&leaves[0], &leaves[1])
		row.Signals = signals
		return 2, err
	}
	return 1, leaves[0].readFlat(c, row)
}

// leafCursor walks over the levels and values of one leaf.
type leafCursor struct {
	leaf
	chunk                  file.ColumnChunkReader
	definition, repetition []int16
	next, have             int // levels
	nextValue, haveValues  int
	texts                  []parquet.ByteArray
	int32s                 []int32
	int64s                 []int64
	doubles                []float64
}

func newLeafCursor(l leaf, chunk file.ColumnChunkReader) leafCursor {
	c := leafCursor{leaf: l, chunk: chunk, definition: make([]int16, readBatch), repetition: make([]int16, readBatch)}
	switch l.physical {
	case parquet.Types.ByteArray:
		c.texts = make([]parquet.ByteArray, readBatch)
	case parquet.Types.Int32:
		c.int32s = make([]int32, readBatch)
	case parquet.Types.Int64:
		c.int64s = make([]int64, readBatch)
	case parquet.Types.Double:
		c.doubles = make([]float64, readBatch)
	}
	return c
}

// fill makes sure that there is a level to look at; io.EOF where the column chunk is done.
func (c *leafCursor) fill() error {
	if c.next < c.have {
		return nil
	}
	var levels int64
	var err error
	switch r := c.chunk.(type) {
	case *file.ByteArrayColumnChunkReader:
		levels, c.haveValues, err = r.ReadBatch(readBatch, c.texts, c.definition, c.repetition)
	case *file.Int32ColumnChunkReader:
		levels, c.haveValues, err = r.ReadBatch(readBatch, c.int32s, c.definition, c.repetition)
	case *file.Int64ColumnChunkReader:
		levels, c.haveValues, err = r.ReadBatch(readBatch, c.int64s, c.definition, c.repetition)
	case *file.Float64ColumnChunkReader:
		levels, c.haveValues, err = r.ReadBatch(readBatch, c.doubles, c.definition, c.repetition)
	default:
		err = fmt.Errorf("no reader for %T", c.chunk)
	}
	c.next, c.have, c.nextValue = 0, int(levels), 0
	if err == nil && levels == 0 {
		if err = c.chunk.Err(); err == nil {
			err = io.EOF
		}
	}
	return err
}

// take returns the next definition level and the place of its value, -1 where that is null.
func (c *leafCursor) take() (definition int16, value int, err error) {
	definition, value = c.definition[c.next], -1
	c.next++
	most := int16(levelFlat)
	if c.field != "" {
		most = levelListValue
	}
	if definition == most {
		value = c.nextValue
		c.nextValue++
		if value >= c.haveValues {
			return 0, 0, errors.New("fewer values than its levels say")
		}
	}
	return definition, value, nil
}

func (c *leafCursor) readFlat(to *column, row *Reject) error {
	if err := c.fill(); err != nil {
		return endedEarly(err)
	}
	_, i, err := c.take()
	if err != nil {
		return err
	}
	switch {
	case to.kind == textColumn && i >= 0:
		to.setText(row, string(c.texts[i]))
	case to.kind == int32Column && i < 0:
		*to.int32(row) = to.null
	case to.kind == int32Column:
		*to.int32(row) = c.int32s[i]
	case to.kind == int64Column && i >= 0:
		*to.int64(row) = c.int64s[i]
	case to.kind == doubleColumn && i < 0:
		*to.double(row) = math.NaN()
	case to.kind == doubleColumn:
		*to.double(row) = c.doubles[i]
	}
	return nil
}

// item moves to the next value of the row's list and says whether there is one; first begins the row. The
// place is -1 where the value is null.
func (c *leafCursor) item(first bool) (there bool, value int, err error) {
	err = c.fill()
	if err == io.EOF && !first {
		return false, -1, nil
	}
	if err != nil {
		return false, -1, endedEarly(err)
	}
	begins := c.repetition[c.next] == 0
	if begins != first {
		if first {
			return false, -1, errors.New("a row begins within another")
		}
		return false, -1, nil // the next row
	}
	definition, value, err := c.take()
	return err == nil && definition > levelEmptyList, value, err
}

func endedEarly(err error) error {
	if err == io.EOF {
		return errors.New("fewer values than rows")
	}
	return err
}

// readPairs walks over the two leaves of a list of structs.
func readPairs(a, b *leafCursor, pair func(i, j int)) error {
	for first := true; ; first = false {
		more, i, err := a.item(first)
		if err != nil {
			return err
		}
		alsoMore, j, err := b.item(first)
		if err != nil {
			return err
		}
		if more != alsoMore {
			return errors.New("its fields have lists of different lengths")
		}
		if !more {
			return nil
		}
		pair(i, j)
	}
}

func readMessages(roles, contents *leafCursor) (messages []Message, err error) {
	err = readPairs(roles, contents, func(i, j int) {
		messages = append(messages, Message{Role: roles.textAt(i), Content: contents.textAt(j)})
	})
	return messages, err
}

func readSignals(names, values *leafCursor) (signals []Signal, err error) {
	err = readPairs(names, values, func(i, j int) {
		value := math.NaN()
		if j >= 0 {
			value = values.doubles[j]
		}
		signals = append(signals, Signal{Name: names.textAt(i), Value: value})
	})
	return signals, err
}

func (c *leafCursor) textAt(i int) string {
	if i < 0 {
		return ""
	}
	return string(c.texts[i])
}
