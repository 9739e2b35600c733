package schema

import (
	"fmt"
	"reflect"
	"strings"
)

// RecipeReference is the reference of all keys of a recipe in Markdown, from the same types and tags that recipes are checked with.
func RecipeReference() string {
	var b strings.Builder
	b.WriteString("| key | value | what it says |\n| --- | --- | --- |\n")
	referenceRows(&b, reflect.TypeFor[Recipe](), "")
	b.WriteString("\n## Functions of templates\n\nThe value comes last, so that `{{.tags | join \", \"}}` works. There are no others.\n\n| function | gives |\n| --- | --- |\n")
	for _, f := range TemplateFunctions {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.Usage, cell(f.Doc))
	}
	return b.String()
}

func referenceRows(b *strings.Builder, t reflect.Type, path string) {
	for _, f := range yamlFields(t) {
		key := joinPath(path, f.key)
		inner := f.typ
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
			key, inner = key+"[]", inner.Elem()
		}
		needed := ""
		if f.tag.Get("required") != "" {
			needed = " **required**"
		}
		fmt.Fprintf(b, "| `%s`%s | %s | %s |\n", key, needed, cell(valueWords(f.typ, f.tag)), cell(f.tag.Get("doc")))
		if inner.Kind() == reflect.Struct {
			referenceRows(b, inner, key)
		}
	}
	if i := inlineField(t); i >= 0 {
		fmt.Fprintf(b, "| `%s` | %s | values of one name, which templates use as {{.NAME}} |\n", joinPath(path, "NAME"), typeWords(t.Field(i).Type.Elem()))
	}
}

// valueWords says what may stand there, with its range.
func valueWords(t reflect.Type, tag reflect.StructTag) string {
	if values := strings.Fields(tag.Get("enum")); len(values) > 0 && t.Kind() == reflect.String {
		return "`" + strings.Join(values, "`, `") + "`"
	}
	words := typeWords(t)
	if r := rangeWords(tag); r != "" {
		words += " " + r
	}
	return words
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
