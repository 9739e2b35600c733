package prompt

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/retort-data/retort/schema"
)

// Bounds of rendering one prompt.
const (
	MaxPromptBytes = 1 << 20  // of all its messages
	maxSteps       = 1 << 20  // nodes of the template, counted once for each turn of a range around them
	maxWork        = 64 << 20 // bytes that functions handle
)

// Renderer renders a recipe's messages over rows. It is not safe for use by several goroutines.
//
// text/template can't be stopped from outside, so that what could run long is bounded from inside: define, template and block
// (recursion) and functions that aren't listed are refused when the recipe is read; each range is charged for its turns before
// it begins, functions for the bytes they handle, and the output for its size. A null or missing value that would be printed
// or handed to a function is an error: text/template prints <no value> for it.
type Renderer struct {
	recipe   *schema.Recipe
	messages []message
	columns  []string // that must be in a source, besides vary
	whole    bool
	work     *work
}

type message struct {
	role   string
	tmpl   *template.Template
	places []place
}

// NewRenderer compiles the recipe's templates. A recipe from ParseRecipe has no template faults left.
func NewRenderer(r *schema.Recipe) (*Renderer, error) {
	re := &Renderer{recipe: r, work: &work{}}
	used := map[string]bool{}
	for i, m := range r.Messages {
		use, faults := schema.CheckTemplate(m.Content)
		if len(faults) > 0 {
			f := faults[0]
			return nil, schema.Faults{re.faultAt(i, f.Line, f.Col, f.What, f.Mend)}
		}
		compiled, err := re.compile(m)
		if err != nil {
			return nil, schema.Faults{re.faultAt(i, 1, 0, "template error: "+err.Error(), "templates are Go's text/template")}
		}
		re.messages = append(re.messages, compiled)
		re.whole = re.whole || use.Whole
		for _, c := range use.Columns {
			used[c] = true
		}
	}
	for c := range used {
		if _, varied := r.Vary.Values[c]; !varied {
			re.columns = append(re.columns, c)
		}
	}
	slices.Sort(re.columns)
	return re, nil
}

func (re *Renderer) compile(m schema.Template) (message, error) {
	out := message{role: m.Role}
	tmpl, err := template.New("t").Option("missingkey=zero").Funcs(re.work.functions()).Parse(m.Content)
	if err != nil {
		return out, err
	}
	if tmpl.Tree != nil {
		out.places = instrument(tmpl.Tree.Root, m.Content)
	}
	out.tmpl = tmpl
	return out, nil
}

// Columns are the columns that the templates read, without the names of vary; all is true where they read the row as a whole.
func (re *Renderer) Columns() (columns []string, all bool) { return re.columns, re.whole }

// Render renders the messages over a row and values of vary. An error is schema.Faults with the place in the recipe.
func (re *Renderer) Render(row Row, vary map[string]any) ([]schema.Message, error) {
	values := row.Columns
	if len(vary) > 0 {
		values = make(map[string]any, len(row.Columns)+len(vary))
		for k, v := range row.Columns {
			values[k] = v
		}
		for k, v := range vary {
			values[k] = v
		}
	}
	re.work.reset()
	out := make([]schema.Message, 0, len(re.messages))
	left := MaxPromptBytes
	for i := range re.messages {
		m := &re.messages[i]
		w := boundedText{left: left}
		re.work.places = m.places
		if err := m.tmpl.Execute(&w, values); err != nil {
			return nil, schema.Faults{re.explain(i, row, values, err)}
		}
		text := w.b.String()
		if !utf8.ValidString(text) {
			return nil, schema.Faults{re.faultAt(i, 1, 0, "gives text that is not valid UTF-8 for "+row.Place(), "mend the source")}
		}
		if strings.TrimSpace(text) == "" && m.role == "user" {
			return nil, schema.Faults{re.faultAt(i, 1, 0, "gives an empty message for "+row.Place(), "remove the row from the source, or give the template text of its own")}
		}
		left -= len(text)
		out = append(out, schema.Message{Role: m.role, Content: text})
	}
	return out, nil
}

var (
	errTextTooLong = errors.New("text too long")
	errTooMuchWork = errors.New("too much work")
)

type boundedText struct {
	b    strings.Builder
	left int
}

func (w *boundedText) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, errTextTooLong
	}
	w.left -= len(p)
	return w.b.Write(p)
}

func (re *Renderer) faultAt(i, line, col int, what, mend string) schema.Fault {
	path := fmt.Sprintf("messages[%d].content", i)
	f := re.recipe.At(path, what, mend)
	f.Path = path
	if at := re.recipe.TemplatePlace(i, line, col); at.Line > 0 {
		f.Line, f.Col = at.Line, at.Col
	}
	return f
}

// execForm takes an error of text/template apart: line, column from 0, the expression, what is wrong.
var execForm = regexp.MustCompile(`(?s)^template: t:(\d+):(\d+): executing "t" at <(.*?)>: (.*)$`)

// explain says which value of which row can't be used where.
func (re *Renderer) explain(i int, row Row, values map[string]any, err error) schema.Fault {
	line, col, expr, what := 1, 0, "", err.Error()
	root := false
	if m := execForm.FindStringSubmatch(what); m != nil {
		line, _ = strconv.Atoi(m[1])
		col, _ = strconv.Atoi(m[2])
		col++
		expr, what = m[3], m[4]
	}
	if at := re.messages[i].around(line, col); at != nil {
		line, col, expr, root = at.line, at.col, at.text, at.root
	}
	var bad *badValue
	switch {
	case errors.As(err, &bad):
		if bad.at != nil {
			line, col, expr, root = bad.at.line, bad.at.col, bad.at.text, bad.at.root
		}
		return re.badValue(i, place{expr, root, line, col}, bad, row, values)
	case errors.Is(err, errTextTooLong):
		return re.faultAt(i, line, col, fmt.Sprintf("gives more than %d bytes for %s", MaxPromptBytes, row.Place()), "shorten the text, such as {{.context | truncate 4000}}")
	case errors.Is(err, errTooMuchWork):
		return re.faultAt(i, line, col, "takes too long for "+row.Place(), "range over fewer items, and nest ranges less")
	}
	what, mend := plainWords(what)
	return re.faultAt(i, line, col, fmt.Sprintf("{{%s}} can't be rendered for %s: %s", short(expr), row.Place(), short(what)), mend)
}

// around finds the pipeline that holds a position, or nil.
func (m *message) around(line, col int) *place {
	var best *place
	for i := range m.places {
		p := &m.places[i]
		if (p.line < line || p.line == line && p.col <= col) && (best == nil || p.line > best.line || p.line == best.line && p.col > best.col) {
			best = p
		}
	}
	return best
}

var (
	noFieldForm  = regexp.MustCompile(`^can't evaluate field (\w+) in type`)
	nilFieldForm = regexp.MustCompile(`^nil pointer evaluating interface \{\}\.(\w+)`)
	callForm     = regexp.MustCompile(`^(?:error calling |wrong number of args for )(\w+)`)
)

// plainWords says what text/template says, without Go's types.
func plainWords(what string) (plain, mend string) {
	mend = "check the type of the column's values"
	if m := noFieldForm.FindStringSubmatch(what); m != nil {
		return fmt.Sprintf("the value before .%s is no object", m[1]), mend
	}
	if m := nilFieldForm.FindStringSubmatch(what); m != nil {
		return fmt.Sprintf("the value before .%s is null or missing", m[1]), "fill it in the source, or test it before with {{with …}} or {{if …}}"
	}
	if m := callForm.FindStringSubmatch(what); m != nil {
		for _, f := range schema.TemplateFunctions {
			if f.Name == m[1] {
				mend = "write it as {{" + f.Usage + "}}: " + f.Doc
			}
		}
	}
	return strings.TrimPrefix(what, "error calling "), mend
}

var columnForm = regexp.MustCompile(`^\$?\.([A-Za-z_][A-Za-z0-9_]*)$`)

func (re *Renderer) badValue(i int, at place, bad *badValue, row Row, values map[string]any) schema.Fault {
	subject := "{{" + short(at.text) + "}}"
	if !bad.null {
		return re.faultAt(i, at.line, at.col, fmt.Sprintf("%s %s in %s", subject, bad.what, row.Place()), bad.mend)
	}
	what, column := "is null or missing", ".column"
	if m := columnForm.FindStringSubmatch(at.text); m != nil && (at.root || at.text[0] == '$') {
		subject, what, column = fmt.Sprintf("column %q", m[1]), "is null", at.text
		if _, there := values[m[1]]; !there {
			what = "is missing"
		}
	}
	mend := "fill it in the source, or write {{" + column + ` | default "…"}} or {{if ` + column + `}}…{{end}}`
	if what == "is missing" {
		mend = "columns of this row: " + row.columnNames()
		if near := schema.Nearest(strings.TrimLeft(column, "$."), keysOf(values)); near != "" {
			mend = "did you mean {{." + near + "}}? " + mend
		}
	}
	return re.faultAt(i, at.line, at.col, fmt.Sprintf("%s %s in %s", subject, what, row.Place()), mend)
}

func keysOf(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func short(s string) string {
	if len(s) <= 80 {
		return s
	}
	cut := 80
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
