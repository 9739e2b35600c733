package schema

import (
	"reflect"
	"slices"
	"strings"
)

// keyWords is what is known of the keys of a kind of file, for messages about unknown ones.
type keyWords struct {
	kind     string              // recipe | configuration
	required []string            // top-level keys that every file has
	homes    map[string][]string // key → the mappings that it belongs under ("" is the top)
	special  func(key string) string
}

func newKeyWords(kind string, t reflect.Type, required []string, special func(string) string) keyWords {
	w := keyWords{kind: kind, required: required, homes: map[string][]string{}, special: special}
	w.collect(t, "", map[reflect.Type]bool{})
	return w
}

func (w keyWords) collect(t reflect.Type, path string, open map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || open[t] {
		return
	}
	open[t] = true
	for _, f := range yamlFields(t) {
		w.homes[f.key] = append(w.homes[f.key], path)
		w.collect(f.typ, joinPath(path, f.key), open)
	}
	delete(open, t)
}

// yamlField is a key of a mapping.
type yamlField struct {
	key   string
	index int
	typ   reflect.Type
	tag   reflect.StructTag
}

// yamlFields lists the keys of a struct; a field that is inline or "-" is no key.
func yamlFields(t reflect.Type) []yamlField {
	var out []yamlField
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key != "" && key != "-" {
			out = append(out, yamlField{key, i, f.Type, f.Tag})
		}
	}
	return out
}

// inlineField returns the index of the map that takes what is no key of the struct, or -1.
func inlineField(t reflect.Type) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") == ",inline" {
			return i
		}
	}
	return -1
}

// mendUnknown says what to do about an unknown key: the nearest one, where it belongs, or all there are.
func (w keyWords) mendUnknown(key, path string, known []string) string {
	if w.special != nil {
		if s := w.special(key); s != "" {
			return s
		}
	}
	if homes := w.homes[key]; len(homes) > 0 {
		return "`" + key + "` belongs " + homeText(homes)
	}
	if near := Nearest(key, known); near != "" {
		return "did you mean `" + near + "`?"
	}
	if len(known) == 0 {
		return "remove it"
	}
	known = slices.Sorted(slices.Values(known))
	return "known keys here: " + strings.Join(known, ", ")
}

func homeText(homes []string) string {
	if homes[0] == "" {
		return "at the top of the file"
	}
	return "under `" + strings.Join(homes[:min(2, len(homes))], "` or `") + "`"
}

// Nearest returns the candidate that word was probably meant to be, or "" where none is near.
func Nearest(word string, candidates []string) string {
	best, bestDistance := "", 1+max(1, len(word)/3)
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if d := editDistance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
func editDistance(a, b string) int {
	a, b = a[:min(len(a), 100)], b[:min(len(b), 100)]
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

func joinPath(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
