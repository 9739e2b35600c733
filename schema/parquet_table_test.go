package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"pgregory.net/rapid"
)

// nested has a null at every level, lists in lists, and columns that are never null.
var nested = arrow.NewSchema([]arrow.Field{
	{Name: "id", Type: arrow.PrimitiveTypes.Int64},
	{Name: "deep", Nullable: true, Type: arrow.ListOf(arrow.StructOf(
		arrow.Field{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "b", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
		arrow.Field{Name: "c", Type: arrow.StructOf(arrow.Field{Name: "d", Type: arrow.ListOf(arrow.ListOf(arrow.BinaryTypes.String)), Nullable: true}), Nullable: true},
	))},
	{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "sure", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32})},
}, nil)

func drawText(t *rapid.T) any {
	if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		return nil
	}
	return rapid.StringMatching(`[a-zä]{0,4}`).Draw(t, "text")
}

func drawList(t *rapid.T, item func(*rapid.T) any) any {
	n := rapid.IntRange(-1, 3).Draw(t, "items")
	if n < 0 {
		return nil
	}
	out := []any{}
	for range n {
		out = append(out, item(t))
	}
	return out
}

func drawNumber(t *rapid.T) any {
	if rapid.Bool().Draw(t, "null") {
		return nil
	}
	return rapid.Int64Range(-1<<53, 1<<53).Draw(t, "number") // what Arrow reads from JSON without rounding
}

func drawDeep(t *rapid.T) any {
	if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return nil
	}
	var c any
	if rapid.Bool().Draw(t, "c") {
		c = map[string]any{"d": drawList(t, func(t *rapid.T) any { return drawList(t, drawText) })}
	}
	return map[string]any{"a": drawText(t), "b": drawList(t, drawNumber), "c": c}
}

func drawRow(t *rapid.T, i int) map[string]any {
	var flag any
	if rapid.Bool().Draw(t, "flag") {
		flag = rapid.Bool().Draw(t, "value")
	}
	return map[string]any{"id": i, "deep": drawList(t, drawDeep), "flag": flag, "sure": map[string]any{"x": rapid.Int32().Draw(t, "x")}}
}

// What is written in any shape is read back as it was, over row groups and batches.
func TestTableRowsAreWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []string
		for i := range rapid.IntRange(0, 80).Draw(t, "rows") {
			b, _ := json.Marshal(drawRow(t, i))
			rows = append(rows, string(b))
		}
		version := rapid.SampledFrom([]parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2}).Draw(t, "version")
		data := writeTable(t, nested, rows, rapid.Int64Range(1, 100).Draw(t, "group"), version)
		table, err := OpenTable(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for row, err := range table.Rows(table.Columns(), 1<<20) {
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := json.Marshal(row); string(got) != rows[n] {
				t.Fatalf("row %d\n got %s\nwant %s", n, got, rows[n])
			}
			n++
		}
		if n != len(rows) {
			t.Fatalf("%d rows of %d", n, len(rows))
		}
	})
}

type fataler interface{ Fatal(...any) }

func writeTable(t fataler, s *arrow.Schema, rows []string, group int64, version parquet.DataPageVersion) []byte {
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for _, row := range rows {
		if err := b.UnmarshalJSON([]byte(row)); err != nil {
			t.Fatal(err, row)
		}
	}
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(s, &out, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(group), parquet.WithDataPageVersion(version), parquet.WithDataPageSize(300)), pqarrow.DefaultWriterProps())
	if err == nil && len(rows) > 0 {
		err = w.Write(b.NewRecord())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTableReadsOnlyWhatIsWanted(t *testing.T) {
	data := writeTable(t, nested, []string{`{"id": 1, "deep": null, "flag": true, "sure": {"x": 2}}`}, 10, parquet.DataPageV1)
	table, err := OpenTable(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range table.Rows([]string{"flag", "none"}, 1000) {
		if err != nil || fmt.Sprint(row) != "map[flag:true]" {
			t.Errorf("%v, %v", row, err)
		}
	}
}

func TestTableRefusesLargeRows(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String}}, nil)
	data := writeTable(t, s, []string{`{"text": "short"}`, `{"text": "` + strings.Repeat("a", 2000) + `"}`}, 10, parquet.DataPageV1)
	table, err := OpenTable(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var last error
	n := 0
	for _, err := range table.Rows([]string{"text"}, 1000) {
		if last = err; err == nil {
			n++
		}
	}
	if n != 1 || last == nil || !strings.Contains(last.Error(), "more than 1000 bytes") {
		t.Errorf("%d rows, %v", n, last)
	}
}

// A damaged file gives errors, no panics, and no more rows than it has.
func TestDamagedTablesAreErrors(t *testing.T) {
	good := writeTable(t, nested, []string{`{"id": 1, "deep": [{"a": "x", "b": [1, null], "c": {"d": [["y"], []]}}, null], "flag": true, "sure": {"x": 2}}`,
		`{"id": 2, "deep": [], "flag": null, "sure": {"x": 3}}`}, 10, parquet.DataPageV1)
	for at := 0; at < len(good)*8; at += 11 {
		bad := bytes.Clone(good)
		bad[at/8] ^= 1 << (at % 8)
		table, err := OpenTable(bytes.NewReader(bad), int64(len(bad)))
		if err != nil {
			continue
		}
		n := 0
		for _, err := range table.Rows(table.Columns(), 1<<20) {
			if err == nil {
				n++
			}
			if n > 2 {
				t.Fatalf("bit %d: more rows than were written", at)
			}
		}
	}
}
