package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func swapped(tries, becomes, from, to string) hostileInput {
	return hostileInput{tries: tries, becomes: becomes, swap: [2]string{from, to}}
}

func withFile(tries, becomes, from, name, content string) hostileInput {
	in := hostileInput{tries: tries, becomes: becomes, swap: [2]string{"q.jsonl", from}, files: map[string]string{name: content}}
	if from == "q.jsonl" {
		in.swap = [2]string{}
	}
	return in
}

func hostileRecipes() []hostileInput {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 8), i)
	}
	return []hostileInput{
		{tries: "aliases that grow ninefold ten times (billion laughs)", becomes: "unknown key", recipe: bomb + gentleRecipe},
		swapped("aliases that grow where a list is read", "expected a text", "license: mit\n", "license: mit\nvary:\n  a: &a [x,x,x,x,x,x,x,x,x,x]\n  b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"),
		swapped("an anchor that holds itself", "anchor", "license: mit\n", "license: mit\nvary: {a: &a [*a]}\n"),
		{tries: "a hundred thousand open brackets", becomes: "recipe.yaml", recipe: gentleRecipe + "vary: {a: " + strings.Repeat("[", 100_000) + "\n"},
		swapped("a YAML tag that makes objects elsewhere", "YAML tag", "license: mit\n", "license: !!python/object/apply:os.system [id]\n"),
		{tries: "a recipe of 20 MB", becomes: "recipe.yaml", recipe: gentleRecipe + "description: " + strings.Repeat("x", 20<<20) + "\n"},
		{tries: "two documents in one file", becomes: "document", recipe: gentleRecipe + "---\ndataset: other\n"},
		{tries: "a key twice, the second to win", becomes: "dataset", recipe: gentleRecipe + "dataset: other\n"},
		swapped("a number beyond every type", "samples", "sampling:", "samples: 999999999999999999999999\nsampling:"),
		swapped("a number that is none", "temperature", "max_tokens: 10", "max_tokens: 10, temperature: .nan"),
		swapped("a budget without end", "budget", "sampling:", "budget: {usd: .inf}\nsampling:"),
		swapped("a dataset outside the store's prefix", "leave the store's prefix", "dataset: hostile", "dataset: ../../other"),
		swapped("a dataset among Retort's own files", "underscore", "dataset: hostile", "dataset: hostile/_runs/x"),
		swapped("a dataset with a NUL and a line end", "dataset", "dataset: hostile", `dataset: "hostile\u0000\nx"`),
		swapped("a dataset that isn't allowed", "allow.datasets", "dataset: hostile", "dataset: payroll"),
		swapped("a terminal's orders in a key", "unknown key", "license: mit\n", "license: mit\n\"\\e]0;owned\\a\\e[2J\": 1\n"),
		swapped("an endpoint of its own", "base_url", "{name: t}", `{name: t, base_url: "http://169.254.169.254/latest"}`),
		swapped("a variable of the environment", "api_key_env", "{name: t}", "{name: t, api_key_env: AWS_SECRET_ACCESS_KEY}"),
		swapped("a template that calls for the environment", "env", `"{{.q}}"`, `"{{env \"HOME\"}}"`),
		swapped("a template that calls itself", "messages[0].content", `"{{.q}}"`, `"{{define \"x\"}}{{template \"x\" .}}{{end}}{{template \"x\" .}}"`),
		swapped("a template that writes a gigabyte by one verb", "messages[0].content", `"{{.q}}"`, `"{{printf \"%1000000000d\" 1}}"`),
		swapped("a template whose loops nest", "messages[0].content", `"{{.q}}"`,
			`"{{range .l}}{{range $.l}}{{range $.l}}{{range $.l}}{{range $.l}}{{range $.l}}x{{end}}{{end}}{{end}}{{end}}{{end}}{{end}}"`).with("q.jsonl", `{"q": "x", "l": [`+strings.Repeat("1,", 99)+`1]}`+"\n"),
		swapped("a method called on a value", "messages[0].content", `"{{.q}}"`, `"{{.q.UnmarshalText}}"`),
		swapped("a billion combinations", "vary", "sampling:", "vary: {"+many("a", 9, "[1,2,3,4,5,6,7,8,9,10]")+"}\nsampling:"),
		swapped("a schema of answers from /etc", "allow.paths", "sampling:", "response: {schema: ../../../../../../etc/passwd}\nsampling:"),
		swapped("a schema of answers by URL", "schemas are not fetched", "sampling:", `response: {schema: "http://127.0.0.1:9/x.json"}`+"\nsampling:"),
		swapped("a schema that refers to a file", "response.schema", "sampling:", "response: {schema: s.json}\nsampling:").with("s.json", `{"$ref": "file:///etc/passwd"}`),
		swapped("a schema that refers to a host", "response.schema", "sampling:", "response: {schema: s.json}\nsampling:").with("s.json", `{"properties": {"a": {"$ref": "http://127.0.0.1:9/x"}}}`),
		swapped("a schema with an expression that grows", "response.schema", "sampling:", "response: {schema: s.json}\nsampling:").with("s.json", `{"type": "string", "pattern": "((a{1000}){1000}){1000}"}`),
	}
}

func hostileSources() []hostileInput {
	link := func(to string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "q.jsonl")) //nolint:errcheck // it is there
			if err := os.Symlink(to, filepath.Join(dir, "q.jsonl")); err != nil {
				t.Fatal(err)
			}
		}
	}
	return []hostileInput{
		swapped("a path out of the allowed folder", "allow.paths", "q.jsonl", "../secret.jsonl"),
		swapped("a path out of it and back in by name", "allow.paths", "q.jsonl", "../open/../secret.jsonl"),
		{tries: "a symbolic link out of the allowed folder", becomes: "allow.paths", before: link("../secret.jsonl")},
		{tries: "a symbolic link to a process's environment", becomes: "allow.paths", before: link("/proc/self/environ")},
		{tries: "a pipe that nobody writes to", becomes: "not a regular file", before: func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "q.jsonl")) //nolint:errcheck // it is there
			if err := syscall.Mkfifo(filepath.Join(dir, "q.jsonl"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		swapped("a bucket that isn't allowed", "allow.read", "q.jsonl", "s3://payroll/q.jsonl"),
		swapped("a key that climbs out of the prefix", "has a part . or ..", "q.jsonl", "s3://bucket/p/../other/q.jsonl"),
		swapped("the metadata service of a cloud", "s3://BUCKET/KEY or local paths", "q.jsonl", "http://169.254.169.254/latest/q.jsonl"),
		withFile("a gigabyte in 32 kB of zstd, one line", "more than 16 MiB", "b.jsonl.zst", "b.jsonl.zst", zstdOf(`{"q": "`, 1<<30)),
		withFile("the same by gzip", "more than 16 MiB", "b.jsonl.gz", "b.jsonl.gz", gzipOf(`{"q": "`, 256<<20)),
		withFile("a zstd frame that wants a window of 2 GB", "b.jsonl.zst", "b.jsonl.zst", "b.jsonl.zst", "\x28\xb5\x2f\xfd\x00\xa8"+strings.Repeat("\x00", 40)),
		withFile("zstd cut off", "b.jsonl.zst", "b.jsonl.zst", "b.jsonl.zst", zstdOf(`{"q": "`, 1<<20)[:60]),
		withFile("text that calls itself gzip", "b.csv.gz", "b.csv.gz", "b.csv.gz", "q\nx\n"),
		withFile("a line of 50 MB", "more than 16 MiB", "q.jsonl", "q.jsonl", `{"q": "`+strings.Repeat("a", 50<<20)+"\"}\n"),
		withFile("JSON a million brackets deep", "q.jsonl", "q.jsonl", "q.jsonl", `{"q": `+strings.Repeat("[", 1_000_000)+"\n"),
		withFile("bytes that aren't UTF-8", "UTF-8", "q.jsonl", "q.jsonl", "{\"q\": \"\xff\xfe\"}\n"),
		withFile("a quote in CSV that is never closed", "q.csv", "q.csv", "q.csv", "q\n\""+strings.Repeat("x\n", 1_000_000)),
		withFile("a terminal's orders in a column's name", "column", "q.csv", "q.csv", "\x1b]8;;http://x\x1b\\q,\x1b[31mz\n1,2\n"),
		withFile("Parquet that is its magic alone", "Parquet", "q.parquet", "q.parquet", "PAR1PAR1"),
		withFile("Parquet whose footer is longer than the file", "Parquet", "q.parquet", "q.parquet", "PAR1"+strings.Repeat("x", 100)+"\xff\xff\xff\x7fPAR1"),
		withFile("Parquet whose footer is noise", "Parquet", "q.parquet", "q.parquet", "PAR1"+strings.Repeat("\x15\x04\x19\xfc\xff\xff\xff\xff\x0f", 30)+"\x0e\x01\x00\x00PAR1"),
		withFile("Parquet in gzip that is no Parquet", "Parquet", "q.parquet.gz", "q.parquet.gz", gzipOf("PAR1", 1<<20)),
		swapped("a pattern over everything there is", "allow.paths", "q.jsonl", "/*/*/*.jsonl"),
	}
}

func (in hostileInput) with(name, content string) hostileInput {
	in.files = map[string]string{name: content}
	return in
}

func many(prefix string, n int, value string) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf("%s%d: %s", prefix, i, value))
	}
	return strings.Join(parts, ", ")
}

var zeros = make([]byte, 1<<20)

func zstdOf(head string, n int) string {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	w.Write([]byte(head)) //nolint:errcheck // a bytes.Buffer
	for range n >> 20 {
		w.Write(bytes.ReplaceAll(zeros[:1<<10], zeros[:1], []byte("a"))) //nolint:errcheck // the same
		w.Write(bytes.Repeat([]byte("a"), 1<<20-1<<10))                  //nolint:errcheck // the same
	}
	w.Close() //nolint:errcheck // the same
	return b.String()
}

func gzipOf(head string, n int) string {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	w.Write([]byte(head)) //nolint:errcheck // a bytes.Buffer
	part := bytes.Repeat([]byte("a"), 1<<20)
	for range n >> 20 {
		w.Write(part) //nolint:errcheck // the same
	}
	w.Close() //nolint:errcheck // the same
	return b.String()
}

// Recipes that mean harm are refused with exit 2 and a place, whatever they try, and leave nothing behind.
func TestHostileRecipes(t *testing.T) { refuseAll(t, hostileRecipes()) }

// So are sources.
func TestHostileSources(t *testing.T) { refuseAll(t, hostileSources()) }

func refuseAll(t *testing.T, all []hostileInput) {
	for _, in := range all {
		t.Run(in.tries, func(t *testing.T) {
			text, status, s := checked(t, in)
			if status != exitInvalid || !strings.Contains(text, in.becomes) {
				t.Errorf("exit %d, %.600q", status, text)
			}
			if strings.Contains(text, "canary") || strings.Contains(text, "root:x:") {
				t.Errorf("the message holds what it may not read: %.600s", text)
			}
			if i := strings.IndexFunc(text, steers); i >= 0 {
				t.Errorf("the message steers a terminal at %d: %.200q", i, text[i:])
			}
			if len(text) > 20_000 {
				t.Errorf("a message of %d bytes", len(text))
			}
			for info, err := range s.List(t.Context(), "", "") {
				t.Errorf("left behind: %s, %v", info.Key, err)
			}
		})
	}
}
