package prompt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

const licensed = `{"q": "one", "lic": "mit"}
{"q": "two", "lic": "CC-BY-NC-4.0"}
{"q": "three", "lic": ""}
{"q": "four"}
`

// licences streams a recipe over licensed rows and returns question → licence, with what was left out.
func licences(t *testing.T, more, exclude string) (kept, leftOut map[string]string, err error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "recipe.yaml")
	text := "dataset: d\nprompts: [{from: q.jsonl, license: cc0-1.0" + more + "}]\nmessages: [{role: user, content: \"{{.q}}\"}]\nteachers: [{name: t}]\nlicenses: {exclude: [" + exclude + "]}\n"
	for name, body := range map[string]string{"q.jsonl": licensed, "recipe.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recipe, err := schema.LoadRecipe(file)
	if err != nil {
		t.Fatal(err)
	}
	access := &Access{Config: &schema.Config{Allow: schema.Allow{Paths: []string{dir}}}}
	sources, err := access.ResolveAll(t.Context(), recipe)
	if err != nil {
		t.Fatal(err)
	}
	kept, leftOut = map[string]string{}, map[string]string{}
	for p, err := range Stream(t.Context(), Plan{Recipe: recipe, Sources: sources, Access: access, LeftOut: func(l string) { leftOut[l] = l }}) {
		if err != nil {
			return kept, leftOut, err
		}
		kept[p.Messages[0].Content] = p.License
	}
	return kept, leftOut, nil
}

// Every prompt keeps its row's licence, and licences that the recipe leaves out are left out, whatever the case of their letters.
func TestLicences(t *testing.T) {
	kept, leftOut, err := licences(t, ", license_column: lic", "cc-by-nc-4.0, gpl-3.0")
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 3 || kept["one"] != "mit" || kept["three"] != "cc0-1.0" || kept["four"] != "cc0-1.0" || len(leftOut) != 1 || leftOut["CC-BY-NC-4.0"] == "" {
		t.Errorf("kept %v, left out %v", kept, leftOut)
	}
	if kept, _, err = licences(t, "", "cc-by-nc-4.0"); err != nil || len(kept) != 4 {
		t.Errorf("without a column all rows have the source's licence: %v, %v", kept, err)
	}
}

func TestLicencesThatLeaveNothing(t *testing.T) {
	_, _, err := licences(t, "", "CC0-1.0")
	var faults schema.Faults
	if !errors.As(err, &faults) || !strings.Contains(err.Error(), "leaves out every row") || !strings.Contains(err.Error(), "recipe.yaml:") {
		t.Errorf("error %v", err)
	}
}
