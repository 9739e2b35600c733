package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

var durationType = reflect.TypeFor[Duration]()

func isScalar(n ast.Node) bool {
	_, ok := n.(ast.ScalarNode)
	return ok
}

// yamlText returns the text of a string node, quoted or not.
func yamlText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

// numberText returns a number as it stands in the file. A plain 1e6 is a number too, though YAML's parser takes it for text.
func numberText(n ast.Node) (string, bool) {
	t := n.GetToken()
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return t.Value, t.Type == token.IntegerType || t.Type == token.FloatType
	case *ast.StringNode:
		if t.Type == token.StringType && t.Value != "" && strings.ContainsRune("+-.0123456789", rune(t.Value[0])) {
			_, err := strconv.ParseFloat(t.Value, 64)
			return t.Value, err == nil
		}
	}
	return "", false
}

func (d *document) scalar(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	switch v.Kind() {
	case reflect.String:
		d.text(n, v, path, tag)
	case reflect.Bool:
		if b, ok := n.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
		} else {
			d.wrongType(n, v.Type(), path, tag)
		}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		d.whole(n, v, path, tag)
	case reflect.Float64:
		d.number(n, v, path, tag)
	case reflect.Interface:
		d.anything(n, v, path, tag)
	}
}

func (d *document) text(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	s, ok := yamlText(n)
	if block, isBlock := n.(*ast.LiteralNode); isBlock {
		d.noteBlock(block, path)
	}
	if num, isNumber := numberText(n); !ok && isNumber && strings.Contains(" "+tag.Get("enum")+" ", " "+num+" ") {
		s, ok = num, true // tolerance: 0
	}
	if !ok {
		mend := "expected " + expected(v.Type(), tag)
		if isScalar(n) && tag.Get("enum") == "" {
			mend += "; put it in quotes if it is meant as text"
		}
		d.addAt(path, d.placeOf(n), "is "+describe(n), mend)
		return
	}
	if values := strings.Fields(tag.Get("enum")); len(values) > 0 && !contains(values, s) {
		mend := "expected one of " + strings.Join(values, ", ")
		if near := Nearest(s, values); near != "" {
			mend = "did you mean `" + near + "`? " + mend
		}
		d.addAt(path, d.placeOf(n), "is "+quoteShort(s), mend)
		return
	}
	v.SetString(s)
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (d *document) whole(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	text, ok := numberText(n)
	clean := strings.TrimPrefix(strings.ReplaceAll(text, "_", ""), "+")
	if v.Kind() == reflect.Uint64 {
		u, err := strconv.ParseUint(clean, 10, 64)
		if !ok || err != nil {
			d.wrongType(n, v.Type(), path, tag)
			return
		}
		v.SetUint(u)
		return
	}
	i, err := strconv.ParseInt(clean, 10, 64)
	if !ok || err != nil {
		d.wrongType(n, v.Type(), path, tag)
		return
	}
	if d.inRange(n, float64(i), path, tag) {
		v.SetInt(i)
	}
}

func (d *document) number(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	text, ok := numberText(n)
	f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if !ok || err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		d.wrongType(n, v.Type(), path, tag)
		return
	}
	if d.inRange(n, f, path, tag) {
		v.SetFloat(f)
	}
}

// inRange checks the tags min, max (may be reached), above and below (may not).
func (d *document) inRange(n ast.Node, f float64, path string, tag reflect.StructTag) bool {
	bad := false
	for _, bound := range []struct {
		tag  string
		fits func(limit float64) bool
	}{
		{"min", func(x float64) bool { return f >= x }}, {"max", func(x float64) bool { return f <= x }},
		{"above", func(x float64) bool { return f > x }}, {"below", func(x float64) bool { return f < x }},
	} {
		if limit, err := strconv.ParseFloat(tag.Get(bound.tag), 64); err == nil && !bound.fits(limit) {
			bad = true
		}
	}
	if bad {
		d.addAt(path, d.placeOf(n), "is "+n.GetToken().Value, "expected a number "+rangeWords(tag))
	}
	return !bad
}

func rangeWords(tag reflect.StructTag) string {
	var words []string
	for _, t := range [][2]string{{"min", "from %s"}, {"above", "above %s"}, {"max", "up to %s"}, {"below", "below %s"}} {
		if s := tag.Get(t[0]); s != "" {
			words = append(words, fmt.Sprintf(t[1], s))
		}
	}
	return strings.Join(words, ", ")
}

func (d *document) duration(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	s, ok := yamlText(n)
	got, err := ParseDuration(s)
	if !ok || err != nil || got <= 0 {
		d.wrongType(n, v.Type(), path, tag)
		return
	}
	v.SetInt(int64(got))
}

// anything reads a value of vary. Numbers stay as they stand in the file.
func (d *document) anything(n ast.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if text, ok := numberText(n); ok {
		if json.Valid([]byte(text)) {
			v.Set(reflect.ValueOf(json.Number(text)))
		} else {
			v.Set(reflect.ValueOf(text)) // such as 1_000 or +1
		}
		return
	}
	if s, ok := yamlText(n); ok {
		v.Set(reflect.ValueOf(s))
		return
	}
	if b, ok := n.(*ast.BoolNode); ok {
		v.Set(reflect.ValueOf(b.Value))
		return
	}
	d.wrongType(n, v.Type(), path, tag)
}

// describe names what stands in the file, shortened.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "empty"
	case *ast.BoolNode:
		return "the truth value " + n.Token.Value
	case *ast.StringNode:
		if text, ok := numberText(n); ok {
			return "the number " + shorten(text)
		}
		return "the text " + quoteShort(n.Value)
	case *ast.LiteralNode:
		return "the text " + quoteShort(n.Value.Value)
	}
	if isScalar(n) {
		return "the number " + shorten(n.GetToken().Value)
	}
	return "something else"
}

// shorten cuts a person's text to what fits into a message.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func quoteShort(s string) string { return strconv.Quote(shorten(s)) }
