package schema

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// value reads a node into v and checks it against the field's tags.
func (d *document) value(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if d.visits++; d.visits > maxYAMLNodes {
		if d.visits == maxYAMLNodes+1 {
			d.addAt(path, d.placeOf(n), fmt.Sprintf("the file has more than %d values", maxYAMLNodes), "aliases repeat what they name; write fewer")
		}
		return
	}
	if a, ok := n.(*ast.AnchorNode); ok {
		d.value(a.Value, v, path, tag)
		d.anchors[a.Name.GetToken().Value] = a.Value
		return
	}
	if n = d.resolve(n, path); n == nil {
		return
	}
	if _, null := n.(*ast.NullNode); null {
		d.addAt(path, d.places[path], "has no value", "give it one, or remove the key: "+expected(v.Type(), tag))
		return
	}
	switch {
	case v.Type() == durationType:
		d.duration(n, v, path, tag)
	case v.Kind() == reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		d.value(n, fresh.Elem(), path, tag)
		v.Set(fresh)
	case v.Kind() == reflect.Struct:
		d.structure(n, v, path, tag)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, path, tag)
	case v.Kind() == reflect.Slice:
		d.list(n, v, path, tag)
	default:
		d.scalar(n, v, path, tag)
	}
}

// resolve follows an alias and refuses tags. An anchor is known only after its value was read, so that no value can hold itself.
func (d *document) resolve(n ast.Node, path string) ast.Node {
	switch got := n.(type) {
	case *ast.AliasNode:
		name := got.Value.GetToken().Value
		value := d.anchors[name]
		if value == nil {
			d.addAt(path, d.placeOf(n), "alias *"+shorten(name)+" names no anchor before it", "write &"+shorten(name)+" before the value that is to be repeated")
		}
		return value
	case *ast.TagNode:
		d.addAt(path, d.placeOf(n), "has the YAML tag "+shorten(got.Start.Value), "remove the tag: types follow from the key")
		return nil
	}
	return n
}

// structure reads a mapping into a struct, or the short form of a check (`near: off`) into its field `do`.
func (d *document) structure(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	fields := yamlFields(v.Type())
	m, ok := n.(*ast.MappingNode)
	if !ok {
		if len(fields) > 0 && fields[0].key == "do" && isScalar(n) {
			d.scalar(n, v.Field(fields[0].index), path, fields[0].tag)
			return
		}
		d.wrongType(n, v.Type(), path, tag)
		return
	}
	byKey := make(map[string]yamlField, len(fields))
	for _, f := range fields {
		byKey[f.key] = f
	}
	inline := inlineField(v.Type())
	seen := map[string]Place{}
	for _, entry := range m.Values {
		key, at, ok := d.key(entry, path, seen)
		if !ok {
			continue
		}
		at = valuePlace(d, entry.Value, at)
		if f, known := byKey[key]; known {
			d.places[joinPath(path, key)] = at
			d.value(entry.Value, v.Field(f.index), joinPath(path, key), f.tag)
		} else if inline >= 0 {
			d.places[joinPath(path, key)] = at
			d.mapEntry(entry.Value, v.Field(inline), key, joinPath(path, key), "")
		} else {
			d.unknown(key, path, d.placeOf(entry.Key), fields)
		}
	}
	d.required(fields, seen, path, n)
}

func (d *document) unknown(key, path string, at Place, fields []yamlField) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	d.addAt(joinPath(path, shorten(key)), at, "unknown key", d.words.mendUnknown(key, path, names))
}

func (d *document) required(fields []yamlField, seen map[string]Place, path string, n ast.Node) {
	for _, f := range fields {
		if _, ok := seen[f.key]; ok || f.tag.Get("required") == "" {
			continue
		}
		at := d.places[path]
		if path == "" {
			at = d.placeOf(n)
		}
		d.addAt(joinPath(path, f.key), at, "is missing", "add `"+f.key+":` with "+expected(f.typ, f.tag))
	}
}

// valuePlace is where a fault of a value is shown: at a scalar itself, else at its key.
func valuePlace(d *document, n ast.Node, key Place) Place {
	if _, null := n.(*ast.NullNode); !null && isScalar(n) {
		return d.placeOf(n)
	}
	return key
}

// key reads a mapping's key: plain text, not a list, not twice.
func (d *document) key(entry *ast.MappingValueNode, path string, seen map[string]Place) (string, Place, bool) {
	at := d.placeOf(entry.Key)
	if _, merge := entry.Key.(*ast.MergeKeyNode); merge {
		d.addAt(path, at, "merge keys (<<) are not read", "write the keys out")
		return "", at, false
	}
	if _, plain := entry.Key.(ast.ScalarNode); !plain {
		d.addAt(path, at, "a key must be plain text", "write `name: value`")
		return "", at, false
	}
	key := entry.Key.GetToken().Value
	if first, twice := seen[key]; twice {
		d.addAt(joinPath(path, shorten(key)), at, fmt.Sprintf("stands here again; it was given at line %d", first.Line), "keep one of the two")
		return "", at, false
	}
	seen[key] = at
	return key, at, true
}

func (d *document) mapping(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		d.wrongType(n, v.Type(), path, tag)
		return
	}
	seen := map[string]Place{}
	for _, entry := range m.Values {
		if key, at, ok := d.key(entry, path, seen); ok {
			d.places[joinPath(path, key)] = valuePlace(d, entry.Value, at)
			d.mapEntry(entry.Value, v, key, joinPath(path, key), tag)
		}
	}
}

func (d *document) mapEntry(n ast.Node, v reflect.Value, key, path string, tag reflect.StructTag) {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	fresh := reflect.New(v.Type().Elem()).Elem()
	d.value(n, fresh, path, tag)
	v.SetMapIndex(reflect.ValueOf(key), fresh)
}

func (d *document) list(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrongType(n, v.Type(), path, tag)
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, min(len(s.Values), 1000))
	for i, item := range s.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.places[at] = d.placeOf(item)
		fresh := reflect.New(v.Type().Elem()).Elem()
		d.value(item, fresh, at, tag)
		out = reflect.Append(out, fresh)
		if d.visits > maxYAMLNodes {
			break
		}
	}
	v.Set(out)
}

func (d *document) wrongType(n ast.Node, t reflect.Type, path string, tag reflect.StructTag) {
	at := d.placeOf(n)
	if at == (Place{}) {
		at = d.places[path]
	}
	d.addAt(path, at, "is "+describe(n), "expected "+expected(t, tag))
}

// expected says in words what may stand under a key.
func expected(t reflect.Type, tag reflect.StructTag) string {
	words := typeWords(t)
	if values := tag.Get("enum"); values != "" && t.Kind() == reflect.String {
		return "one of " + strings.Join(strings.Fields(values), ", ")
	}
	if doc := tag.Get("doc"); doc != "" && !strings.HasPrefix(doc, words) {
		words += " (" + doc + ")"
	}
	return words
}

func typeWords(t reflect.Type) string {
	if t == durationType {
		return "a duration such as 90s, 10m or 7d"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeWords(t.Elem())
	case reflect.Struct:
		if f := yamlFields(t); len(f) > 0 && f[0].key == "do" {
			return "off, tag, drop or a mapping of keys and values"
		}
		return "a mapping of keys and values"
	case reflect.Map:
		return "a mapping of keys and values"
	case reflect.Slice:
		return "a list, such as [a, b]"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Interface:
		return "a text, a number, true or false"
	}
	return "text"
}
