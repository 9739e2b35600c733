package prompt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// parquetOf writes records of JSON objects, in row groups of groupRows, with footer keys.
func parquetOf(t testing.TB, s *arrow.Schema, rows string, groupRows int64, footer map[string]string) string {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for d := json.NewDecoder(strings.NewReader(rows)); ; {
		var row json.RawMessage
		err := d.Decode(&row)
		if err == io.EOF {
			break
		}
		if err == nil {
			err = b.UnmarshalJSON(row)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return parquetOfRecord(t, b.NewRecord(), groupRows, footer)
}

func parquetOfRecord(t testing.TB, record arrow.Record, groupRows int64, footer map[string]string) string {
	t.Helper()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(record.Schema(), &out, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd), parquet.WithMaxRowGroupLength(groupRows)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(record); err != nil {
		t.Fatal(err)
	}
	for k, v := range footer {
		if err := w.AppendKeyValueMetadata(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func field(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

var (
	textType    = arrow.BinaryTypes.String
	messageType = arrow.ListOf(arrow.StructOf(field("role", textType), field("content", textType)))
)

func TestParquetTypes(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{
		field("q", textType), field("big", arrow.PrimitiveTypes.Int64), field("u", arrow.PrimitiveTypes.Uint64), field("f", arrow.PrimitiveTypes.Float64), field("f32", arrow.PrimitiveTypes.Float32),
		field("ok", arrow.FixedWidthTypes.Boolean), field("tags", arrow.ListOf(textType)), field("o", arrow.StructOf(field("a", arrow.StructOf(field("b", textType))))),
		field("at", arrow.FixedWidthTypes.Timestamp_us), field("day", arrow.FixedWidthTypes.Date32), field("messages", messageType), field("nil", textType), field("m", arrow.MapOf(textType, arrow.PrimitiveTypes.Int32)),
		field("dec", &arrow.Decimal128Type{Precision: 10, Scale: 2}), field("bin", arrow.BinaryTypes.Binary),
	}, nil)
	content := parquetOf(t, s, `{"q": "ü", "big": 12345678901, "u": 9000000000000000000, "f": 12345678, "f32": 0.1, "ok": true, "tags": ["x", null, "y"], "o": {"a": {"b": "deep"}}, "at": "2026-11-24T10:00:00Z", "day": "2026-11-24",
		"messages": [{"role": "user", "content": "hello"}], "nil": null, "m": [{"key": "k", "value": 3}], "dec": "-0.05", "bin": "aGk="}`, 100, nil)
	f := newFolder(t, map[string]string{"data/q.parquet": content})
	for template, want := range map[string]string{
		"{{.q}} {{.big}} {{.u}} {{.f}} {{.f32}} {{.ok}}": "ü 12345678901 9000000000000000000 12345678 0.1 true",
		"{{index .tags 0}} {{json .tags}} {{.o.a.b}}":    `x ["x",null,"y"] deep`,
		"{{.at}} {{.day}}": "2026-11-24T10:00:00Z 2026-11-24",
		"{{range .messages}}{{.role}}: {{.content}}{{end}} {{.m.k}}":  "user: hello 3",
		`{{.nil | default "none"}} {{.dec}} {{.bin}}`:                 "none -0.05 hi",
		"{{if .nil}}{{.nil}}{{else}}no{{end}}{{if gt .f 5}}!{{end}}":  "no!",
		`{{index . "q"}}{{with .o}}{{.a.b}}{{end}}{{$.q}}`:            "üdeepü",
		"text without a column":                                       "text without a column",
		"{{range $k, $v := .}}{{if eq $k \"q\"}}{{$v}}{{end}}{{end}}": "ü",
	} {
		got, err := f.prompts(f.recipe("data/q.parquet", template, ""))
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %q, %v", template, got, err)
		}
	}
	for template, want := range map[string]string{
		"{{.nil}}":  `column "nil" is null in data/q.parquet, row 1`,
		"{{.gone}}": `column "gone" is missing in data/q.parquet`,
		"{{.tags}}": "{{.tags}} is a list in data/q.parquet, row 1",
	} {
		_, err := f.prompts(f.recipe("data/q.parquet", template, ""))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", template, err)
		}
	}
}

func TestParquetNaNIsNull(t *testing.T) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{field("f", arrow.PrimitiveTypes.Float64)}, nil))
	b.Field(0).(*array.Float64Builder).AppendValues([]float64{1e21, math.NaN()}, nil)
	f := newFolder(t, map[string]string{"data/q.parquet": parquetOfRecord(t, b.NewRecord(), 10, nil)})
	got, err := f.prompts(f.recipe("data/q.parquet", "{{.f}}", ""))
	if len(got) != 1 || got[0] != "1000000000000000000000" || err == nil || !strings.Contains(err.Error(), "row 2") {
		t.Errorf("%q, %v", got, err)
	}
}

// The same rows from a file, an object, and a packed file, over several row groups and batches.
func TestParquetPlaces(t *testing.T) {
	const n = 3000
	var rows, want strings.Builder
	for i := range n {
		fmt.Fprintf(&rows, `{"q": "question %d", "unused": "%s", "tags": ["a%d"]}`+"\n", i, strings.Repeat("u", 200), i)
		fmt.Fprintf(&want, "question %d a%d\n", i, i)
	}
	s := arrow.NewSchema([]arrow.Field{field("unused", textType), field("q", textType), field("tags", arrow.ListOf(textType))}, nil)
	content := parquetOf(t, s, strings.TrimSpace(rows.String()), 700, nil)
	f := newFolder(t, map[string]string{"data/q.parquet": content, "data/q.parquet.zst": packZstd(content), "data/q.parquet.gz": packGzip(content)})
	objects := store.NewMemory("retort")
	if err := objects.PutNew(context.Background(), "sets/q.parquet", []byte(content)); err != nil {
		t.Fatal(err)
	}
	f.access.Store = objects
	for _, from := range []string{"data/q.parquet", "data/q.parquet.zst", "data/q.parquet.gz", "s3://retort/sets/q.parquet"} {
		got, err := f.prompts(f.recipe(from, "{{.q}} {{index .tags 0}}", ""))
		if err != nil || strings.Join(got, "\n")+"\n" != want.String() {
			t.Errorf("%s: %d prompts, %v", from, len(got), err)
		}
	}
}

func TestParquetObjectThatChangesHoldsTheRun(t *testing.T) {
	ctx := context.Background()
	s := arrow.NewSchema([]arrow.Field{field("q", textType)}, nil)
	f := newFolder(t, nil)
	objects := store.NewMemory("retort")
	if err := objects.PutNew(ctx, "sets/q.parquet", []byte(parquetOf(t, s, `{"q": "a"}`, 10, nil))); err != nil {
		t.Fatal(err)
	}
	f.access.Store = objects
	r := f.recipe("s3://retort/sets/q.parquet", "{{.q}}", "")
	sources, err := f.access.ResolveAll(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := objects.Put(ctx, "sets/q.parquet", []byte(parquetOf(t, s, `{"q": "b"}`, 10, nil))); err != nil {
		t.Fatal(err)
	}
	_, err = collect(ctx, Plan{Recipe: r, Sources: sources, Access: f.access})
	wantChanged(t, err, "s3://retort/sets/q.parquet")
}

func TestLineage(t *testing.T) {
	generation := field("generation", arrow.PrimitiveTypes.Int32)
	plain := arrow.NewSchema([]arrow.Field{field("q", textType)}, nil)
	deep := arrow.NewSchema([]arrow.Field{field("q", textType), generation}, nil)
	shard := arrow.NewSchema([]arrow.Field{field("q", textType), generation, field("origin", textType)}, nil)
	retort := map[string]string{"retort.run": "r1", "retort.generation": "4"}
	const u = schema.UnknownGeneration
	for _, c := range []struct {
		name, declared string
		schema         *arrow.Schema
		row            string
		footer         map[string]string
		origin         string
		generation     int32
	}{
		{"human", "human", plain, `{"q": "a"}`, nil, "human", 0},
		{"human with a column of that name", "human", deep, `{"q": "a", "generation": 3}`, nil, "human", 0},
		{"generated", "generated", plain, `{"q": "a"}`, nil, "generated", u},
		{"generated, column", "generated", deep, `{"q": "a", "generation": 2}`, nil, "generated", 2},
		{"generated, null", "generated", deep, `{"q": "a", "generation": null}`, nil, "generated", u},
		{"generated can't be human", "generated", deep, `{"q": "a", "generation": 0}`, nil, "generated", u},
		{"unknown", "unknown", deep, `{"q": "a", "generation": 2}`, nil, "unknown", u},
		{"shard said to be human", "human", shard, `{"q": "a", "generation": 2, "origin": "generated"}`, retort, "generated", 2},
		{"human row of a shard", "generated", shard, `{"q": "a", "generation": 0, "origin": "human"}`, retort, "human", 0},
		{"shard, unknown", "human", shard, `{"q": "a", "generation": null, "origin": "generated"}`, retort, "generated", u},
		{"shard without columns", "human", plain, `{"q": "a"}`, retort, "generated", 4},
		{"shard, nothing known", "human", plain, `{"q": "a"}`, map[string]string{"retort.run": "r1"}, "unknown", u},
	} {
		f := newFolder(t, map[string]string{"data/q.parquet": parquetOf(t, c.schema, c.row, 10, c.footer)})
		r := f.recipe("data/q.parquet", "{{.q}}", "")
		r.Prompts[0].Origin = c.declared
		sources, err := f.access.ResolveAll(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		prompts, err := collect(context.Background(), Plan{Recipe: r, Sources: sources, Access: f.access})
		if err != nil || prompts[0].Origin != c.origin || prompts[0].Generation != c.generation {
			t.Errorf("%s: %+v, %v", c.name, prompts, err)
		}
	}
}

func TestKeyIsRead(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{field("q", textType), field("id", arrow.PrimitiveTypes.Int64)}, nil)
	f := newFolder(t, map[string]string{"data/q.parquet": parquetOf(t, s, `{"q": "a", "id": 12345678}`+"\n"+`{"q": "b"}`, 10, nil), "data/q.csv": "q\nc\n"})
	r := f.recipe("data/q.csv", "{{.q}}", "anchor: {from: data/h.jsonl, key: id}\n")
	r.Prompts = append(r.Prompts, r.Prompts[0])
	r.Prompts[1].From = "data/q.parquet"
	sources, err := f.access.ResolveAll(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	prompts, err := collect(context.Background(), Plan{Recipe: r, Sources: sources, Access: f.access})
	if err != nil || len(prompts) != 3 || prompts[0].Key != "" || prompts[1].Key != "12345678" || prompts[2].Key != "" {
		t.Errorf("%+v, %v", prompts, err)
	}
}

// A damaged Parquet file gives faults that name it, never a panic, and never ends the process.
func FuzzParquet(f *testing.F) {
	s := arrow.NewSchema([]arrow.Field{field("q", textType), field("l", messageType), field("n", arrow.PrimitiveTypes.Int64)}, nil)
	good := parquetOf(f, s, `{"q": "a", "l": [{"role": "user", "content": "x"}], "n": 1}`+"\n"+`{"q": "b", "l": null, "n": 2}`, 1, map[string]string{"retort.run": "r"})
	f.Add([]byte(good))
	for i := 0; i < len(good); i += 37 {
		bad := []byte(good)
		bad[i] ^= 0x55
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		folder := newFolder(t, map[string]string{"data/q.parquet": string(data)})
		file, err := folder.access.Resolve(context.Background(), folder.recipe("data/q.parquet", "x", ""), "prompts[0].from", "data/q.parquet")
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range folder.access.Rows(context.Background(), file[0], Columns{All: true}) {
			if err != nil && (schema.KindOf(err) != schema.KindInvalid || !strings.Contains(err.Error(), "data/q.parquet")) {
				t.Fatalf("%T %v", err, err)
			}
		}
	})
}
