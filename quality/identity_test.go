package quality

import (
	"os"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// labelled is a sentence of testdata/identity.tsv.
type labelled struct {
	lang, text string
	claims     bool
}

func readLabelled(t testing.TB, file string) []labelled {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := readTable(file, string(b), 3)
	if err != nil {
		t.Fatal(err)
	}
	var all []labelled
	for _, r := range rows {
		all = append(all, labelled{r[0], r[2], r[1] == "1"})
	}
	return all
}

func identityOf(in *Inspector, text string) string {
	got := inspect(in, text)
	for _, f := range got.Findings {
		if f.Check == "identity" {
			return f.Match
		}
	}
	return ""
}

// Precision and recall on 300 sentences that were frozen before the check was tuned.
func TestIdentityOnFrozenSentences(t *testing.T) {
	all := readLabelled(t, "testdata/identity.tsv")
	if len(all) != 300 {
		t.Fatalf("%d sentences, wanted 300", len(all))
	}
	if precision, recall := measureIdentity(t, all); precision < 0.97 || recall < 0.97 {
		t.Errorf("precision %.4f, recall %.4f, wanted 0.97 of both", precision, recall)
	}
}

// Other sentences, written after the patterns: what they don't foresee.
func TestIdentityOnOtherSentences(t *testing.T) {
	all := readLabelled(t, "testdata/identity_more.tsv")
	if precision, recall := measureIdentity(t, all); precision < 0.95 || recall < 0.9 {
		t.Errorf("precision %.4f, recall %.4f", precision, recall)
	}
}

func measureIdentity(t *testing.T, all []labelled) (precision, recall float64) {
	in := inspector(t, schema.Checks{})
	var hit, miss, wrong float64
	for _, s := range all {
		m := identityOf(in, s.text)
		switch {
		case s.claims && m != "":
			hit++
		case s.claims:
			miss++
			t.Logf("missed: %s %s", s.lang, s.text)
		case m != "":
			wrong++
			t.Logf("wrong: %s %s (%s)", s.lang, s.text, m)
		}
	}
	precision, recall = hit/(hit+wrong), hit/(hit+miss)
	t.Logf("precision %.4f, recall %.4f", precision, recall)
	return precision, recall
}

func TestAliasesAreExtended(t *testing.T) {
	const s = "I am Zorkbot, and I was developed by Zork Industries."
	if m := identityOf(inspector(t, schema.Checks{}), s); m != "" {
		t.Fatalf("unknown name found: %s", m)
	}
	in, err := NewInspector(schema.Checks{}, Options{Aliases: "# ours\nmodel\tZorkbot\tzork bot\ncompany\tZork\tzork industries\n"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{s, "I am zork-bot.", "Ich bin Zork Bot.", strings.Repeat("Nothing to see here. ", 20) + s} {
		if identityOf(in, s) == "" {
			t.Errorf("not found: %s", s)
		}
	}
	_, err = NewInspector(schema.Checks{}, Options{Aliases: "robot\tX\tx"})
	if schema.KindOf(err) != schema.KindInvalid {
		t.Errorf("unknown kind: %v", err)
	}
}
