package schema

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/parquet/file"
)

// arrowShard writes rejects with Arrow's own file writer, which keeps a row group in memory.
func arrowShard(t *testing.T, rows []Reject, o ShardOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := newShardWriter(new(bytes.Buffer), o, true) // takes rows apart
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abandon()
	root, err := parquetRoot(w.layout.columns)
	if err != nil {
		t.Fatal(err)
	}
	features, err := featuresJSON(w.layout.columns)
	if err != nil {
		t.Fatal(err)
	}
	f := file.NewParquetWriter(&out, root, file.WithWriterProps(writerProperties(leavesOf(w.layout.columns), w.memory)), file.WithWriteMetadata(footerKeys(o, features)))
	var group file.BufferedRowGroupWriter
	for i := range rows {
		row := cleaned(rows[i], w.layout.columns)
		w.noteGeneration(row.Generation)
		full := w.cut.add(w.buffer(&row)) || i == len(rows)-1
		if !full && (i+1)%7 != 0 {
			continue
		}
		if group == nil {
			group = f.AppendBufferedRowGroup()
		}
		for c := range w.batch {
			chunk, err := group.Column(c)
			if err == nil {
				err = w.batch[c].flush(chunk)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if full {
			if err := group.Close(); err != nil {
				t.Fatal(err)
			}
			group = nil
			w.cut.next()
		}
	}
	if err := f.AppendKeyValueMetadata(FooterGeneration, w.generation()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestShardIsWhatArrowWrites: the bytes are those of Arrow's own writer, with a spill and without. So a file whose writing began with
// a build that used it is the same when another one ends it.
func TestShardIsWhatArrowWrites(t *testing.T) {
	rows := make([]Reject, 150)
	for i := range rows {
		rows[i] = Reject{Record: *bigRecord(i), Reason: "near"}
		rows[i].Reasoning = noise(i, 9000)
		rows[i].Signals = []Signal{{Name: fmt.Sprint("s", i%3), Value: float64(i)}}
	}
	for _, format := range shardFormats {
		o := ShardOptions{Format: format, Run: "run", RowGroupBytes: 2 << 20}
		want := arrowShard(t, rows, o)
		for _, spill := range []Spill{nil, &memorySpill{}} {
			var got bytes.Buffer
			o.Spill = spill
			w, err := NewRejectWriter(&got, o)
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				if err := w.Write(&rows[i]); err != nil {
					t.Fatal(err)
				}
				if (i+1)%7 == 0 {
					if err := w.shard.guarded(w.shard.flushBatch); err != nil { // as arrowShard does
						t.Fatal(err)
					}
				}
			}
			stats, err := w.Close()
			if err != nil || stats.Bytes != int64(len(want)) {
				t.Fatalf("%s, spill %T: %d bytes, Arrow's are %d: %v", format, spill, stats.Bytes, len(want), err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s, spill %T: the bytes differ from Arrow's", format, spill)
			}
			if s, ok := spill.(*memorySpill); ok && s.written == 0 {
				t.Error("nothing went through the spill")
			}
		}
	}
}
