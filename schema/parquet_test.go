package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var shardFormats = []string{FormatMessages, FormatPromptCompletion, FormatText}

// anyText draws what teachers write: white space, quotes, controls, emoji and now and then invalid UTF-8.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"", "plain", "\x00", "a\xffb", "\xed\xa0\x80", "\"\\\b\f\n\r\t\u001f", "é\u2028😀", strings.Repeat("long ", 3000)}),
	)
}

func anyFloat() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1e21, 1e-7, math.NaN(), math.Inf(1), 0.1}))
}

func anyReject(t *rapid.T) Reject {
	text := func(name string) string { return anyText().Draw(t, name) }
	r := Reject{
		Record: Record{
			ID: text("id"), Reasoning: text("reasoning"), Teacher: text("teacher"), Model: text("model"), Revision: text("revision"),
			Generation: rapid.Int32Min(-1).Draw(t, "generation"), Origin: text("origin"), Source: text("source"),
			SourceLicense: text("license"), PromptID: text("prompt"), RequestID: text("request"), FinishReason: text("finish"),
			InputTokens: rapid.Int64().Draw(t, "input"), OutputTokens: rapid.Int64().Draw(t, "output"),
			ClusterSize: rapid.Int32().Draw(t, "cluster"), Run: text("run"),
		},
		Reason: text("reason"), Signal: text("signal"), Of: text("of"), Text: text("match"),
		Value: anyFloat().Draw(t, "value"), Limit: anyFloat().Draw(t, "limit"),
	}
	for range rapid.IntRange(0, 4).Draw(t, "messages") {
		r.Messages = append(r.Messages, Message{Role: text("role"), Content: text("content")})
	}
	for range rapid.IntRange(0, 4).Draw(t, "signals") {
		r.Signals = append(r.Signals, Signal{Name: text("name"), Value: anyFloat().Draw(t, "signal value")})
	}
	return r
}

// TestRejectsComeBack writes any rejects in any format and reads them: every column, every hash and the root are
// those of what was written.
func TestRejectsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom(shardFormats).Draw(t, "format")
		rows := make([]Reject, rapid.IntRange(0, 20).Draw(t, "rows"))
		var out bytes.Buffer
		w, err := NewRejectWriter(&out, ShardOptions{Format: format, Run: "r", RowGroupBytes: rapid.Int64Range(1, 50_000).Draw(t, "group")})
		if err != nil {
			t.Fatal(err)
		}
		tree := NewTree()
		for i := range rows {
			rows[i] = anyReject(t)
			if err := w.Write(&rows[i]); err != nil {
				t.Fatal(err)
			}
			hash, err := RejectHash(format, &rows[i])
			if err != nil {
				t.Fatal(err)
			}
			tree.Append(hash)
		}
		stats, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%x", tree.Root()); stats.Root != want || stats.Rows != int64(len(rows)) || stats.Bytes != int64(out.Len()) {
			t.Fatalf("stats %+v, want root %s of %d rows and %d bytes", stats, want, len(rows), out.Len())
		}
		i := 0
		for got, err := range ReadRejects(bytes.NewReader(out.Bytes()), int64(out.Len())) {
			if err != nil {
				t.Fatal(err)
			}
			wrote, _ := RejectHash(format, &rows[i])
			read, _ := RejectHash(format, got)
			if wrote != read {
				t.Fatalf("row %d has another hash when read: %#v", i, got)
			}
			if diff := cmp.Diff(asRead(format, rows[i]), *got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("row %d (-wrote +read):\n%s", i, diff)
			}
			i++
		}
		if i != len(rows) {
			t.Fatalf("read %d rows of %d", i, len(rows))
		}
	})
}

// asRead is what the format keeps of a row.
func asRead(format string, r Reject) Reject {
	layout, _ := layoutFor(format, true)
	want := cleaned(r, layout.columns)
	for _, f := range []*float64{&want.Value, &want.Limit} {
		if !finite(*f) {
			*f = math.NaN()
		}
	}
	if format == FormatText {
		var parts []string
		for _, m := range want.Messages {
			parts = append(parts, m.Content)
		}
		want.Messages = nil
		if text := strings.Join(parts, "\n\n"); text != "" {
			want.Messages = []Message{{Content: text}}
		}
	}
	return want
}

func sampleRecord(i int) *Record {
	return &Record{
		ID: fmt.Sprintf("%032x", i), Messages: []Message{{"system", "Be plain."}, {"user", fmt.Sprint("What is ", i, "?")}, {"assistant", strings.Repeat(fmt.Sprint("It is ", i, ". "), 1+i%7)}},
		Teacher: "qwen", Model: "qwen3", Generation: int32(i % 3), Origin: OriginGenerated, Source: "questions.jsonl", SourceLicense: "cc-by-4.0",
		PromptID: fmt.Sprintf("%032x", i/2), RequestID: fmt.Sprintf("%032x", i), FinishReason: FinishStop, InputTokens: 12, OutputTokens: int64(i),
		Signals: []Signal{{"words", float64(i)}, {"compression", 1.5}}, ClusterSize: 1, Run: "run-1",
	}
}

func writeSample(t testing.TB, format string, rows int, o ShardOptions) ([]byte, ShardStats) {
	t.Helper()
	var out bytes.Buffer
	o.Format, o.Run = format, "run-1"
	w, err := NewShardWriter(&out, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := w.Write(sampleRecord(i)); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), stats
}

func TestShardOfRecordsComesBack(t *testing.T) {
	shard, stats := writeSample(t, FormatMessages, 2000, ShardOptions{RowGroupBytes: 100_000})
	i := 0
	for got, err := range ReadRecords(bytes.NewReader(shard), int64(len(shard))) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sampleRecord(i), got); diff != "" {
			t.Fatalf("record %d: %s", i, diff)
		}
		i++
	}
	if int64(i) != stats.Rows {
		t.Errorf("read %d records, wrote %d", i, stats.Rows)
	}
}

func TestFooterNamesRunGenerationFormatAndFeatures(t *testing.T) {
	shard, _ := writeSample(t, FormatPromptCompletion, 10, ShardOptions{})
	footer, err := ReadFooter(bytes.NewReader(shard), int64(len(shard)))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{FooterRun: "run-1", FooterGeneration: "2", FooterFormat: FormatPromptCompletion} {
		if footer.Keys[key] != want {
			t.Errorf("%s is %q, want %q", key, footer.Keys[key], want)
		}
	}
	var features struct {
		Info struct{ Features map[string]any }
	}
	if err := json.Unmarshal([]byte(footer.Keys[FooterHuggingFace]), &features); err != nil {
		t.Fatal(err)
	}
	layout, _ := layoutFor(FormatPromptCompletion, false)
	if len(features.Info.Features) != len(layout.columns) {
		t.Errorf("%d features for %d columns", len(features.Info.Features), len(layout.columns))
	}
	if footer.Format != FormatPromptCompletion || footer.Rejects || footer.Rows != 10 {
		t.Errorf("footer %+v", footer)
	}
}

func TestUnknownGenerationIsSaidInTheFooter(t *testing.T) {
	var out bytes.Buffer
	w, err := NewShardWriter(&out, ShardOptions{Format: FormatMessages})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []int32{3, UnknownGeneration} {
		if err := w.Write(&Record{ID: "a", Generation: g}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	footer, err := ReadFooter(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil || footer.Keys[FooterGeneration] != "unknown" {
		t.Errorf("%v, %v", footer, err)
	}
}

func TestRowGroupsAreEven(t *testing.T) {
	const rows = 5000
	plain, _ := writeSample(t, FormatMessages, rows, ShardOptions{RowGroupBytes: 400_000})
	known, _ := writeSample(t, FormatMessages, rows, ShardOptions{RowGroupBytes: 400_000, Rows: rows, RowBytes: 1_900_000})
	for name, shard := range map[string][]byte{"unknown size": plain, "known size": known} {
		footer, err := ReadFooter(bytes.NewReader(shard), int64(len(shard)))
		if err != nil {
			t.Fatal(err)
		}
		groups := footer.RowGroups
		if len(groups) < 4 {
			t.Fatalf("%s: row groups of %v rows", name, groups)
		}
		last := len(groups) - 1
		for _, n := range groups[:last] {
			if n != groups[0] {
				t.Errorf("%s: row groups of %v rows are not even", name, groups)
			}
		}
		if name == "known size" && groups[0]-groups[last] > int64(len(groups)) {
			t.Errorf("%s: the last of the row groups %v is short", name, groups)
		}
	}
}

func TestRowGroupsStayBelowTheirBytes(t *testing.T) {
	var out bytes.Buffer
	w, err := NewShardWriter(&out, ShardOptions{Format: FormatMessages, RowGroupBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 { // short records first: their number would let long ones grow without bound
		n := 10
		if i > 2000 {
			n = 10_000
		}
		if err := w.Write(&Record{ID: fmt.Sprint(i), Messages: []Message{{"assistant", strings.Repeat("x", n)}}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	footer, _ := ReadFooter(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if n := len(footer.RowGroups); n < 7 {
		t.Errorf("10 MB in %d row groups of at most 1.5 MB: %v", n, footer.RowGroups)
	}
}

// failingWriter fails after so many bytes, as a network does.
type failingWriter struct{ left int }

func (f *failingWriter) Write(b []byte) (int, error) {
	if len(b) > f.left {
		n := f.left
		f.left = 0
		return n, errors.New("the network is gone")
	}
	f.left -= len(b)
	return len(b), nil
}

func TestWriterReportsTheSinksError(t *testing.T) {
	shard, _ := writeSample(t, FormatMessages, 300, ShardOptions{RowGroupBytes: 30_000})
	for left := 0; left < len(shard); left += 1 + len(shard)/300 {
		w, err := NewShardWriter(&failingWriter{left}, ShardOptions{Format: FormatMessages, Run: "run-1", RowGroupBytes: 30_000})
		for i := 0; err == nil && i < 300; i++ {
			err = w.Write(sampleRecord(i))
		}
		if err == nil {
			_, err = w.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "the network is gone") {
			t.Fatalf("after %d of %d bytes: %v", left, len(shard), err)
		}
	}
}

func TestUnknownFormatIsRefused(t *testing.T) {
	_, err := NewShardWriter(&bytes.Buffer{}, ShardOptions{Format: "csv"})
	if KindOf(err) != KindInvalid || !strings.Contains(err.Error(), `"csv"`) {
		t.Errorf("%v", err)
	}
}

func TestRejectsAreNotAShard(t *testing.T) {
	shard, _ := writeSample(t, FormatMessages, 3, ShardOptions{})
	for _, err := range ReadRejects(bytes.NewReader(shard), int64(len(shard))) {
		if err == nil {
			t.Fatal("read a reject from a shard")
		}
	}
}
