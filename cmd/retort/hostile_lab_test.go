package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// hostileInput is something that somebody who means harm writes: what it tries, and what must become of it.
type hostileInput struct {
	tries   string
	becomes string // for recipes and sources: a part of the message; for replies: the code; for answers: ""
	recipe  string // in place of the good one; or
	swap    [2]string
	files   map[string]string // beside the recipe
	before  func(t *testing.T, dir string)
}

const gentleRecipe = `dataset: hostile
license: mit
prompts: [{from: q.jsonl, license: mit, origin: human}]
messages: [{role: user, content: "{{.q}}"}]
teachers: [{name: t}]
sampling: {max_tokens: 10}
`

// checked runs `retort check` over a hostile recipe or source with a store in memory, and returns what it printed.
func checked(t *testing.T, in hostileInput) (text string, status int, s *store.Memory) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("temporal.yaml", `store: {bucket: bucket, prefix: p}
allow: {paths: ["open/"], datasets: [hostile]}
teachers: [{name: t, base_url: "http://127.0.0.1:9/v1", model: m, terms: {training: allowed}}]
`)
	write("secret.jsonl", `{"q": "canary-of-a-closed-file"}`+"\n")
	files := map[string]string{"q.jsonl": `{"q": "a question"}` + "\n"}
	for name, content := range in.files {
		files[name] = content
	}
	for name, content := range files {
		write("open/"+name, content)
	}
	recipe := in.recipe
	if recipe == "" {
		if recipe = strings.Replace(gentleRecipe, in.swap[0], in.swap[1], 1); in.swap[0] != "" && recipe == gentleRecipe {
			t.Fatalf("nothing was changed: no %q", in.swap[0])
		}
	}
	write("open/recipe.yaml", recipe)
	if in.before != nil {
		in.before(t, filepath.Join(dir, "open"))
	}
	config, err := schema.LoadConfig(filepath.Join(dir, "temporal.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s = store.NewMemory("bucket")
	var out bytes.Buffer
	status = runWith([]string{"check", filepath.Join(dir, "open", "recipe.yaml")}, &out, &out, func(a *app) { a.objects, a.config = s, config })
	return out.String(), status, s
}

// The page of hostile inputs lists all that are tried.
func TestHostileInputsAreListed(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Hostile inputs\n\nWhat people who mean harm, broken programs and models have been given to say, and what becomes of it. Each line is a case of the test named above its table (`cmd/retort`);\n" +
		"this page is written from them (`go test ./cmd/retort -run Hostile -update`). None may run, read or write what it shouldn't, steer a terminal, hang, take memory without bound or panic.\n")
	total := 0
	table := func(title, test, column string, rows [][2]string) {
		total += len(rows)
		fmt.Fprintf(&b, "\n## %s\n\n`%s`\n\n| tried | %s |\n| --- | --- |\n", title, test, column)
		for _, r := range rows {
			fmt.Fprintf(&b, "| %s | %s |\n", r[0], r[1])
		}
	}
	rows := func(all []hostileInput) (out [][2]string) {
		for _, in := range all {
			out = append(out, [2]string{in.tries, in.becomes})
		}
		return out
	}
	table("Recipes", "TestHostileRecipes", "refused before anything is put; the message says", rows(hostileRecipes()))
	table("Sources", "TestHostileSources", "refused before anything is put; the message says", rows(hostileSources()))
	var replies, answers [][2]string
	for _, r := range hostileReplies {
		replies = append(replies, [2]string{r.tries, r.code})
	}
	for _, a := range hostileAnswers() {
		answers = append(answers, [2]string{a.tries, "kept as data, byte for byte; nothing steers"})
	}
	table("Replies of teachers", "TestHostileReplies", "code of the failed request; empty: an answer", replies)
	table("Answers", "TestHostileAnswers", "what becomes of it", answers)
	if total < 60 {
		t.Errorf("only %d inputs", total)
	}
	page := filepath.Join("..", "..", "docs", "hostile.md")
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != b.String() {
		t.Errorf("docs/hostile.md isn't what the tests try (-update writes it): %v", err)
	}
}
