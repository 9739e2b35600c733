package schema

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// ParseRecipe reads a recipe, fills in its defaults and checks it. The error is Faults: everything that is wrong, each with
// its place. file is only named in messages; nothing but data is read.
func ParseRecipe(file string, data []byte) (*Recipe, error) {
	d, root := readYAML(file, data, recipeWords)
	if root == nil {
		return nil, d.faults
	}
	r := &Recipe{File: file, Places: d.places, blocks: d.blocks}
	d.structure(root, reflect.ValueOf(r).Elem(), "", "")
	r.fillDefaults()
	checkRecipe(r, d)
	if faults := d.sorted(); len(faults) > 0 {
		return nil, faults
	}
	return r, nil
}

// LoadRecipe reads the recipe at path.
func LoadRecipe(path string) (*Recipe, error) {
	data, err := readYAMLFile(path, "recipe")
	if err != nil {
		return nil, err
	}
	return ParseRecipe(path, data)
}

// has says whether the recipe's file gives path.
func (r *Recipe) has(path string) bool {
	_, ok := r.Places[path]
	return ok
}

var recipeWords = newKeyWords("recipe", reflect.TypeFor[Recipe](), []string{"dataset", "prompts", "messages", "teachers"}, foreignToRecipe)

// foreignToRecipe explains keys that must not stand in a recipe (a recipe names teachers; it can't name an endpoint, a key or
// an environment variable), and keys of the configuration.
func foreignToRecipe(key string) string {
	k := strings.ReplaceAll(strings.ToLower(key), "-", "_")
	switch {
	case slices.Contains([]string{"base_url", "url", "endpoint", "host", "api_base"}, k):
		return "a recipe names teachers, it can't name an endpoint: declare the teacher in temporal.yaml, under `teachers`, and give its name here"
	case strings.Contains(k, "api_key"), strings.Contains(k, "secret"), strings.Contains(k, "password"), strings.Contains(k, "credential"), k == "token", k == "authorization", k == "env":
		return "a recipe can't hold a key or name where one is: `api_key_env` of the teacher in temporal.yaml does; if a real key stood here, replace it"
	case slices.Contains([]string{"model", "terms", "price", "limits", "batch"}, k):
		return "this belongs to the teacher in temporal.yaml; a recipe gives a teacher's name, weight and sampling"
	case slices.Contains([]string{"store", "bucket", "prefix", "temporal", "allow", "worker", "signing"}, k):
		return "this belongs in temporal.yaml"
	}
	return ""
}

// sorted returns the faults in order of place, one for each path.
func (d *document) sorted() Faults {
	var out Faults
	seen := map[string]bool{}
	for _, f := range d.faults {
		key := f.Path + "\x00" + f.What
		if !seen[key] {
			out, seen[key] = append(out, f), true
		}
	}
	slices.SortStableFunc(out, func(a, b Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	if len(d.faults) >= maxFaults {
		out = append(out, Fault{File: d.file, Line: out[len(out)-1].Line, Col: 1, What: fmt.Sprintf("has more faults than these %d", maxFaults), Mend: "mend these first"})
	}
	return out
}

// add reports a fault of what was read, unless one about the same path, or what it stands in, is already known.
func (d *document) add(path, what, mend string) {
	if len(d.faults) >= maxFaults {
		return
	}
	for p := path; p != ""; p = parentPath(p) {
		if slices.ContainsFunc(d.faults, func(f Fault) bool { return f.Path == p && (p == path || f.What == "is missing") }) {
			return
		}
	}
	d.faults = append(d.faults, faultAt(d.file, d.places, path, what, mend))
}
