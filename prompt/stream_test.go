package prompt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

func packGzip(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s) //nolint:errcheck // to memory
	w.Close()            //nolint:errcheck // to memory
	return b.String()
}

func packZstd(s string) string {
	w, _ := zstd.NewWriter(nil)
	return string(w.EncodeAll([]byte(s), nil))
}

func TestFormats(t *testing.T) {
	const jsonl = "\ufeff{\"q\": \"a\", \"n\": 12345678901234567890}\r\n\r\n{\"q\": \"ü\", \"n\": 1.50}"
	const csv = "\ufeffq,n\r\na,12345678901234567890\r\n\"ü\",1.50\r\n"
	files := map[string]string{"data/a.jsonl": jsonl, "data/a.csv": csv}
	for name, content := range map[string]string{"data/a.jsonl": jsonl, "data/a.csv": csv} {
		files[name+".gz"], files[name+".zst"] = packGzip(content), packZstd(content)
		files[name+".gz.gz"] = "" // not matched below
	}
	f := newFolder(t, files)
	for _, from := range []string{"data/a.jsonl", "data/a.jsonl.gz", "data/a.jsonl.zst", "data/a.csv", "data/a.csv.gz", "data/a.csv.zst"} {
		got, err := f.prompts(f.recipe(from, "{{.q}} {{.n}}", ""))
		if err != nil || strings.Join(got, "|") != "a 12345678901234567890|ü 1.50" {
			t.Errorf("%s: %q, %v", from, got, err)
		}
	}
	f.write("data/t.txt", "\ufeffone\r\n  \r\n two\nthree")
	got, err := f.prompts(f.recipe("data/t.txt", "{{.text}}", ""))
	if err != nil || strings.Join(got, "|") != "one| two|three" {
		t.Errorf("%q, %v", got, err)
	}
}

// prompts renders a recipe's prompts of one message.
func (f *folder) prompts(r *schema.Recipe) ([]string, error) {
	sources, err := f.access.ResolveAll(context.Background(), r)
	if err != nil {
		return nil, err
	}
	prompts, err := collect(context.Background(), Plan{Recipe: r, Sources: sources, Access: f.access})
	var out []string
	for _, p := range prompts {
		out = append(out, p.Messages[0].Content)
	}
	return out, err
}

// What people are told about broken sources; testdata/source_faults.txt holds it.
func TestBrokenSourcesSayWhereAndHow(t *testing.T) {
	long := strings.Repeat("a", 50<<20)
	var out strings.Builder
	for _, c := range []struct{ name, file, content, template, more string }{
		{"empty jsonl", "q.jsonl", "", "{{.q}}", ""},
		{"empty csv", "q.csv", "", "{{.q}}", ""},
		{"csv with a header alone", "q.csv", "q,r\n", "{{.q}}", ""},
		{"blank text", "q.txt", "\n \n\n", "{{.text}}", ""},
		{"invalid UTF-8 in jsonl", "q.jsonl", "{\"q\": \"a\"}\n{\"q\": \"\xff\"}\n", "{{.q}}", ""},
		{"invalid UTF-8 in csv", "q.csv", "q,r\na,b\nc,d\xfe\n", "{{.q}}", ""},
		{"invalid UTF-8 in text", "q.txt", "a\nb\xc3\n", "{{.text}}", ""},
		{"latin-1 header", "q.csv", "fr\xe5ga\n1\n", "{{.q}}", ""},
		{"no JSON", "q.jsonl", "{\"q\": \"a\"}\n{\"q\": 'b'}\n{\"q\": \"a\"}{}\n[1]\n\"q\"\n{\"q\":\n", "{{.q}}", ""},
		{"null", "q.jsonl", "{\"q\": \"a\"}\n{\"q\": null}\n", "{{.q}}", ""},
		{"missing", "q.jsonl", "{\"q\": \"a\"}\n{\"question\": \"b\"}\n", "{{.q}}", ""},
		{"missing csv column", "q.csv", "id,question\n1,a\n", "{{.questoin}}", ""},
		{"csv: too few values", "q.csv", "q,r\na\nb,c\nd,e,f\n", "{{.q}}", ""},
		{"csv: quotes", "q.csv", "q,r\na,b\n\"x\"y,c\n", "{{.q}}", ""},
		{"csv: quote not closed", "q.csv", "q,r\na,\"b\nc,d\n", "{{.q}}", ""},
		{"csv: header twice", "q.csv", "q,q\na,b\n", "{{.q}}", ""},
		{"csv: name missing", "q.csv", "q,\na,b\n", "{{.q}}", ""},
		{"vary against a column", "q.csv", "q,style\na,b\n", "{{.q}} {{.style}}", "vary: {style: [x, y]}\n"},
		{"key missing", "q.csv", "q,r\na,b\n", "{{.q}}", "KEY"},
		{"line of 50 MB", "q.jsonl", "{\"q\": \"a\"}\n{\"q\": \"" + long + "\"}\n", "{{.q}}", ""},
		{"line of 50 MB, packed", "q.txt.gz", packGzip("a\n" + long + "\n"), "{{.text}}", ""},
		{"csv value of 50 MB", "q.csv", "q\na\n\"" + long + "\"\n", "{{.q}}", ""},
		{"blank lines, packed", "q.txt.zst", packZstd("a\n" + strings.Repeat("\n", 50<<20)), "{{.text}}", ""},
		{"no gzip", "q.txt.gz", "plain\n", "{{.text}}", ""},
		{"no zstd", "q.txt.zst", "plain text that is longer\n", "{{.text}}", ""},
		{"cut gzip", "q.txt.gz", packGzip(strings.Repeat("line\n", 100_000))[:200], "{{.text}}", ""},
		{"cut zstd", "q.txt.zst", packZstd(strings.Repeat("line\n", 1000))[:20], "{{.text}}", ""},
		{"no Parquet", "q.parquet", strings.Repeat("not parquet ", 10), "{{.q}}", ""},
		{"empty Parquet", "q.parquet", "", "{{.q}}", ""},
		{"prompt too long", "q.txt", strings.Repeat("a", 2<<20) + "\n", "{{.text}}", ""},
		{"empty prompt", "q.jsonl", "{\"q\": \" \"}\n", "{{.q}}", ""},
	} {
		f := newFolder(t, map[string]string{"data/" + c.file: c.content})
		more := c.more
		if more == "KEY" {
			more = ""
		}
		r := f.recipe("data/"+c.file, c.template, more)
		if c.more == "KEY" { // as if the recipe gave it
			r.Prompts[0].Key, r.Places["prompts[0].key"] = "id", r.Places["prompts[0].license"]
		}
		sources, err := f.access.ResolveAll(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "# %s\n", c.name)
		faults := 0
		for _, err := range Stream(context.Background(), Plan{Recipe: r, Sources: sources, Access: f.access}) {
			if err == nil {
				continue
			}
			if faults++; schema.KindOf(err) != schema.KindInvalid {
				t.Errorf("%s: %T %v", c.name, err, err)
			}
			out.WriteString(f.said(err) + "\n")
		}
		if faults == 0 {
			t.Errorf("%s: no fault", c.name)
		}
		out.WriteString("\n")
	}
	golden(t, "source_faults.txt", []byte(out.String()))
}

func TestVaryAndLimit(t *testing.T) {
	f := newFolder(t, map[string]string{"data/q.txt": "1\n2\n3\n"})
	vary := "vary: {b: [x, y], a: [0.50, true]}\n"
	got, err := f.prompts(f.recipe("data/q.txt", "{{.text}}{{.a}}{{.b}}", vary))
	if want := "10.50x|10.50y|1truex|1truey|20.50x"; err != nil || strings.Join(got[:5], "|") != want || len(got) != 12 {
		t.Errorf("%v %v", got, err)
	}
	r := f.recipe("data/q.txt", "{{.text}}{{.a}}{{.b}}", vary)
	r.Prompts[0].Limit = 2
	if got, err := f.prompts(r); err != nil || len(got) != 8 {
		t.Errorf("limit: %v %v", got, err)
	}
}

func TestVarySampleFollowsTheSeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 6), 1, 4).Draw(t, "sizes")
		v := schema.Vary{Values: map[string][]any{}, Sample: rapid.IntRange(1, 40).Draw(t, "sample")}
		total := 1
		for i, n := range sizes {
			for j := range n {
				name := string(rune('a' + i))
				v.Values[name] = append(v.Values[name], fmt.Sprint(j))
			}
			total *= n
		}
		c := newCombinations(v)
		seed, row := rapid.Uint64().Draw(t, "seed"), rapid.Int64Range(1, 1e9).Draw(t, "row")
		chosen := c.forRow(seed, 0, row)
		if len(chosen) != min(total, v.Sample) || len(chosen) != c.perRow() {
			t.Fatalf("%d of %d, sample %d", len(chosen), total, v.Sample)
		}
		for i, k := range chosen {
			if k < 0 || k >= total || i > 0 && chosen[i-1] >= k {
				t.Fatalf("not rising, or not in range: %v", chosen)
			}
		}
		if again := c.forRow(seed, 0, row); fmt.Sprint(again) != fmt.Sprint(chosen) {
			t.Fatal("another choice for the same seed")
		}
	})
}

// Each combination is drawn about as often as any other.
func TestVarySampleIsEven(t *testing.T) {
	c := newCombinations(schema.Vary{Values: map[string][]any{"a": {1, 2, 3, 4, 5}, "b": {1, 2}}, Sample: 3})
	counts := make([]int, 10)
	for row := range int64(20_000) {
		for _, k := range c.forRow(7, 1, row) {
			counts[k]++
		}
	}
	for k, n := range counts {
		if n < 5700 || n > 6300 { // 6000 ± 4.6 standard deviations of 65
			t.Errorf("combination %d was drawn %d times of 6000 expected", k, n)
		}
	}
}

// The same recipe, sources and seed give the same prompts, byte for byte; the digest is that of the first release.
func TestStreamIsTheSameByteForByte(t *testing.T) {
	f := newFolder(t, map[string]string{"data/1.jsonl": `{"q": "a", "l": [1, 2.50], "o": {"z": 1, "b": null}}` + "\n" + `{"q": "b", "l": [], "o": {}}`, "data/2.csv": "q,l,o\nc,d,e\n", "data/3.txt": "x\n"})
	more := "vary: {style: [p, q, r, s], n: [1, 2, 3], sample: 5}\nseed: 9\n"
	r := f.recipe("data/1.jsonl", "{{.q}} {{json .o}} {{.style}} {{.n}}", more)
	r.Prompts = append(r.Prompts, schema.Source{From: "data/2.csv", License: "mit", Origin: schema.OriginHuman, Key: "q"})
	want := ""
	for range 3 {
		sources, err := f.access.ResolveAll(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		prompts, err := collect(context.Background(), Plan{Recipe: r, Sources: sources, Access: f.access})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := json.MarshalIndent(prompts, "", " ")
		if want == "" {
			want = string(got)
			golden(t, "stream.json", append(got, '\n'))
		}
		if sum := sha256.Sum256(got); string(got) != want {
			t.Errorf("another plan: %s", hex.EncodeToString(sum[:]))
		}
	}
}

// Memory doesn't grow with the number of prompts: 200,000 rows pass through while the heap stays small.
func TestStreamHoldsLittle(t *testing.T) {
	var b strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&b, "{\"q\": \"question %d %s\"}\n", i, strings.Repeat("x", 200))
	}
	f := newFolder(t, map[string]string{"data/q.jsonl": b.String()})
	b.Reset()
	r := f.recipe("data/q.jsonl", "{{.q}}", "")
	sources, err := f.access.ResolveAll(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	var first, last runtime.MemStats
	n := 0
	for _, err := range Stream(context.Background(), Plan{Recipe: r, Sources: sources, Access: f.access}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 20_000 {
			runtime.GC()
			runtime.ReadMemStats(&first)
		}
		if n == 199_000 {
			runtime.GC()
			runtime.ReadMemStats(&last)
		}
	}
	if n != 200_000 || last.HeapAlloc > first.HeapAlloc+4<<20 {
		t.Errorf("%d prompts; heap %d, then %d", n, first.HeapAlloc, last.HeapAlloc)
	}
}

func TestStreamStopsWithTheContext(t *testing.T) {
	f := newFolder(t, map[string]string{"data/q.txt": strings.Repeat("a\n", 500_000)})
	r := f.recipe("data/q.txt", "{{.text}}", "")
	sources, err := f.access.ResolveAll(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var n int
	var last error
	for _, err := range Stream(ctx, Plan{Recipe: r, Sources: sources, Access: f.access}) {
		if n++; n == 10 {
			cancel()
		}
		last = err
	}
	if last != context.Canceled || n > 400_000 {
		t.Errorf("%d prompts, then %v", n, last)
	}
}

func FuzzJSONL(f *testing.F) {
	f.Add([]byte("{\"q\": \"a\"}\n{\"n\": 1e400}\r\n\n{}"))
	f.Add([]byte("\xef\xbb\xbf{\"a\": [1, {\"b\": null}]}\nnull\n"))
	f.Fuzz(func(t *testing.T, data []byte) { readAll(t, data, readJSONL) })
}

func FuzzText(f *testing.F) {
	f.Add([]byte("a\r\nb\n\n\xff"))
	f.Fuzz(func(t *testing.T, data []byte) { readAll(t, data, readText) })
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("q,r\n\"a\"\"b\",c\n"))
	f.Add([]byte("q,r\na\n\"x\ny\",z\n\"bad\"x,y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		readAll(t, data, func(file string, r io.Reader, yield func(Row, error) bool) { readCSV(file, r, nil, yield) })
	})
}

// readAll holds what every reader promises: an error is a fault with the file's name, a row has valid text and a place, places rise,
// and reading ends.
func readAll(t *testing.T, data []byte, read func(string, io.Reader, func(Row, error) bool)) {
	last, n := int64(0), 0
	read("q", bytes.NewReader(data), func(row Row, err error) bool {
		if n++; n > len(data)+2 {
			t.Fatal("more rows than bytes")
		}
		if err != nil {
			if schema.KindOf(err) != schema.KindInvalid || !strings.HasPrefix(err.Error(), "q:") {
				t.Fatalf("%T %v", err, err)
			}
			return true
		}
		if row.Line <= last {
			t.Fatalf("line %d after %d", row.Line, last)
		}
		last = row.Line
		if _, err := json.Marshal(row.Columns); err != nil {
			t.Fatal(err)
		}
		return true
	})
}

// A local file that was uploaded with its run is read by the name that it had.
func TestUploadedFilesKeepTheirNames(t *testing.T) {
	ctx := context.Background()
	f := newFolder(t, map[string]string{"data/q.jsonl.gz": packGzip("{\"q\": \"a\"}\n{\"q\": null}\n")})
	r := f.recipe("data/q.jsonl.gz", "{{.q}}", "")
	sources, err := f.access.ResolveAll(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	local := sources[0].Files[0]
	body, err := os.ReadFile(local.Key)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(body); LocalSHA256(local) != hex.EncodeToString(sum[:]) || !IsLocal(local) || local.Bytes != int64(len(body)) {
		t.Errorf("pinned as %+v", local)
	}
	objects := store.NewMemory("retort")
	key := "sets/a/_runs/r/" + LocalSHA256(local)
	if err := objects.PutNew(ctx, key, body); err != nil {
		t.Fatal(err)
	}
	info, err := objects.Head(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	sources[0].Files[0] = schema.PinnedFile{Name: local.Name, Bucket: "retort", Key: key, ETag: info.ETag, Bytes: info.Size}
	worker := &Access{Config: &schema.Config{Store: schema.StoreConfig{Bucket: "retort"}}, Store: objects}
	prompts, err := collect(ctx, Plan{Recipe: r, Sources: sources, Access: worker})
	if len(prompts) != 1 || prompts[0].Source != "data/q.jsonl.gz" || err == nil || !strings.Contains(err.Error(), "data/q.jsonl.gz:2") {
		t.Errorf("%+v, %v", prompts, err)
	}
}

// BenchmarkStream reports what a row of about 250 bytes costs, from JSONL to a rendered prompt with its id.
func BenchmarkStream(b *testing.B) {
	var text strings.Builder
	const rows = 20_000
	for i := range rows {
		fmt.Fprintf(&text, "{\"question\": \"question %d %s\", \"id\": %d}\n", i, strings.Repeat("word ", 40), i)
	}
	f := newFolder(b, map[string]string{"data/q.jsonl": text.String()})
	r := f.recipe("data/q.jsonl", "Answer briefly: {{.question}}", "")
	sources, err := f.access.ResolveAll(context.Background(), r)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := collect(context.Background(), Plan{Recipe: r, Sources: sources, Access: f.access}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/prompt")
}
