package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/local/teacher"
)

// broken is something that a person got wrong: the recipe's lines in place of the good ones, and what the message must name.
type broken struct {
	name   string
	change func(recipe string) string
	data   string // the source's content, where it isn't the good one
	says   []string
}

func swap(from, to string) func(string) string {
	return func(r string) string { return strings.Replace(r, from, to, 1) }
}

func add(line string) func(string) string { return func(r string) string { return r + line + "\n" } }

const goodRecipe = `dataset: broken
license: cc-by-4.0
prompts:
  - {from: broken.jsonl, license: cc-by-4.0, origin: human}
messages:
  - {role: user, content: "{{.question}}"}
teachers: [{name: tester}]
sampling: {max_tokens: 100}
`

var brokenRecipes = []broken{
	{"unknown key", add("sampels: 2"), "", []string{"broken.yaml:9:1", "sampels", "samples"}},
	{"wrong type", add("samples: many"), "", []string{"broken.yaml:9:", "samples"}},
	{"two faults at once", add("samples: many\nrows: -1"), "", []string{"broken.yaml:9:", "broken.yaml:10:"}},
	{"syntax", swap("teachers: [{name: tester}]", "teachers: [{name: tester"), "", []string{"broken.yaml:"}},
	{"duplicate key", add("license: mit"), "", []string{"broken.yaml:9:", "license"}},
	{"negative weight", swap("{name: tester}", "{name: tester, weight: -3}"), "", []string{"broken.yaml:7:", "weight", "-3"}},
	{"unknown teacher", swap("tester", "testr"), "", []string{"broken.yaml:7:", "testr", "tester"}},
	{"undeclared terms", swap("tester", "lawless"), "", []string{"broken.yaml:7:", "lawless", "terms"}},
	{"forbidden terms", swap("tester", "forbidden"), "", []string{"broken.yaml:7:", "forbidden"}},
	{"endpoint in a recipe", swap("{name: tester}", "{name: tester, base_url: \"http://127.0.0.1/v1\"}"), "", []string{"broken.yaml:7:", "base_url"}},
	{"key in a recipe", add("api_key: sk-123"), "", []string{"broken.yaml:9:", "api_key"}},
	{"dataset with ..", swap("dataset: broken", "dataset: ../broken"), "", []string{"broken.yaml:1:", "dataset"}},
	{"no licence of the source", swap("license: cc-by-4.0, origin", "origin"), "", []string{"broken.yaml:4:", "license"}},
	{"no source", swap("broken.jsonl", "nothing.jsonl"), "", []string{"broken.yaml:4:", "nothing.jsonl"}},
	{"a folder that isn't allowed", swap("broken.jsonl", "/etc/passwd.txt"), "", []string{"broken.yaml:4:", "allow.paths"}},
	{"a bucket that isn't allowed", swap("broken.jsonl", "s3://secret/x.jsonl"), "", []string{"broken.yaml:4:", "allow.read"}},
	{"missing column", swap("{{.question}}", "{{.qestion}}"), "", []string{"broken.yaml:6:", "qestion", "question"}},
	{"null in a template", nil, `{"question": null}` + "\n", []string{"broken.jsonl:1", "question"}},
	{"template error", swap("{{.question}}", "{{.question"), "", []string{"broken.yaml:6:"}},
	{"unknown function", swap("{{.question}}", "{{env .question}}"), "", []string{"broken.yaml:6:", "env"}},
	{"endless template", swap("{{.question}}", "{{define \\\"x\\\"}}{{template \\\"x\\\"}}{{end}}{{template \\\"x\\\"}}"), "", []string{"broken.yaml:6:"}},
	{"empty source", nil, "\n", []string{"broken.yaml:4:", "no rows"}},
	{"not JSON", nil, "{\"question\": \n", []string{"broken.jsonl:1"}},
	{"line of 50 MB", nil, "{\"question\": \"" + strings.Repeat("a", 50<<20) + "\"}\n", []string{"broken.jsonl:1"}},
	{"invalid UTF-8", nil, "{\"question\": \"\xff\xfe\"}\n", []string{"broken.jsonl:1", "UTF-8"}},
	{"budget of an unknown price", func(r string) string { return strings.Replace(r, "tester", "unpriced", 1) + "budget: {usd: 1}\n" }, "", []string{"broken.yaml:", "price"}},
	{"impossible split", add("output: {splits: {test: 1.5}}"), "", []string{"broken.yaml:9:", "test"}},
	{"check that isn't there", add("checks: {grammar: drop}"), "", []string{"broken.yaml:9:", "grammar"}},
	{"compared with no dataset", add("checks: {near: {against: [nobody]}}"), "", []string{"broken.yaml:9:", "near.against[0]", "nobody"}},
	{"compared with no file", add("checks: {near: {against: [nothing.jsonl]}}"), "", []string{"broken.yaml:9:", "near.against[0]", "nothing.jsonl"}},
	{"compared with no text", add("checks: {near: {against: [broken.jsonl]}}"), "", []string{"broken.jsonl", "no column text"}},
	{"anchor of one text", add("anchor: {from: broken.jsonl, text: question, license: mit}"), "", []string{"broken.yaml:9:", "anchor", "100"}},
	{"anchor without that column", add("anchor: {from: broken.jsonl, text: doc, license: mit}"), "", []string{"doc"}},
	{"more bands than the index has", add("checks: {near: {bands: 60}}"), "", []string{"broken.yaml:9:", "near", "bands"}},
	{"a tolerance without an anchor", add("gate: {tolerance: 0}"), "", []string{"broken.yaml:9:", "gate.tolerance"}},
	{"no such recipe", nil, "", nil},
}

// Bad input: exit 2, a message that shows the place and the mend, and nothing on S3 or on Temporal.
func TestBrokenInputLeavesNothingBehind(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	l.configure(64, `  - {name: lawless, base_url: "http://127.0.0.1:9/v1", model: m, limits: {concurrency: 1}}
  - {name: forbidden, base_url: "http://127.0.0.1:9/v1", model: m, terms: {training: forbidden, license: x, source: y, read_on: 2026-11-01}, limits: {concurrency: 1}}
  - {name: unpriced, base_url: "http://127.0.0.1:9/v1", model: m, terms: {training: allowed, license: x, source: y, read_on: 2026-11-01}, limits: {concurrency: 1}}
`)
	for _, b := range brokenRecipes {
		t.Run(b.name, func(t *testing.T) {
			recipe, data := goodRecipe, b.data
			if b.change != nil {
				recipe = b.change(recipe)
			}
			if data == "" {
				data = "{\"question\": \"Why?\"}\n"
			}
			l.write("broken.jsonl", data)
			path := l.write("broken.yaml", recipe)
			if b.says == nil {
				path = filepath.Join(l.dir, "absent.yaml")
			}
			got := l.retort("run", path)
			if got.status != 2 {
				t.Fatalf("exit %d\n%s%s", got.status, got.stdout, got.stderr)
			}
			for _, word := range b.says {
				if !strings.Contains(got.stderr, word) {
					t.Errorf("the message doesn't name %q:\n%s", word, got.stderr)
				}
			}
			if len(got.stderr) > 4000 {
				t.Errorf("the message has %d bytes", len(got.stderr))
			}
		})
	}
	t.Run("broken configuration", func(t *testing.T) {
		l.config = l.write("wrong.yaml", "temporal: {adress: x}\nstore: {bucket: retort}\n")
		got := l.retort("run", l.write("broken.yaml", goodRecipe))
		if got.status != 2 || !strings.Contains(got.stderr, "wrong.yaml:1:") {
			t.Errorf("exit %d\n%s", got.status, got.stderr)
		}
	})
	if keys := l.keys(""); len(keys) > 0 {
		t.Errorf("something was written: %v", keys)
	}
	c, err := client.Dial(client.Options{HostPort: l.temporalAddress})
	l.must(err)
	defer c.Close()
	listed, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{})
	l.must(err)
	if n := len(listed.Executions); n > 0 {
		t.Errorf("%d workflows were started", n)
	}
}
