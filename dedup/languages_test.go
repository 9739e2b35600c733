package dedup

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// corpora are in testdata/languages: a paragraph each, written for this test, then variants of it. A line starts with
// "same" (the same text to a reader: near-duplicate), "other" (about the same thing in other words: none) or "text".
func TestLanguages(t *testing.T) {
	files, err := os.ReadDir("testdata/languages")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d corpora: %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(f.Name(), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile("testdata/languages/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			checkCorpus(t, string(b))
		})
	}
}

func checkCorpus(t *testing.T, corpus string) {
	var text Sketch
	same, other := 0, 0
	for part := range strings.SplitSeq(corpus, "\n---- ") {
		what, body, _ := strings.Cut(part, "\n")
		s := sketchOf(t, body)
		switch j := Jaccard(text.Set, s.Set); strings.TrimPrefix(what, "---- ") {
		case "text":
			text = s
			if len(s.Set) < 30 {
				t.Errorf("%d shingles", len(s.Set))
			}
		case "same":
			same++
			if j < .8 || !shareBand(text, s) {
				t.Errorf("J = %.2f of what is the same:\n%s", j, body)
			}
		case "other":
			other++
			if j >= .5 {
				t.Errorf("J = %.2f of what is not:\n%s", j, body)
			}
		default:
			t.Errorf("what is %q?", what)
		}
	}
	if same == 0 || other == 0 {
		t.Errorf("%d same, %d other", same, other)
	}
}

func shareBand(a, b Sketch) bool {
	for i, k := range a.Bands {
		if b.Bands[i] == k {
			return true
		}
	}
	return false
}

func TestFullWidthAndHalfWidthAreTheSame(t *testing.T) {
	a, b := sketchOf(t, "ｶﾞｲﾄﾞの ＡＢＣ１２３ を読む"), sketchOf(t, "ガイドの abc123 を読む")
	if a.Exact != b.Exact || !slices.Equal(a.Set, b.Set) {
		t.Error("they differ")
	}
}

func TestOperatorsCountInCode(t *testing.T) {
	code := "```go\nfunc less(a, b int) bool {\n\treturn a %s b\n}\n```"
	a, b := sketchOf(t, strings.Replace(code, "%s", "<", 1)), sketchOf(t, strings.Replace(code, "%s", "<=", 1))
	if j := Jaccard(a.Set, b.Set); j >= .8 {
		t.Errorf("< and <= are the same: J = %.2f", j)
	}
	indented := strings.ReplaceAll(strings.Replace(code, "%s", "<", 1), "\t", "    ")
	if c := sketchOf(t, indented); c.Exact != a.Exact || !slices.Equal(c.Set, a.Set) {
		t.Error("indentation counts")
	}
}
