package schema

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// tableCursors are the cursors of the columns that are read, by their place in the file.
type tableCursors map[int]*tableCursor

// tableCursor walks over the levels and values of one column of a row group.
type tableCursor struct {
	maxDefinition, maxRepetition int16
	definitions, repetitions     []int16
	next, have                   int // levels
	nextValue, haveValues        int
	read                         func(definitions, repetitions []int16) (levels int64, values int, err error)
	value                        func(i int) any
	chunk                        file.ColumnChunkReader
}

func newTableCursor(chunk file.ColumnChunkReader) (*tableCursor, error) {
	d := chunk.Descriptor()
	c := &tableCursor{chunk: chunk, maxDefinition: d.MaxDefinitionLevel(), maxRepetition: d.MaxRepetitionLevel(),
		definitions: make([]int16, readBatch), repetitions: make([]int16, readBatch)}
	switch r := chunk.(type) {
	case *file.BooleanColumnChunkReader:
		typed(c, r.ReadBatch)
	case *file.Int32ColumnChunkReader:
		typed(c, r.ReadBatch)
	case *file.Int64ColumnChunkReader:
		typed(c, r.ReadBatch)
	case *file.Int96ColumnChunkReader:
		typed(c, r.ReadBatch)
	case *file.Float32ColumnChunkReader:
		typed(c, r.ReadBatch)
	case *file.Float64ColumnChunkReader:
		typed(c, r.ReadBatch)
	case *file.ByteArrayColumnChunkReader:
		typed(c, r.ReadBatch)
	case *file.FixedLenByteArrayColumnChunkReader:
		typed(c, r.ReadBatch)
	default:
		return nil, fmt.Errorf("values of type %s are not read", d.PhysicalType())
	}
	return c, nil
}

// typed lets a cursor read values of one type.
func typed[T bool | int32 | int64 | parquet.Int96 | float32 | float64 | parquet.ByteArray | parquet.FixedLenByteArray](c *tableCursor, read func(int64, []T, []int16, []int16) (int64, int, error)) {
	values := make([]T, readBatch)
	c.read = func(definitions, repetitions []int16) (int64, int, error) {
		return read(readBatch, values, definitions, repetitions)
	}
	c.value = func(i int) any { return values[i] }
}

// fill makes sure that there is a level to look at; more is false where the column is done.
func (c *tableCursor) fill() (more bool, err error) {
	if c.next < c.have {
		return true, nil
	}
	levels, values, err := c.read(c.definitions, c.repetitions)
	c.next, c.have, c.nextValue, c.haveValues = 0, int(levels), 0, values
	if err == nil && levels == 0 {
		err = c.chunk.Err()
	}
	return levels > 0, err
}

var errFewerValues = errors.New("fewer values than rows")

// begins says whether a new row begins here.
func (c *tableCursor) begins() error {
	more, err := c.fill()
	if err != nil {
		return err
	}
	if !more {
		return errFewerValues
	}
	if c.maxRepetition > 0 && c.repetitions[c.next] != 0 {
		return errors.New("a row begins within another")
	}
	return nil
}

// definition is the level of the next value.
func (c *tableCursor) definition() (int16, error) {
	more, err := c.fill()
	if err != nil {
		return 0, err
	}
	if !more {
		return 0, errFewerValues
	}
	if c.maxDefinition == 0 {
		return 0, nil
	}
	return c.definitions[c.next], nil
}

// repeats says whether the next value is another element at a level of repetition. An error shows when it is read.
func (c *tableCursor) repeats(level int16) bool {
	more, err := c.fill()
	return err == nil && more && c.maxRepetition > 0 && c.repetitions[c.next] == level
}

// skip passes a null, which must be one at this level of definition.
func (c *tableCursor) skip(level int16) error {
	d, err := c.definition()
	if err != nil {
		return err
	}
	if d >= level {
		return errors.New("its fields are not null together")
	}
	c.next++
	return nil
}

// take returns the next value, which must be there.
func (c *tableCursor) take(level int16) (any, error) {
	d, err := c.definition()
	if err != nil {
		return nil, err
	}
	if d != level || c.nextValue >= c.haveValues {
		return nil, errors.New("fewer values than its levels say")
	}
	c.next++
	c.nextValue++
	return c.value(c.nextValue - 1), nil
}
