package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"github.com/klauspost/compress/zstd"

	"github.com/retort-data/retort/schema"
)

// nasty is text that breaks lines in some readers, and terminals.
const nasty = "a\nb\r\u2028c\u2029d\x1b[31m\u0085\u009b\x7f\u202e\u2066 \"\\ 🙂 \ufeff\x00"

// An export has every column of every record, a line each; a line is the JSON whose canonical form the record hash is of; nothing in it steers a
// terminal or splits a line.
func TestExport(t *testing.T) {
	s := newShelf(t)
	s.publish(1, "r1")
	var b bytes.Buffer
	w, err := schema.NewShardWriter(&b, schema.ShardOptions{Format: schema.FormatMessages, Run: "r2"})
	s.must(err)
	rec := s.record("r2", 0)
	rec.Messages[1].Content = nasty
	s.must(w.Write(rec))
	st, err := w.Close()
	s.must(err)
	key := s.d.Shard("test", "r2", 0)
	s.set(key, b.Bytes())
	s.publish(2, "r2", func(m *schema.Manifest) {
		m.Shards = append(m.Shards, schema.Shard{URI: s.d.URI(key), Key: key, Split: "test", Run: "r2", Rows: 1, Bytes: st.Bytes, SHA256: st.SHA256, Root: st.Root})
		m.Counts.Planned, m.Counts.Admitted = 21, 21
	})
	plain, packed := filepath.Join(s.dir, "x.jsonl"), filepath.Join(s.dir, "x.jsonl.zst")
	for _, file := range []string{plain, packed} {
		if out, status := s.do("export", "d@2", "-o", file); status != 0 || !strings.Contains(out, "41 records") {
			t.Fatalf("status %d: %s", status, out)
		}
	}
	text, err := os.ReadFile(plain)
	s.must(err)
	z, err := os.ReadFile(packed)
	s.must(err)
	dec, err := zstd.NewReader(nil)
	s.must(err)
	defer dec.Close()
	if unpacked, err := dec.DecodeAll(z, nil); err != nil || !bytes.Equal(unpacked, text) {
		t.Errorf("the packed export differs: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != 41 {
		t.Fatalf("%d lines", len(lines))
	}
	last := lines[40]
	if printable(last) != last || strings.ContainsAny(last, "\u2028\u2029\u0085\r") {
		t.Errorf("something in it isn't escaped: %q", last)
	}
	canonical, err := jcs.Transform([]byte(last))
	s.must(err)
	hash, err := schema.RecordHash(schema.FormatMessages, rec)
	s.must(err)
	if sha256.Sum256(canonical) != hash {
		t.Error("the line isn't the JSON that the record hash is of")
	}
	var row map[string]any
	s.must(json.Unmarshal([]byte(last), &row))
	if got := row["messages"].([]any)[1].(map[string]any)["content"]; got != nasty {
		t.Errorf("%q", got)
	}
	for _, column := range []string{"id", "messages", "reasoning", "teacher", "generation", "source_license", "signals", "run"} {
		if _, ok := row[column]; !ok {
			t.Errorf("there is no column %s", column)
		}
	}
	if out, status := s.do("export", "d@2", "--split", "test", "-o", "-"); status != 0 || out != last+"\n" {
		t.Errorf("status %d: %q", status, out)
	}
}

// A damaged shard or a split that isn't there leaves no file behind, and a file that was there as it was.
func TestExportLeavesNothingHalf(t *testing.T) {
	s := newShelf(t)
	m := s.publish(1, "r1")
	file := filepath.Join(s.dir, "out", "x.jsonl")
	s.must(os.Mkdir(filepath.Dir(file), 0o700))
	s.must(os.WriteFile(file, []byte("before"), 0o600))
	if out, status := s.do("export", "d", "--split", "dev", "-o", file); status != 2 || !strings.Contains(out, "train") {
		t.Errorf("status %d: %s", status, out)
	}
	body := s.get(m.Shards[1].Key)
	body[100] ^= 1
	s.set(m.Shards[1].Key, body)
	if out, status := s.do("export", "d", "-o", file); status != 1 || !strings.Contains(out, m.Shards[1].Key) {
		t.Errorf("status %d: %s", status, out)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	s.must(err)
	if text, err := os.ReadFile(file); err != nil || string(text) != "before" || len(left) != 1 {
		t.Errorf("%q, %v, %d files", text, err, len(left))
	}
	if _, status := s.do("export", "d", "-o", filepath.Join(s.dir, "nowhere", "x.jsonl")); status != 2 {
		t.Errorf("a folder that isn't there: status %d", status)
	}
}
