package prompt

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"
)

// work counts what rendering one prompt costs, and knows which message is being rendered.
type work struct {
	steps, bytes int
	places       []place // of the template being rendered
}

func (w *work) reset() { w.steps, w.bytes = 0, 0 }

func (w *work) charge(bytes int) error {
	if w.bytes += bytes + 16; w.bytes > maxWork {
		return errTooMuchWork
	}
	return nil
}

// badValue is a value that can't be used where it stands.
type badValue struct {
	null       bool
	what, mend string
	at         *place
}

func (b *badValue) Error() string {
	if b.null {
		return "the value is null or missing"
	}
	return b.what
}

// functions are schema.TemplateFunctions; a test compares the lists.
func (w *work) functions() template.FuncMap {
	return template.FuncMap{
		fnShow: w.show, fnTest: test, fnEach: w.each,
		"lower":    w.onText(strings.ToLower),
		"upper":    w.onText(strings.ToUpper),
		"trim":     w.onText(strings.TrimSpace),
		"replace":  w.replace,
		"truncate": w.truncate,
		"join":     w.join,
		"json":     w.json,
		"default":  fallback,
		"len":      length,
		"and":      and,
		"or":       or,
		"not":      func(v any) bool { return !truth(v) },
		"eq":       w.equalAny,
		"ne":       func(a, b any) (bool, error) { eq, err := w.equalAny(a, b); return !eq, err },
		"lt":       func(a, b any) (bool, error) { c, err := w.compare(a, b); return c < 0, err },
		"le":       func(a, b any) (bool, error) { c, err := w.compare(a, b); return c <= 0, err },
		"gt":       func(a, b any) (bool, error) { c, err := w.compare(a, b); return c > 0, err },
		"ge":       func(a, b any) (bool, error) { c, err := w.compare(a, b); return c >= 0, err },
	}
}

// show gives the text of a value that is printed.
func (w *work) show(at int, v any) (string, error) {
	text, err := textOf(v)
	return text, w.locate(at, err)
}

func (w *work) locate(at int, err error) error {
	var bad *badValue
	if errors.As(err, &bad) && at < len(w.places) {
		bad.at = &w.places[at]
	}
	return err
}

// textOf is the text of a scalar: numbers as they stand in the source, never 1e+07.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", &badValue{null: true}
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []any:
		return "", &badValue{what: "is a list", mend: `print it with {{… | join ", "}}, {{… | json}} or {{range …}}`}
	case map[string]any:
		return "", &badValue{what: "is an object", mend: "print one of its fields, such as {{.a.b}}, or the whole with {{… | json}}"}
	}
	return "", &badValue{what: fmt.Sprintf("is of type %T", v), mend: "print a text, a number, true or false"}
}

// test gives if and with a value whose emptiness text/template understands: the number 0 is empty, as in Go.
func test(_ int, v any) any {
	if !truth(v) {
		return nil
	}
	return v
}

func truth(v any) bool {
	if n, ok := v.(json.Number); ok {
		f, err := n.Float64()
		return err != nil || f != 0
	}
	t, _ := template.IsTrue(v)
	return t
}

// each charges a range for all its turns before it begins; body is the number of nodes in it.
func (w *work) each(at, body int, v any) (any, error) {
	n := 0
	switch v := v.(type) {
	case []any:
		n = len(v)
	case map[string]any:
		n = len(v)
	case nil:
		return nil, w.locate(at, &badValue{null: true})
	default:
		return nil, w.locate(at, &badValue{what: "is no list", mend: "range over a list or an object of the row"})
	}
	if n > maxSteps || body > maxSteps {
		return nil, errTooMuchWork
	}
	if w.steps += n * body; w.steps > maxSteps {
		return nil, errTooMuchWork
	}
	return v, nil
}

func (w *work) onText(f func(string) string) func(any) (string, error) {
	return func(v any) (string, error) {
		s, err := textOf(v)
		if err == nil {
			err = w.charge(len(s))
		}
		if err != nil {
			return "", err
		}
		return f(s), nil
	}
}

func (w *work) replace(old, with, v any) (string, error) {
	var parts [3]string
	for i, a := range []any{old, with, v} {
		s, err := textOf(a)
		if err != nil {
			return "", err
		}
		parts[i] = s
	}
	if parts[0] == "" {
		return "", &badValue{what: "replaces the empty text", mend: "say what is to be replaced"}
	}
	grown := len(parts[2]) + strings.Count(parts[2], parts[0])*max(len(parts[1])-len(parts[0]), 0)
	if err := w.charge(len(parts[2]) + grown); err != nil {
		return "", err
	}
	return strings.ReplaceAll(parts[2], parts[0], parts[1]), nil
}

func (w *work) truncate(n, v any) (string, error) {
	most, err := number(n)
	if err != nil || most < 0 {
		return "", &badValue{what: "truncates to no number of characters", mend: "write {{.text | truncate 1000}}"}
	}
	s, err := textOf(v)
	if err != nil {
		return "", err
	}
	if err := w.charge(len(s)); err != nil {
		return "", err
	}
	i := 0
	for k := 0.0; k < math.Floor(most) && i < len(s); k++ {
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return s[:i], nil
}

func (w *work) join(sep, v any) (string, error) {
	list, ok := v.([]any)
	if !ok {
		if v == nil {
			return "", &badValue{null: true}
		}
		return "", &badValue{what: "is no list", mend: `join a list: {{.tags | join ", "}}`}
	}
	between, err := textOf(sep)
	if err != nil {
		return "", err
	}
	size := len(list) * len(between)
	parts := make([]string, len(list))
	for i, item := range list {
		if parts[i], err = textOf(item); err != nil {
			return "", err
		}
		size += len(parts[i])
	}
	if err := w.charge(size); err != nil {
		return "", err
	}
	return strings.Join(parts, between), nil
}

// json writes keys in order of the alphabet and leaves <, > and & as they are.
func (w *work) json(v any) (string, error) {
	if v == nil {
		return "", &badValue{null: true}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", &badValue{what: "can't be written as JSON", mend: "print one of its fields"}
	}
	s := strings.TrimSuffix(b.String(), "\n")
	return s, w.charge(len(s))
}

func fallback(instead, v any) any {
	if v == nil || v == "" {
		return instead
	}
	return v
}

func length(v any) (int, error) {
	switch v := v.(type) {
	case nil:
		return 0, &badValue{null: true}
	case string:
		return len(v), nil
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	}
	return 0, &badValue{what: "has no length", mend: "len is for texts, lists and objects"}
}

func and(first any, more ...any) any {
	for _, v := range more {
		if !truth(first) {
			return first
		}
		first = v
	}
	return first
}

func or(first any, more ...any) any {
	for _, v := range more {
		if truth(first) {
			return first
		}
		first = v
	}
	return first
}

func (w *work) equalAny(a any, others ...any) (bool, error) {
	if len(others) == 0 {
		return false, &badValue{what: "compares one value with nothing", mend: "write {{if eq .a .b}}"}
	}
	for _, b := range others {
		if c, err := w.compare(a, b); err != nil || c == 0 {
			return c == 0 && err == nil, err
		}
	}
	return false, nil
}

// compare orders two numbers (a text that is a number too, as CSV has no others) by value, two texts by bytes, false before true.
func (w *work) compare(a, b any) (int, error) {
	x, errX := number(a)
	y, errY := number(b)
	_, textX := a.(string)
	_, textY := b.(string)
	if errX == nil && errY == nil && !(textX && textY) {
		if i, j, whole := wholes(a, b); whole {
			return cmp.Compare(i, j), nil
		}
		return cmp.Compare(x, y), nil
	}
	if _, isBool := a.(bool); isBool != isBoolean(b) {
		return 0, &badValue{what: "compares values of different types", mend: "compare numbers with numbers, texts with texts"}
	}
	s, err := textOf(a)
	if err != nil {
		return 0, err
	}
	t, err := textOf(b)
	if err != nil {
		return 0, err
	}
	return strings.Compare(s, t), w.charge(min(len(s), len(t)))
}

// wholes reads both as whole numbers, which float64 would round above 2^53.
func wholes(a, b any) (i, j int64, ok bool) {
	s, errS := textOf(a)
	t, errT := textOf(b)
	if errS != nil || errT != nil {
		return 0, 0, false
	}
	i, errS = strconv.ParseInt(s, 10, 64)
	j, errT = strconv.ParseInt(t, 10, 64)
	return i, j, errS == nil && errT == nil
}

func isBoolean(v any) bool { _, ok := v.(bool); return ok }

func number(v any) (float64, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Float64()
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		if len(v) > 40 {
			return 0, strconv.ErrSyntax
		}
		f, err := strconv.ParseFloat(v, 64)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return 0, strconv.ErrSyntax
		}
		return f, err
	}
	return 0, strconv.ErrSyntax
}
