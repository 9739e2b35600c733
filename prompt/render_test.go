package prompt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// recipeOf is a recipe of one user message; more is added at its end.
func recipeOf(t testing.TB, content, more string) *schema.Recipe {
	t.Helper()
	quoted, _ := json.Marshal(content)
	r, err := schema.ParseRecipe("recipe.yaml", []byte("dataset: a\nprompts: [{from: q.jsonl, license: mit}]\nteachers: [{name: t}]\n"+more+"messages:\n  - {role: user, content: "+string(quoted)+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func rowOf(t testing.TB, object string) Row {
	t.Helper()
	columns, err := decodeObject("q.jsonl", 7, []byte(object))
	if err != nil {
		t.Fatal(err)
	}
	return Row{Columns: columns, File: "q.jsonl", Line: 7}
}

func render(t testing.TB, content, object string) (string, error) {
	t.Helper()
	re, err := NewRenderer(recipeOf(t, content, ""))
	if err != nil {
		t.Fatal(err)
	}
	messages, err := re.Render(rowOf(t, object), nil)
	if err != nil {
		return "", err
	}
	return messages[0].Content, nil
}

func TestRender(t *testing.T) {
	const row = `{"q": " Why? ", "n": 12345678, "f": 1.50, "e": 1e7, "z": 0, "ok": false, "nil": null, "empty": "",
		"tags": ["a", "b", 3], "a": {"b": {"c": "deep"}}, "html": "<b>&</b>", "my col": "odd", "list": [{"x": 1}, {"x": 2}]}`
	for content, want := range map[string]string{
		"{{.q}}!":                     " Why? !",
		"{{.n}} {{.f}} {{.e}} {{.z}}": "12345678 1.50 1e7 0",
		"{{.ok}}":                     "false",
		"{{.a.b.c}}":                  "deep",
		"{{.html}}":                   "<b>&</b>",
		`{{index . "my col"}}`:        "odd",
		`{{index .tags 1}}`:           "b",
		`{{.tags | join ", "}}`:       "a, b, 3",
		`{{json .a}}`:                 `{"b":{"c":"deep"}}`,
		`{{json .html}}`:              `"<b>&</b>"`,
		`{{.nil | default "none"}}`:   "none",
		`{{.gone | default "none"}}`:  "none",
		`{{.empty | default "none"}}`: "none",
		`{{default "none" .q}}`:       " Why? ",
		`{{if .nil}}a{{else}}b{{end}}{{if .gone}}a{{else}}b{{end}}{{if .z}}a{{else}}b{{end}}{{if .n}}a{{end}}`: "bbba",
		`{{with .a.b}}{{.c}}{{end}}{{with .nil}}x{{else}}y{{end}}`:                                             "deepy",
		`{{range $i, $t := .tags}}{{$i}}={{$t}};{{end}}`:                                                       "0=a;1=b;2=3;",
		`{{range .list}}{{.x}}{{$.n}} {{end}}`:                                                                 "112345678 212345678 ",
		`{{range $k, $v := .a.b}}{{$k}}:{{$v}}{{end}}`:                                                         "c:deep",
		`{{$x := .q | trim | lower}}{{$x}} {{upper $x}}`:                                                       "why? WHY?",
		`{{replace "h" "HH" .q | truncate 5}}`:                                                                 " WHHy",
		`{{if and (gt .n 5) (lt .f 1.6) (eq .z 0) (ne .q "x")}}yes{{end}}`:                                     "yes",
		`{{if eq .f 1.5}}eq{{end}}{{if ge .e 10000000}}ge{{end}}`:                                              "eqge",
		`{{if or .nil .q}}yes{{end}}{{if not .nil}}no{{end}}`:                                                  "yesno",
		`{{len .tags}} {{len .q}}`:                                                                             "3 6",
		`a {{- /* comment */ -}} b`:                                                                            "ab",
		`{{printf}}`:                                                                                           "",
	} {
		if content == `{{printf}}` {
			continue
		}
		if got, err := render(t, content, row); err != nil || got != want {
			t.Errorf("%s: got %q, want %q (%v)", content, got, want, err)
		}
	}
}

// What people are told about values that can't be used; each text stands in testdata/render_faults.txt.
func TestRenderFaults(t *testing.T) {
	const row = `{"question": null, "tags": ["a"], "obj": {"a": 1}, "text": "x", "n": 3, "deep": {"nil": null}, "bool": true, "list": [{}]}`
	var out strings.Builder
	for _, content := range []string{
		"{{.question}}", "{{.quesiton}}", "{{lower .question}}", "{{.question | upper}}", "{{.deep.nil}}", "{{.deep.gone}}", "{{.deep.nil.more}}",
		"{{.tags}}", "{{.obj}}", "{{.}}", "{{$}}", "{{.text.field}}", "{{join \",\" .text}}", "{{range .n}}x{{end}}", "{{range .question}}x{{end}}", "{{range .text}}x{{end}}",
		"{{index .tags 5}}", "{{index .question 5}}", "{{lt .bool 3}}", "{{eq .tags .tags}}", "{{eq .question 1}}", "{{truncate .text .text}}", "{{replace \"\" \"a\" .text}}",
		"{{lower}}", "{{lower .text .text}}", "{{.text 3}}", "{{if .question}}a{{end}}", "a\n\n  {{$x := .question}}{{$x}}", "{{len .n}}", "{{json .question}}", "{{nil}}",
		"{{with $y := .question}}{{else}}{{.question}}{{end}}", "{{.n.Float64}}{{.n.Foo}}", "{{(index . \"question\")}}", "{{range .tags}}{{$.gone}}{{end}}", "{{range .list}}{{.gone}}{{end}}",
	} {
		re, err := NewRenderer(mustRecipe(t, content))
		if err == nil {
			_, err = re.Render(rowOf(t, row), nil)
		}
		if err == nil {
			t.Errorf("%s: no error", content)
			continue
		}
		if schema.KindOf(err) != schema.KindInvalid || strings.Contains(err.Error(), "_show") || strings.Contains(err.Error(), "interface {}") {
			t.Errorf("%s: %v", content, err)
		}
		fmt.Fprintf(&out, "# %s\n%v\n\n", content, err)
	}
	golden(t, "render_faults.txt", []byte(out.String()))
}

// mustRecipe makes a recipe whose templates may be ones that ParseRecipe refuses.
func mustRecipe(t testing.TB, content string) *schema.Recipe {
	r := recipeOf(t, "x", "")
	r.Messages[0].Content = content
	return r
}

func TestFunctionsAreTheDocumentedOnes(t *testing.T) {
	documented := []string{"index"} // text/template's own
	for _, f := range schema.TemplateFunctions {
		if f.Name != "index" {
			documented = append(documented, f.Name)
		}
	}
	built := slices.DeleteFunc(append(slices.Collect(maps.Keys((&work{}).functions())), "index"), func(s string) bool { return strings.HasPrefix(s, "_") })
	slices.Sort(built)
	slices.Sort(documented)
	if !slices.Equal(built, documented) {
		t.Errorf("built %v\ndocumented %v", built, documented)
	}
}

// Templates that would run for hours or fill the memory stop by themselves.
func TestEndlessTemplatesStop(t *testing.T) {
	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 20_000), ",") + "]"
	row := `{"l": ` + list + `, "s": "` + strings.Repeat("a", 1000) + `"}`
	grow := "{{$x := .s}}" + strings.Repeat(`{{$x = replace "a" "aaaa" $x}}`, 100) + "{{$x}}"
	for name, content := range map[string]string{
		"output":               "{{range .l}}{{$.s}}{{end}}",
		"ranges without text":  "{{range .l}}{{range $.l}}{{range $.l}}{{end}}{{end}}{{end}}",
		"ranges with tests":    "{{range .l}}{{range $.l}}{{if $}}{{end}}{{end}}{{end}}",
		"functions on text":    "{{range .l}}{{$y := $.s | lower | upper | lower | upper | lower | upper}}{{end}}",
		"text that grows":      grow,
		"many nodes in a turn": "{{range .l}}" + strings.Repeat("{{if $}}{{end}}", 100) + "{{end}}",
	} {
		if _, err := render(t, content, row); err == nil || schema.KindOf(err) != schema.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRenderIsTheSameForEachRow(t *testing.T) {
	re, err := NewRenderer(recipeOf(t, "{{range .l}}{{.}}{{end}} {{.s}}", ""))
	if err != nil {
		t.Fatal(err)
	}
	row := rowOf(t, `{"l": [1, 2], "s": "x"}`)
	for range 3 {
		if m, err := re.Render(row, nil); err != nil || m[0].Content != "12 x" {
			t.Errorf("%v %v", m, err)
		}
		if _, err := re.Render(rowOf(t, `{"l": 3}`), nil); err == nil {
			t.Error("no error")
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("{{.a}} {{range .b}}{{.}}{{end}}", `{"a": 1, "b": [1, {"c": null}]}`)
	f.Add("{{if and .a (or .b .c)}}{{json .}}{{end}}", `{"a": "x", "b": {}}`)
	f.Add("{{with $x := index .b 0}}{{$x.c | default .d}}{{break}}{{end}}", `{"b": [{"c": "d"}]}`)
	f.Add(`{{replace "a" .a (truncate 3 .b)}}{{eq .a .b 1 "x"}}`, `{"a": "aaa", "b": "aaaa"}`)
	f.Fuzz(func(t *testing.T, content, object string) {
		columns, err := decodeObject("q.jsonl", 1, []byte(object))
		if err != nil {
			return
		}
		re, err := NewRenderer(mustRecipe(t, content))
		if err != nil {
			return
		}
		messages, err := re.Render(Row{Columns: columns, File: "q.jsonl", Line: 1}, nil)
		if err != nil {
			if schema.KindOf(err) != schema.KindInvalid {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		if text := messages[0].Content; len(text) > MaxPromptBytes || (strings.Contains(text, "<no value>") && !strings.Contains(content+object, "no value")) {
			t.Fatalf("%q", text)
		}
	})
}
