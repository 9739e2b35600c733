package schema

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestRecipeJSONSchemaIsWhatItWas(t *testing.T) {
	golden(t, "recipe.schema.json", RecipeJSONSchema())
}

func TestRecipeReferenceIsWhatItWas(t *testing.T) {
	golden(t, "../../docs/recipes.md", []byte(recipesHead+RecipeReference()))
}

func compileRecipeSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(RecipeJSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("recipe.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("recipe.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func asJSON(t *testing.T, recipe string) any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(recipe))
	if err != nil {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	return v
}

// The schema accepts what ParseRecipe accepts, and what it refuses ParseRecipe refuses too.
func TestRecipeJSONSchemaAgreesWithParseRecipe(t *testing.T) {
	s := compileRecipeSchema(t)
	for _, good := range []string{fullRecipe, shortRecipe} {
		if err := s.Validate(asJSON(t, good)); err != nil {
			t.Errorf("%v", err)
		}
	}
	caught := 0
	for _, c := range brokenRecipes {
		if len(c.yaml) > 4000 {
			continue // what ParseRecipe keeps from the YAML parser
		}
		v := asJSON(t, c.yaml)
		if v != nil && s.Validate(v) != nil {
			caught++
		}
	}
	if caught < 20 {
		t.Errorf("the schema sees only %d of %d broken recipes", caught, len(brokenRecipes))
	}
}

var saidDefault = regexp.MustCompile(`\(default ([a-z0-9.-]+?)[);:, ]`)

// What the comments say of defaults is what fillDefaults does, where the default is one word.
func TestDefaultsAreAsDocumented(t *testing.T) {
	r, err := ParseRecipe("r.yaml", []byte(strings.Replace(shortRecipe, "}]\n", "}]\nschedule: {cron: '0 2 * * *'}\nanchor: {from: a.txt}\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := json.Unmarshal(data, &values); err != nil {
		t.Fatal(err)
	}
	checked := 0
	compareDefaults(t, reflect.TypeFor[Recipe](), values, "", &checked)
	if checked < 25 {
		t.Errorf("only %d defaults were compared", checked)
	}
}

func compareDefaults(t *testing.T, typ reflect.Type, values map[string]any, path string, checked *int) {
	for _, f := range yamlFields(typ) {
		at := joinPath(path, f.key)
		value := values[f.key]
		inner := f.typ
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if list, ok := value.([]any); ok && len(list) > 0 {
			value = list[0]
		}
		object, isObject := value.(map[string]any)
		if m := saidDefault.FindStringSubmatch(f.tag.Get("doc")); m != nil && !conditional[at] {
			if do, short := object["do"]; short {
				value = do
			}
			if s, ok := value.(string); ok && f.typ == durationType {
				d, err := ParseDuration(s)
				want, wantErr := ParseDuration(m[1])
				if err != nil || wantErr != nil || d != want {
					t.Errorf("%s: the comment says %s, the default is %s", at, m[1], s)
				}
			} else if got := strings.Trim(jsonText(value), `"`); got != m[1] {
				t.Errorf("%s: the comment says %s, the default is %s", at, m[1], got)
			}
			*checked++
		}
		if isObject && inner.Kind() == reflect.Struct {
			compareDefaults(t, inner, object, at, checked)
		}
	}
}

// conditional are defaults that depend on something else.
var conditional = map[string]bool{"checks.length": true, "checks.schema": true, "checks.contamination": true, "gate.tolerance": true, "checks.near.near_prompt": true}

func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// recipesHead begins docs/recipes.md.
const recipesHead = "# Recipes\n\nEvery key of a recipe, generated from the Go types by `go test ./schema -update`. Editors complete recipes with the JSON Schema that `retort check --schema` prints.\n\n"
