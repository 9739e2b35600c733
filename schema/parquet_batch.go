package schema

import (
	"fmt"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// leafBatch gathers some rows of one leaf as Parquet wants them: levels and the values that are there.
type leafBatch struct {
	leaf
	definition, repetition []int16 // repetition stays empty for flat columns
	texts                  []parquet.ByteArray
	int32s                 []int32
	int64s                 []int64
	doubles                []float64
}

// buffer adds a row to the batches of all leaves and returns its bytes as Parquet counts them before encoding.
func (w *ShardWriter) buffer(row *Reject) (bytes int64) {
	for i := 0; i < len(w.batch); i++ {
		b := &w.batch[i]
		switch b.column.kind {
		case messagesColumn:
			bytes += bufferMessages(b, &w.batch[i+1], b.column.messages(row))
			i++ // role and content
		case signalsColumn:
			bytes += bufferSignals(b, &w.batch[i+1], row.Signals)
			i++ // name and value
		default:
			bytes += b.bufferFlat(row)
		}
	}
	return bytes
}

func (b *leafBatch) bufferFlat(row *Reject) int64 {
	switch b.column.kind {
	case textColumn:
		if s := b.column.text(row); s != "" {
			b.texts = append(b.texts, byteArray(s))
			return b.defined(true, len(s)+4)
		}
	case int32Column:
		if n := *b.column.int32(row); n != b.column.null {
			b.int32s = append(b.int32s, n)
			return b.defined(true, 4)
		}
	case int64Column:
		if n := *b.column.int64(row); n != 0 {
			b.int64s = append(b.int64s, n)
			return b.defined(true, 8)
		}
	case doubleColumn:
		if f := *b.column.double(row); finite(f) {
			b.doubles = append(b.doubles, f)
			return b.defined(true, 8)
		}
	}
	return b.defined(false, 0)
}

func (b *leafBatch) defined(is bool, bytes int) int64 {
	var level int16
	if is {
		level = levelFlat
	}
	b.definition = append(b.definition, level)
	return int64(bytes)
}

// item adds the levels of the i-th value of a list.
func (b *leafBatch) item(i int) {
	var level int16
	if i > 0 {
		level = 1
	}
	b.repetition = append(b.repetition, level)
	b.definition = append(b.definition, levelListValue)
}

// noItems adds the levels of an empty list or of none.
func (b *leafBatch) noItems(null bool) {
	var level int16 = levelEmptyList
	if null {
		level = 0
	}
	b.repetition = append(b.repetition, 0)
	b.definition = append(b.definition, level)
}

func bufferMessages(roles, contents *leafBatch, messages []Message) (bytes int64) {
	for i, m := range messages {
		roles.item(i)
		roles.texts = append(roles.texts, byteArray(m.Role))
		contents.item(i)
		contents.texts = append(contents.texts, byteArray(m.Content))
		bytes += int64(len(m.Role) + len(m.Content) + 8)
	}
	if len(messages) == 0 {
		roles.noItems(messages == nil)
		contents.noItems(messages == nil)
	}
	return bytes
}

func bufferSignals(names, values *leafBatch, signals []Signal) (bytes int64) {
	for i, s := range signals {
		names.item(i)
		names.texts = append(names.texts, byteArray(s.Name))
		values.item(i)
		values.doubles = append(values.doubles, s.Value)
		bytes += int64(len(s.Name) + 12)
	}
	if len(signals) == 0 {
		names.noItems(true)
		values.noItems(true)
	}
	return bytes
}

func (b *leafBatch) flush(chunk file.ColumnChunkWriter) (err error) {
	switch c := chunk.(type) {
	case *file.ByteArrayColumnChunkWriter:
		_, err = c.WriteBatch(b.texts, b.definition, b.repetition)
	case *file.Int32ColumnChunkWriter:
		_, err = c.WriteBatch(b.int32s, b.definition, b.repetition)
	case *file.Int64ColumnChunkWriter:
		_, err = c.WriteBatch(b.int64s, b.definition, b.repetition)
	case *file.Float64ColumnChunkWriter:
		_, err = c.WriteBatch(b.doubles, b.definition, b.repetition)
	default:
		err = fmt.Errorf("column %s: no writer for %T", b.path(), chunk)
	}
	clear(b.texts) // lets go of the strings
	b.texts, b.int32s, b.int64s, b.doubles = b.texts[:0], b.int32s[:0], b.int64s[:0], b.doubles[:0]
	b.definition, b.repetition = b.definition[:0], b.repetition[:0]
	return err
}

// textBytes counts the text of a row, without what the text layout adds between messages.
func textBytes(columns []column, row *Reject) (n int64) {
	for _, m := range row.Messages {
		n += int64(len(m.Role) + len(m.Content))
	}
	for i := range columns {
		if c := &columns[i]; c.kind == textColumn && c.name != FormatText {
			n += int64(len(c.text(row)))
		}
	}
	for _, s := range row.Signals {
		n += int64(len(s.Name))
	}
	return n
}

// rowGroupCut decides after which rows a row group ends.
type rowGroupCut struct {
	target   int64 // bytes of a row group
	perGroup int64 // rows of a row group; 0 until known
	hasRows  int64 // in the current row group
	hasBytes int64
}

func newRowGroupCut(o ShardOptions) rowGroupCut {
	c := rowGroupCut{target: o.RowGroupBytes}
	if c.target <= 0 {
		c.target = DefaultRowGroupBytes
	}
	if o.Rows > 0 && o.RowBytes > 0 {
		groups := (o.RowBytes + c.target - 1) / c.target
		c.perGroup = (o.Rows + groups - 1) / groups
	}
	return c
}

// add counts a row and says whether it is the last of its row group. However uneven the rows, a row group
// stays below one and a half times the target and one row.
func (c *rowGroupCut) add(bytes int64) bool {
	c.hasRows++
	c.hasBytes += bytes
	if c.perGroup == 0 {
		return c.hasBytes >= c.target
	}
	return c.hasRows >= c.perGroup || c.hasBytes >= c.target+c.target/2
}

func (c *rowGroupCut) next() {
	if c.perGroup == 0 {
		c.perGroup = c.hasRows
	}
	c.hasRows, c.hasBytes = 0, 0
}
