package godocs

import (
	"bytes"
	"strings"
	"testing"
)

func TestReadIsDeterministicAndUnique(t *testing.T) {
	first, second := read(t, 20), read(t, 20)
	var a, b bytes.Buffer
	if err := Write(&a, first); err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two readings of the same source differ")
	}
	if lines := bytes.Count(a.Bytes(), []byte("\n")); lines != len(first) {
		t.Errorf("%d lines for %d rows", lines, len(first))
	}
	seen := map[string]bool{}
	for _, r := range first {
		if seen[r.Key] {
			t.Errorf("key %s occurs twice", r.Key)
		}
		seen[r.Key] = true
		if r.Words < 20 || len(strings.Fields(r.Doc)) != r.Words {
			t.Errorf("%s: %d words, said to be %d", r.Key, len(strings.Fields(r.Doc)), r.Words)
		}
	}
	if len(first) < 3000 {
		t.Errorf("only %d documented symbols of 20 words and more", len(first))
	}
}

func TestQuestionsNameTheSymbol(t *testing.T) {
	want := map[string]string{
		"net/http":                  "What is Go's package net/http for?",
		"strings.Cut":               "What does strings.Cut do?",
		"net/http.Get":              "What does http.Get from net/http do?",
		"bytes.Buffer":              "What is the Go type bytes.Buffer?",
		"bytes.Buffer.WriteTo":      "What does the method bytes.Buffer.WriteTo do?",
		"io.Reader.Read":            "",
		"net/http.Client.Timeout":   "What is the field http.Client.Timeout from net/http for?",
		"io.EOF":                    "What is the variable io.EOF?",
		"os.O_RDONLY+7":             "What are os.O_RDONLY, os.O_WRONLY and the other constants declared with them?",
		"text/template.Template":    "What is the Go type template.Template from text/template?",
		"math/rand/v2.N":            "What does rand.N from math/rand/v2 do?",
		"encoding/json.NewDecoder":  "What does json.NewDecoder from encoding/json do?",
		"internal/abi":              "",
		"cmd/go":                    "",
		"vendor/golang.org/x/net":   "",
		"net/http/internal.Chunked": "",
	}
	got := map[string]string{}
	for _, r := range read(t, 0) {
		got[r.Key] = r.Question
	}
	for key, question := range want {
		if got[key] != question {
			t.Errorf("%s: question %q, want %q", key, got[key], question)
		}
	}
}

func TestSampleKeepsOrderAndSeed(t *testing.T) {
	rows := read(t, 20)
	a, b, c := Sample(rows, 100, 1), Sample(rows, 100, 1), Sample(rows, 100, 2)
	if len(a) != 100 {
		t.Fatalf("%d rows, want 100", len(a))
	}
	differs := false
	for i := range a {
		if a[i].Key != b[i].Key {
			t.Fatalf("row %d: the same seed chose %s and %s", i, a[i].Key, b[i].Key)
		}
		if i > 0 && a[i].Key <= a[i-1].Key {
			t.Fatalf("row %d is out of order: %s after %s", i, a[i].Key, a[i-1].Key)
		}
		differs = differs || a[i].Key != c[i].Key
	}
	if !differs {
		t.Error("another seed chose the same rows")
	}
	if n := len(Sample(rows, len(rows)+1, 1)); n != len(rows) {
		t.Errorf("more than there are: %d, want %d", n, len(rows))
	}
}

func TestReadSaysWhatIsMissing(t *testing.T) {
	if _, err := Read(t.TempDir(), 0); err == nil || !strings.Contains(err.Error(), "documentation in") {
		t.Errorf("a root without source: %v", err)
	}
}

func read(t *testing.T, minWords int) []Row {
	t.Helper()
	rows, err := Read("", minWords)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
