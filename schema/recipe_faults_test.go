package schema

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// with is shortRecipe with text replaced, or added at its end where old is empty.
func with(old, replacement string) string {
	if old == "" {
		return shortRecipe + replacement
	}
	return strings.Replace(shortRecipe, old, replacement, 1)
}

// brokenRecipes are what people get wrong; testdata/recipe_faults.txt holds what they are told.
var brokenRecipes = []struct{ name, yaml string }{
	{"empty file", ""},
	{"comment alone", "# nothing yet\n"},
	{"no mapping", "- dataset: a\n"},
	{"two documents", shortRecipe + "---\n" + shortRecipe},
	{"syntax: bracket", with("", "budget: {usd: 1\nrows: 2\n")},
	{"syntax: tab", with("", "mix:\n\thuman: 0.1\n")},
	{"syntax: template without quotes", with(`"{{.text}}"`, `{{.text}}`)},
	{"invalid UTF-8", with("dataset: a", "dataset: a\xff")},
	{"control character", with("dataset: a", "dataset: a\x00")},
	{"required keys", "description: x\n"},
	{"unknown key, near", with("", "sample: 2\nbudgets: {usd: 1}\n")},
	{"unknown key, elsewhere", with("", "temperature: 0.5\n")},
	{"unknown key, far", with("name: t}", "name: t, zebra: 1}")},
	{"unknown check", with("", "checks: {nearr: off, length: {minimum: 3}}\n")},
	{"duplicate key", with("", "seed: 1\nrows: 2\nseed: 3\n")},
	{"wrong types", with("", "samples: two\nrows: 2.5\nseed: -1\nvary: [a]\nsampling: {temperature: hot, stop: END}\ndescription: 7\nmix: {human: [0.1]}\n")},
	{"out of range", with("", "samples: 1001\nfailed: 1.5\nmax_generation: -1\nsampling: {temperature: 3, top_p: 0}\nmix: {human: 1}\nbudget: {usd: 0, requests: 0}\noutput: {shard_mb: 0}\n")},
	{"not a number", with("", "failed: .nan\nmix: {human: .inf}\n")},
	{"negative weight", with("name: t", "name: t, weight: -1")},
	{"zero weight", with("name: t", "name: t, weight: 0")},
	{"teacher twice", with("{name: t}", "{name: t}, {name: t}")},
	{"endpoint and key in a recipe", with("{name: t}", "{name: t, base_url: 'https://x.example/v1', api_key: sk-canary}") + "api_key_env: HOME\nstore: {bucket: b}\n"},
	{"dataset leaves its prefix", with("dataset: a", "dataset: ../other")},
	{"dataset with underscore", with("dataset: a", "dataset: team/_versions")},
	{"dataset with capitals", with("dataset: a", "dataset: My Answers")},
	{"dataset is a number", with("dataset: a", "dataset: 2026")},
	{"license missing", with(", license: mit", "")},
	{"source extension", with("q.txt", "q.docx")},
	{"source scheme", with("q.txt", "https://x.example/q.jsonl")},
	{"bucket glob", with("q.txt", "s3://*/q.jsonl")},
	{"no messages", with(`[{role: user, content: "{{.text}}"}]`, "[]")},
	{"last message", with(`{role: user, content: "{{.text}}"}`, `{role: user, content: a}, {role: assistant, content: b}`)},
	{"roles", with(`{role: user`, `{role: user, content: a}, {role: user, content: b}, {role: system, content: x}, {role: usr`)},
	{"template: unclosed", with("{{.text}}", "{{.text")},
	{"template: functions", with("{{.text}}", "{{printf .text}} {{lowr .text}} {{text}}")},
	{"template: define", with("{{.text}}", `{{define 'x'}}a{{end}}`)},
	{"template: recursion in a block", with(`[{role: user, content: "{{.text}}"}]`, "\n  - role: user\n    content: |\n      Text:\n        {{block \"x\" .}}{{template \"x\" .}}{{end}}\n      {{call .f}}\n")},
	{"template: endless range", with("{{.text}}", "{{range 1000000000}}{{end}}")},
	{"template: ranges nested", with("{{.text}}", "{{range .a}}{{range .}}{{range .}}{{range .}}x{{end}}{{end}}{{end}}{{end}}")},
	{"vary", with("", "vary: {style: [], 2nd: [a], tone: [{a: 1}, null], size: 3, sample: 0}\n")},
	{"vary explodes", with("", "vary: {a: [1,2,3,4,5,6,7,8,9,0], b: [1,2,3,4,5,6,7,8,9,0], c: [1,2,3,4,5,6,7,8,9,0], d: [1,2,3,4,5,6,7,8,9,0], e: [1,2,3,4,5,6,7,8,9,0], f: [1, 2]}\n")},
	{"checks", with("", "checks: {near: maybe, exact: {do: of}, language: drop, length: {min: 9, max: 3}, contamination: drop, schema: drop, echo: false, quality: {limits: {words: many}}}\n")},
	{"jaccard", with("", "checks: {near: {jaccard: 80}}\n")},
	{"splits", with("", "output: {splits: {test: 0.3, dev: 0.3, train: 0.1}, format: chat}\n")},
	{"gate", with("", "gate: {false_alarm: 0, tolerance: 1, expires: 7}\n")},
	{"schedule", with("", "schedule: {cron: '0 2 * *', timezone: Berlin}\n")},
	{"schedule, range", with("", "schedule: {cron: '61 2 * * *', timezone: Local, overlap: kill}\n")},
	{"mix without anchor", with("", "mix: {human: 0.1}\n")},
	{"anchor of nothing", with("", "anchor: {text: answer}\n")},
	{"key without value", with("", "rows:\nanchor:\n")},
	{"alias without anchor", with("", "mix: *m\n")},
	{"alias in itself", with("", "output: &o {splits: *o}\n")},
	{"tag", with("", "rows: !!int \"3\"\n")},
	{"merge key", with("", "budget: &b {usd: 1}\nmix: {<<: *b}\n")},
	{"complex key", with("", "? [a, b]\n: 1\n")},
	{"nested too deeply", with("", "vary: "+strings.Repeat("[", 1000))},
	{"dashes", with("", "vary:\n  a:\n    "+strings.Repeat("- ", 1000)+"1\n")},
	{"long flow list", with("", "vary: {a: ["+strings.Repeat("1,", 20_000)+"1]}\n")},
	{"many lines", with("", strings.Repeat("\n", 30_000))},
	{"hundreds of faults", with("", strings.Repeat("x: 1\n", 300))},
	{"too large", shortRecipe + strings.Repeat("# padding\n", 30_000)},
}

func TestBrokenRecipesSayWhereAndHow(t *testing.T) {
	var out strings.Builder
	for _, c := range brokenRecipes {
		r, err := ParseRecipe("recipe.yaml", []byte(c.yaml))
		if err == nil || r != nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		if KindOf(err) != KindInvalid {
			t.Errorf("%s: kind %s", c.name, KindOf(err))
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the message shows a secret", c.name)
		}
		var faults Faults
		if !errors.As(err, &faults) {
			t.Fatalf("%s: %T", c.name, err)
		}
		for _, f := range faults {
			if f.Mend == "" || f.What == "" {
				t.Errorf("%s: no mend: %v", c.name, f)
			}
		}
		out.WriteString("# " + c.name + "\n" + err.Error() + "\n\n")
	}
	golden(t, "recipe_faults.txt", []byte(out.String()))
}

func TestAliasesAreRead(t *testing.T) {
	r, err := ParseRecipe("r.yaml", []byte(with("[{name: t}]", "[{name: t, sampling: &s {temperature: 0.5}}, {name: u, sampling: *s}]")))
	if err != nil {
		t.Fatal(err)
	}
	if got := *r.Teachers[1].Sampling.Temperature; got != 0.5 {
		t.Errorf("temperature %v", got)
	}
}

// An alias bomb: each level repeats the one before ten times.
func TestAliasBombIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(shortRecipe + "vary:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 12; i++ {
		n, before := string(rune('a'+i)), string(rune('a'+i-1))
		if i == 1 {
			before = "a0"
		}
		b.WriteString("  " + n + ": &" + n + " [" + strings.TrimSuffix(strings.Repeat("*"+before+",", 10), ",") + "]\n")
	}
	if _, err := ParseRecipe("r.yaml", []byte(b.String())); err == nil {
		t.Error("accepted")
	}
}

func TestTooManyValues(t *testing.T) {
	_, err := ParseRecipe("r.yaml", []byte(shortRecipe+"vary:\n a:\n"+strings.Repeat(" - x\n", 9_000)))
	if err == nil || !strings.Contains(err.Error(), "more than 8000 values") {
		t.Error(err)
	}
}

func TestWindowsLineEndsAndByteOrderMark(t *testing.T) {
	r, err := ParseRecipe("r.yaml", []byte("\ufeff"+strings.ReplaceAll(fullRecipe, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Messages[1].Content; got != "{{.question}}\nIn {{.words}} words.\n" {
		t.Errorf("%q", got)
	}
}

func TestLoadRecipeNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.yaml")
	_, err := LoadRecipe(path)
	if err == nil || !strings.HasPrefix(err.Error(), path+": there is no such file") {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte(shortRecipe), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadRecipe(path); err != nil {
		t.Error(err)
	}
	if _, err := LoadRecipe(t.TempDir()); err == nil {
		t.Error("read a folder")
	}
}

func FuzzParseRecipe(f *testing.F) {
	f.Add([]byte(fullRecipe))
	for _, c := range brokenRecipes {
		if len(c.yaml) < 4000 {
			f.Add([]byte(c.yaml))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRecipe("r.yaml", data)
		if (r == nil) == (err == nil) {
			t.Errorf("recipe %v, error %v", r, err)
		}
		if err != nil && KindOf(err) != KindInvalid {
			t.Errorf("kind %s: %v", KindOf(err), err)
		}
	})
}
