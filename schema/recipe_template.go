package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// Bounds of a template. What is bounded when it runs (size of the text, steps) is in package prompt.
const (
	maxTemplateBytes  = 64 << 10
	maxTemplateRanges = 3 // range in range in range
)

// TemplateFunction is a function that templates may call. The value comes last, so that `{{.tags | join ", "}}` works.
type TemplateFunction struct{ Name, Usage, Doc string }

// TemplateFunctions are all there are; what text/template has besides (printf, call, html, …) is refused.
var TemplateFunctions = []TemplateFunction{
	{"lower", "lower TEXT", "in lower case"},
	{"upper", "upper TEXT", "in upper case"},
	{"trim", "trim TEXT", "without white space at its ends"},
	{"replace", "replace OLD NEW TEXT", "with every OLD replaced"},
	{"truncate", "truncate N TEXT", "its first N characters"},
	{"join", "join SEPARATOR LIST", "the items of a list as one text"},
	{"json", "json VALUE", "the value as JSON: the way to print a list or an object"},
	{"default", "default FALLBACK VALUE", "VALUE, or FALLBACK where it is null, missing or empty text"},
	{"index", "index VALUE KEY…", `an item of a list, or of a column whose name is no identifier: {{index . "my column"}}`},
	{"len", "len VALUE", "number of items, or of bytes of a text"},
	{"and", "and A B…", "the first empty one, or the last"},
	{"or", "or A B…", "the first that isn't empty, or the last"},
	{"not", "not A", "true where A is empty"},
	{"eq", "eq A B…", "whether A equals any of the others; numbers by value"},
	{"ne", "ne A B", "not equal"},
	{"lt", "lt A B", "less than"},
	{"le", "le A B", "less than or equal"},
	{"gt", "gt A B", "greater than"},
	{"ge", "ge A B", "greater than or equal"},
}

// TemplateFault is a mistake in a template; Line and Col count from 1 within it, Col 0 is unknown.
type TemplateFault struct {
	Line, Col  int
	What, Mend string
}

// TemplateUse is what a template reads of its row.
type TemplateUse struct {
	Columns []string // names at the top: columns and vary
	Printed []string // those of them that are not only tested by if, with, and, or, not or default
	Whole   bool     // the row as a whole, so that every column may matter
}

// CheckTemplate parses a message's content and reports every use of what templates may not do.
func CheckTemplate(content string) (TemplateUse, []TemplateFault) {
	if len(content) > maxTemplateBytes {
		return TemplateUse{}, []TemplateFault{{Line: 1, What: fmt.Sprintf("the template has %d bytes", len(content)), Mend: fmt.Sprintf("at most %d are allowed; put text into a column of the source", maxTemplateBytes)}}
	}
	tree := parse.New("t")
	tree.Mode = parse.SkipFuncCheck
	set := map[string]*parse.Tree{}
	if _, err := tree.Parse(content, "", "", set); err != nil {
		return TemplateUse{}, []TemplateFault{parseFault(err)}
	}
	w := &templateWalk{content: content}
	for name, t := range set {
		if name != "t" {
			w.fault(t.Root.Pos, "defines the template "+quoteShort(name), "define and block are not allowed: write the text where it is used")
		}
	}
	if tree.Root != nil {
		w.list(tree.Root, true, 0)
	}
	slices.SortStableFunc(w.faults, func(a, b TemplateFault) int { return (a.Line-b.Line)*10000 + a.Col - b.Col })
	return w.use(), w.faults
}

var parseErrorForm = regexp.MustCompile(`(?s)^template: t:(\d+):(?:\d+:)? ?(.*)$`)

func parseFault(err error) TemplateFault {
	f := TemplateFault{Line: 1, What: "template error: " + firstLine(err.Error()), Mend: "templates are Go's text/template, such as {{.question}}"}
	if m := parseErrorForm.FindStringSubmatch(err.Error()); m != nil {
		f.Line, _ = strconv.Atoi(m[1])
		f.What = "template error: " + shorten(firstLine(m[2]))
	}
	return f
}

type templateWalk struct {
	content string
	columns map[string]bool // name → printed
	whole   bool
	faults  []TemplateFault
}

func (w *templateWalk) use() TemplateUse {
	u := TemplateUse{Whole: w.whole}
	for name, printed := range w.columns {
		u.Columns = append(u.Columns, name)
		if printed {
			u.Printed = append(u.Printed, name)
		}
	}
	slices.Sort(u.Columns)
	slices.Sort(u.Printed)
	return u
}

func (w *templateWalk) fault(pos parse.Pos, what, mend string) {
	at := min(int(pos), len(w.content))
	before := w.content[:at]
	w.faults = append(w.faults, TemplateFault{
		Line: 1 + strings.Count(before, "\n"), Col: len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1, What: what, Mend: mend})
}

// list walks nodes; root says whether dot is the row, ranges how many ranges are open.
func (w *templateWalk) list(l *parse.ListNode, root bool, ranges int) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			w.pipe(n.Pipe, root, false)
		case *parse.IfNode:
			w.branch(&n.BranchNode, root, root, ranges, true)
		case *parse.WithNode:
			w.branch(&n.BranchNode, root, false, ranges, true)
		case *parse.RangeNode:
			w.rangeNode(n, root, ranges)
		case *parse.TemplateNode:
			w.fault(n.Pos, "calls the template "+quoteShort(n.Name), "template, define and block are not allowed: write the text where it is used")
		}
	}
}

func (w *templateWalk) branch(b *parse.BranchNode, root, inside bool, ranges int, tested bool) {
	w.pipe(b.Pipe, root, tested)
	w.list(b.List, inside, ranges)
	w.list(b.ElseList, root, ranges)
}

func (w *templateWalk) rangeNode(n *parse.RangeNode, root bool, ranges int) {
	if ranges+1 > maxTemplateRanges {
		w.fault(n.Pos, fmt.Sprintf("ranges are nested more than %d deep", maxTemplateRanges), "flatten the data in the source")
	}
	if last := n.Pipe.Cmds[len(n.Pipe.Cmds)-1]; len(last.Args) == 1 && last.Args[0].Type() == parse.NodeNumber {
		w.fault(n.Pos, "ranges over the number "+shorten(last.Args[0].String()), "range over a list of the row")
	}
	w.pipe(n.Pipe, root, false)
	w.list(n.List, false, ranges+1)
	w.list(n.ElseList, root, ranges)
}

// tests are the functions that look at a value without using it.
var tests = []string{"and", "or", "not", "default"}

func (w *templateWalk) pipe(p *parse.PipeNode, root, tested bool) {
	if p == nil {
		return
	}
	for i, cmd := range p.Cmds {
		// `.x | default "none"`: the value is an argument of the next command
		t := tested
		if i+1 < len(p.Cmds) {
			t = isTest(p.Cmds[i+1])
		}
		w.command(cmd, root, t)
	}
}

func isTest(cmd *parse.CommandNode) bool {
	id, ok := cmd.Args[0].(*parse.IdentifierNode)
	return ok && slices.Contains(tests, id.Ident)
}

func (w *templateWalk) command(cmd *parse.CommandNode, root, tested bool) {
	if id, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		w.function(id)
		tested = isTest(cmd)
		if id.Ident == "index" && len(cmd.Args) > 2 && w.isRow(cmd.Args[1], root) {
			if s, literal := cmd.Args[2].(*parse.StringNode); literal {
				w.column(s.Text, true)
				return
			}
		}
	}
	for _, arg := range cmd.Args {
		w.argument(arg, root, tested)
	}
}

func (w *templateWalk) isRow(n parse.Node, root bool) bool {
	if v, ok := n.(*parse.VariableNode); ok {
		return len(v.Ident) == 1 && v.Ident[0] == "$"
	}
	return root && n.Type() == parse.NodeDot
}

func (w *templateWalk) argument(n parse.Node, root, tested bool) {
	if w.isRow(n, root) {
		w.whole = true
		return
	}
	switch n := n.(type) {
	case *parse.FieldNode:
		if root {
			w.column(n.Ident[0], !tested)
		}
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			w.column(n.Ident[1], !tested)
		}
	case *parse.ChainNode:
		w.argument(n.Node, root, tested)
	case *parse.PipeNode:
		w.pipe(n, root, tested)
	case *parse.IdentifierNode: // a function without arguments as an argument
		w.function(n)
	}
}

func (w *templateWalk) column(name string, printed bool) {
	if w.columns == nil {
		w.columns = map[string]bool{}
	}
	w.columns[name] = w.columns[name] || printed
}

func (w *templateWalk) function(id *parse.IdentifierNode) {
	names := make([]string, len(TemplateFunctions))
	for i, f := range TemplateFunctions {
		if names[i] = f.Name; f.Name == id.Ident {
			return
		}
	}
	mend := "functions are: " + strings.Join(names, ", ")
	switch near := Nearest(id.Ident, names); {
	case slices.Contains([]string{"print", "printf", "println"}, id.Ident):
		mend = "values print as they stand in the source: write {{.column}}"
	case slices.Contains([]string{"html", "js", "urlquery"}, id.Ident):
		mend = "prompts are plain text: nothing has to be escaped"
	case near != "":
		mend = "did you mean `" + near + "`? " + mend
	default:
		mend += "; a column is written with a dot: {{." + shorten(id.Ident) + "}}"
	}
	w.fault(id.Pos, "there is no function "+quoteShort(id.Ident), mend)
}

// checkTemplate reports a template's faults at their places in the recipe.
func checkTemplate(d *document, r *Recipe, path, content string) {
	_, faults := CheckTemplate(content)
	for _, f := range faults {
		at := templatePlace(d.places[path], r.blocks[path], f.Line, f.Col)
		d.addAt(path, at, f.What, f.Mend)
	}
}

// TemplatePlace is the place in the recipe of a line and column (from 1; 0 unknown) of a message's content.
func (r *Recipe) TemplatePlace(message, line, col int) Place {
	path := fmt.Sprintf("messages[%d].content", message)
	return templatePlace(r.Places[path], r.blocks[path], line, col)
}

// templatePlace maps exactly into a block (content: |), where block is its first character; of text in quotes or on one line it is
// the beginning, as what stands in it may be escaped.
func templatePlace(value, block Place, line, col int) Place {
	if block.Line > 0 {
		return Place{Line: block.Line + line - 1, Col: block.Col + max(col, 1) - 1}
	}
	return value
}
