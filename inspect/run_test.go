package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

const (
	fox  = "The quick brown fox jumps over the lazy dog and then runs far away into the dark forest where nobody can ever find it again, not even the hounds of the old king who lived there "
	good = "Reading from a closed channel returns the zero value of its element type at once, so a receiver that needs to know whether anything was sent looks at the second result."
)

// write puts rows into a JSONL file in a new folder.
func write(t testing.TB, name string, rows ...map[string]any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, r := range rows {
		if err := enc.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustRun(t testing.TB, o Options) *Report {
	t.Helper()
	o.Checks = schema.DefaultChecks()
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sample(t testing.TB) string {
	return write(t, "a.jsonl",
		map[string]any{"id": "a", "text": fox + "once.", "n": 1},
		map[string]any{"id": "b", "text": fox + "once."},
		map[string]any{"id": 7, "text": fox + "then."},
		map[string]any{"text": "I'm sorry, but I can't help with that request."},
		map[string]any{"id": "e", "text": "As an AI language model developed by OpenAI, I am ChatGPT and I was trained to help people."},
		map[string]any{"id": "f", "text": nil},
		map[string]any{"id": "g", "text": good},
		map[string]any{"id": "h", "text": good + " It ends here", "finish_reason": "length"})
}

// Every row is counted once, under the first thing that speaks against it, and stands in the file that says so.
func TestRowsAreJudged(t *testing.T) {
	dir := t.TempDir()
	r := mustRun(t, Options{Files: []string{sample(t)}, Pairs: filepath.Join(dir, "pairs.tsv"), Output: filepath.Join(dir, "out")})
	want := map[string]int64{"exact": 1, "near": 1, "refusal": 1, "identity": 1, "empty": 1, "truncated": 1}
	if r.Records != 8 || r.Kept != 2 || !reflect.DeepEqual(r.Rejected, want) {
		t.Errorf("%d rows, %d kept, rejected %v; want 8, 2, %v", r.Records, r.Kept, r.Rejected, want)
	}
	if r.Duplicates != (Duplicates{Exact: 1, Near: 1}) {
		t.Errorf("duplicates %+v", r.Duplicates)
	}
	if r.Gate.Verdict.Verdict != quality.VerdictNoAnchor || r.Held() {
		t.Errorf("verdict %q without an anchor", r.Gate.Verdict.Verdict)
	}
	pairs, err := os.ReadFile(filepath.Join(dir, "pairs.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	// g and h differ by four words of 34: 5-gram sets of 27 and 30 or so, above .8
	if lines := strings.Split(strings.TrimSpace(string(pairs)), "\n"); len(lines) != 4 || lines[0] != "a\tb\t1.000000" || int64(len(lines)) != *r.Pairs {
		t.Errorf("pairs %q, said to be %d", lines, *r.Pairs)
	}
	kept, rejected := readRows(t, dir, "kept"), readRows(t, dir, "rejected")
	if len(kept) != 2 || kept[0]["id"] != "a" || kept[0]["n"] != 1.0 || kept[1]["id"] != "g" {
		t.Errorf("kept %v", kept)
	}
	if len(rejected) != 6 || rejected[1]["reason"] != "near" || rejected[1]["id"] != 7.0 || rejected[1]["rejected"].(map[string]any)["of"] != "a" {
		t.Errorf("rejected %v", rejected)
	}
}

func readRows(t testing.TB, dir, part string) (rows []map[string]any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "out", part, "rows.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// With a prompt column only answers to the same prompt are duplicates; without one, all are.
func TestScopeFollowsThePrompt(t *testing.T) {
	file := write(t, "a.jsonl", map[string]any{"p": "one", "text": fox + "once."}, map[string]any{"p": "two", "text": fox + "once."}, map[string]any{"p": "two", "text": fox + "once."})
	if r := mustRun(t, Options{Files: []string{file}}); r.Duplicates.Exact != 2 {
		t.Errorf("without a prompt: %+v", r.Duplicates)
	}
	if r := mustRun(t, Options{Files: []string{file}, Columns: Columns{Prompt: "p"}}); r.Duplicates.Exact != 1 {
		t.Errorf("with prompts: %+v", r.Duplicates)
	}
}

// Shards of every format are read without a word about their columns.
func TestShards(t *testing.T) {
	for _, format := range []string{schema.FormatMessages, schema.FormatPromptCompletion, schema.FormatText} {
		t.Run(format, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "shard.parquet")
			file, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			w, err := schema.NewShardWriter(file, schema.ShardOptions{Format: format, Run: "r"})
			if err != nil {
				t.Fatal(err)
			}
			for i, text := range []string{good, fox + "once.", fox + "then."} {
				err := w.Write(&schema.Record{ID: fmt.Sprint("r", i), PromptID: "p", Origin: "generated", Messages: []schema.Message{{Role: "user", Content: "Say something."}, {Role: "assistant", Content: text}}})
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			r := mustRun(t, Options{Files: []string{path}, Output: filepath.Join(dir, "out"), Columns: Columns{Prompt: "prompt_id"}})
			if r.Records != 3 || r.Kept != 2 || r.Rejected["near"] != 1 {
				t.Errorf("%+v", r)
			}
			if rows := readRows(t, dir, "rejected"); rows[0]["id"] != "r2" || rows[0]["prompt_id"] != "p" {
				t.Errorf("rejected %v", rows)
			}
		})
	}
}

// What is wrong is said with its file and line, is the person's to mend, and leaves no half result.
func TestFaultsNameTheirPlace(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "b.jsonl")
	if err := os.WriteFile(broken, []byte("{\"text\":\"x\"}\n{\"text\":\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ok := sample(t)
	for name, c := range map[string]struct {
		o    Options
		says string
	}{
		"a row that is no JSON":        {Options{Files: []string{broken}}, "b.jsonl:2"},
		"a text that isn't there":      {Options{Files: []string{write(t, "c.jsonl", map[string]any{"text": "x"}, map[string]any{"x": "y"})}}, "c.jsonl:2:1: has no column text"},
		"a named column":               {Options{Files: []string{ok}, Columns: Columns{Text: "txet"}}, `a.jsonl:1:1: has no column txet`},
		"a key":                        {Options{Files: []string{ok}, Columns: Columns{Key: "nope"}}, `a.jsonl:1:1: has no column "nope"`},
		"a text that is a number":      {Options{Files: []string{write(t, "d.jsonl", map[string]any{"text": 3})}}, "d.jsonl:1:1: column \"text\" holds no text"},
		"a list that isn't messages":   {Options{Files: []string{write(t, "e.jsonl", map[string]any{"messages": []any{1}})}}, "e.jsonl:1:1: column \"messages\""},
		"a file that isn't there":      {Options{Files: []string{ok + "x.jsonl"}}, "there is no such file"},
		"a folder":                     {Options{Files: []string{t.TempDir()}}, "is a folder"},
		"a format":                     {Options{Files: []string{"run_test.go"}}, "is no format"},
		"pairs over an input":          {Options{Files: []string{ok}, Pairs: ok}, "is one of the files to inspect"},
		"pairs without a folder":       {Options{Files: []string{ok}, Pairs: filepath.Join(ok, "p.tsv")}, "there is no such folder"},
		"no rows":                      {Options{Files: []string{write(t, "f.jsonl")}}, "there are no rows"},
		"an anchor of too few texts":   {Options{Files: []string{ok}, Anchor: []string{ok}}, "at least 100 are needed"},
		"an anchor that isn't there":   {Options{Files: []string{ok}, Anchor: []string{"nope.jsonl"}}, "nope.jsonl: there is no such file"},
		"an object of another machine": {Options{Files: []string{"s3://b/k.parquet"}}, "is no local file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.o.Checks, c.o.Output = schema.DefaultChecks(), filepath.Join(dir, "out")
			_, err := Run(context.Background(), c.o)
			if err == nil || !strings.Contains(err.Error(), c.says) || schema.KindOf(err) != schema.KindInvalid {
				t.Errorf("%v (kind %v); want %q", err, schema.KindOf(err), c.says)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "out", "*", "*")); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestFullFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Run(context.Background(), Options{Files: []string{sample(t)}, Checks: schema.DefaultChecks(), Output: dir})
	if schema.KindOf(err) != schema.KindInvalid || !strings.Contains(err.Error(), "not empty") {
		t.Error(err)
	}
}

func TestCancelledEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Options{Files: []string{sample(t)}, Checks: schema.DefaultChecks()}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// texts are n rows of words drawn by a power law, flatter or steeper.
func texts(seed uint64, n int, exponent float64) (rows []map[string]any) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range n {
		words := make([]string, 40+rng.IntN(30))
		for i := range words {
			words[i] = fmt.Sprintf("w%d", min(int(math.Pow(1-rng.Float64(), -1/exponent))-1, 19_999))
		}
		rows = append(rows, map[string]any{"text": strings.Join(words, " ")})
	}
	return rows
}

// Rows like the anchor pass, by both tolerances; rows whose words became commoner are held, where nothing may be worse.
func TestGateHoldsWhatIsNarrower(t *testing.T) {
	anchor := write(t, "anchor.jsonl", texts(1, 1500, 0.7)...)
	same := write(t, "same.jsonl", texts(2, 600, 0.7)...)
	narrow := write(t, "narrow.jsonl", texts(3, 600, 0.9)...)
	for _, c := range []struct {
		file, tolerance, verdict string
	}{{same, schema.ToleranceNone, quality.VerdictPass}, {same, schema.ToleranceWide, quality.VerdictPass}, {narrow, schema.ToleranceNone, quality.VerdictHold}} {
		r := mustRun(t, Options{Files: []string{c.file}, Anchor: []string{anchor}, Tolerance: c.tolerance})
		if r.Gate.Verdict.Verdict != c.verdict || r.Held() != (c.verdict == quality.VerdictHold) || r.Gate.Records != 600 {
			t.Errorf("%s by tolerance %s: %s (%s), %d records", filepath.Base(c.file), c.tolerance, r.Gate.Verdict.Verdict, r.Gate.Text, r.Gate.Records)
		}
		if r.Held() && (r.Gate.AlarmAt == nil || *r.Gate.AlarmAt > 600 || r.Gate.Account == "") {
			t.Errorf("held without saying where: %+v", r.Gate)
		}
		for _, e := range r.Gate.Examples {
			if r.Gate.Texts[e.Number] == "" {
				t.Errorf("no text of example %d", e.Number)
			}
		}
		if r.Held() && len(r.Gate.Examples) == 0 {
			t.Error("held without examples")
		}
		if s := r.Signals[quality.SignalEntropy]; s.Anchor == nil || s.Tolerance == nil {
			t.Errorf("entropy %+v stands alone", s)
		}
	}
}
