package photocopy

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// Equal sets of texts measure the same in any order; two words equally often are one bit apart, and the tail counts rare words alone.
func TestMeasures(t *testing.T) {
	reference := []string{strings.Repeat("often ", 40), "alpha beta gamma delta", "alpha beta"}
	r := newRuler(reference, 1000)
	m := r.measure([]string{"Often, alpha!", "often alpha"})
	if m.Words != 4 || m.Vocabulary != 2 || math.Abs(m.Entropy-1) > 1e-12 || m.Tail != 0.25 {
		t.Errorf("%+v", m)
	}
	if same := r.measure(reference); math.Abs(same.JSD) > 1e-12 {
		t.Errorf("the reference stands %v from itself", same.JSD)
	}
	if other := r.measure([]string{"nothing of this is there at all"}); math.Abs(other.JSD-1) > 1e-12 {
		t.Errorf("a text of other pairs stands %v from the reference, want 1", other.JSD)
	}
	texts := []string{"one two three", "four five", "six", "seven eight nine ten"}
	turned := slices.Clone(texts)
	slices.Reverse(turned)
	small := newRuler(reference, 5)
	if a, b := small.measure(texts), small.measure(turned); a != b || a.Words != 5 {
		t.Errorf("%+v, turned round %+v", a, b)
	}
}

// result has the regimes as they go: one collapses, one declines, one is held, one is steady.
func result() *Result {
	r := &Result{Human: Measures{Entropy: 9, Vocabulary: 5000, Tail: 0.2, JSD: 0.5, Words: 25000}, First: 150}
	for i, regime := range Regimes() {
		s := Series{Regime: regime}
		for n := 1; n <= 3; n++ {
			m := Measures{Entropy: 9 - float64(n), Vocabulary: 4000 / n / (2 - i/2), Tail: 0.1 / float64(n), JSD: 0.6, Words: 25000}
			g := Generation{Number: n, Version: n, Depth: fmt.Sprint(n), Said: m, Published: m, Perplexity: 200 * float64(n)}
			if regime.Fixed && n > 1 {
				g.Published = s.Generations[0].Published
			} else if regime.Gated && n > 1 {
				g.Held, g.Record, g.Reason, g.Version, g.Published = "uni2", 120, "gate", 1, s.Generations[0].Published
			}
			s.Generations = append(s.Generations, g)
		}
		r.Series = append(r.Series, s)
	}
	r.Inspected = []Inspected{{Version: 2, Verdict: "hold", Record: 90, Account: "uni2"}, {Version: 3, Verdict: "pass"}}
	return r
}

// Claims are judged by the figures: each fails when its figure does.
func TestClaims(t *testing.T) {
	fails := func(r *Result) (n int) {
		for _, c := range r.Claims() {
			if !c.Holds {
				n++
			}
		}
		return n
	}
	if r := result(); fails(r) != 0 || len(r.Claims()) != 6 {
		t.Fatalf("%+v", r.Claims())
	}
	for name, spoil := range map[string]func(*Result){
		"the replacement keeps its words": func(r *Result) { r.Series[0].Generations[2].Published.Vocabulary = 1500 },
		"the gated regime loses 8% in a turn": func(r *Result) {
			r.Series[2].Generations[1].Published.Vocabulary = 3680
			r.Series[2].Generations[2].Published.Vocabulary = 3680
		},
		"the gated regime loses entropy": func(r *Result) { r.Series[2].Generations[2].Published.Entropy -= 0.6 },
		"the first generation is held":   func(r *Result) { r.Series[2].Generations[0].Version = 0 },
		"the steady regime is held":      func(r *Result) { r.Series[3].Generations[1].Reason = "gate" },
		"inspect passes generation 2":    func(r *Result) { r.Inspected[0].Verdict = "pass" },
	} {
		r := result()
		if spoil(r); fails(r) != 1 {
			t.Errorf("%s: %d claims fail", name, fails(r))
		}
	}
}

// The page is well-formed, asks nobody for anything, marks what was held, and has the table.
func TestPage(t *testing.T) {
	r := result()
	page := r.Page()
	for _, want := range []string{"held 2 times by uni2", "class=\"held s2\"", "What it shows", "prefers-color-scheme: dark"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"http://", "https://", "<script", "NaN", "Inf", "url("} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	for rest := page; ; {
		from, to := strings.Index(rest, "<svg"), strings.Index(rest, "</svg>")
		if from < 0 {
			break
		}
		d := xml.NewDecoder(strings.NewReader(rest[from : to+len("</svg>")]))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("a drawing isn't well-formed: %v", err)
			}
		}
		rest = rest[to+len("</svg>"):]
	}
	if table := r.Table(); !strings.Contains(table, "held by uni2 at record 120") || strings.Contains(table, "NO ") {
		t.Error(table)
	}
}

// What nobody's student sees is seen by none: questions, human rows and held-out text share nothing.
func TestTextIsDividedOnce(t *testing.T) {
	one, err := ReadText(1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadText(1)
	if err != nil {
		t.Fatal(err)
	}
	if len(one.Held) < 300 || len(one.Rows) < 7*len(one.Held) || !slices.Equal(one.Held, again.Held) {
		t.Fatalf("%d held out of %d", len(one.Held), len(one.Rows)+len(one.Held))
	}
	if err := one.write(t.TempDir(), len(one.Rows)+1); err == nil || !strings.Contains(err.Error(), "ask for fewer") {
		t.Errorf("too many questions: %v", err)
	}
}

// Copies of a real model are measured at the budget of the shortest, and a table of what there is can be printed at any time.
func TestRewrittenTable(t *testing.T) {
	r := &rewriting{texts: [][]string{{"one two three four", "five six"}, {"one one one"}}}
	got := &Rewritten{Model: "m", Copies: []Copy{{Records: 2}, {Number: 1, Records: 1, Before: &Inspected{Verdict: "pass", Pairs: 1, Wealth: 1, Accounts: []Account{{"uni2", 1.5, 0.25}}}}}}
	r.measure(got, []string{"one two three", "four"})
	if got.Budget != 3 || got.Copies[1].Said.Vocabulary != 1 || got.Copies[0].Said.Words != 3 {
		t.Errorf("%+v", got)
	}
	if table := got.Table(); !strings.Contains(table, "pass, 1 pairs, wealth 1; uni2 1.5 (+0.250)") {
		t.Error(table)
	}
	if empty := (&Rewritten{}).Table(); !strings.Contains(empty, "copy") {
		t.Error(empty)
	}
}

// Recipes are what the program accepts.
func TestRecipesParse(t *testing.T) {
	texts := map[string]string{"llm-0": (&rewriting{o: RewriteOptions{Temperature: 0.7, Tokens: 80}}).recipe(0), "llm-1": (&rewriting{o: RewriteOptions{Temperature: 0.7, Tokens: 80}}).recipe(1)}
	for _, r := range Regimes() {
		texts[r.Name] = r.recipe(0.8)
	}
	for name, text := range texts {
		if _, err := schema.ParseRecipe(name+".yaml", []byte(text)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// A copy that says less of what people said, is shorter and names no symbol is seen; one that is as good isn't.
func TestFidelity(t *testing.T) {
	text, err := ReadText(1)
	if err != nil {
		t.Fatal(err)
	}
	f := newFidelity(text)
	var good, same, worse []copied
	for _, r := range text.Rows[:200] {
		good = append(good, copied{Key: r.Key, Text: r.Key + ": " + r.Doc})
		same = append(same, copied{Key: r.Key, Text: r.Doc + " " + r.Key})
		worse = append(worse, copied{Key: r.Key, Text: "It is something that is used."})
	}
	for _, c := range f.compare(good, worse) {
		if c.At == 0 || c.At > 60 || c.Mean <= 0 {
			t.Errorf("worse copies: %+v", c)
		}
	}
	for _, c := range f.compare(good, same) {
		if c.At > 0 || math.Abs(c.Mean) > 0.01 {
			t.Errorf("equal copies: %+v", c)
		}
	}
}
