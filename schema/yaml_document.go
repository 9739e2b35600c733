package schema

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// document is a YAML file being read against Go types: it collects every fault and the place of every key path.
type document struct {
	file    string
	places  map[string]Place
	faults  Faults
	anchors map[string]ast.Node
	visits  int
	words   keyWords
	lines   []string         // of the file
	blocks  map[string]Place // first character of literal blocks, by key path
}

// maxYAMLNodes bounds the values read from one document, with those that aliases repeat.
const maxYAMLNodes = 8_000

// readYAML parses data and returns the mapping that it must hold, or nil with faults.
func readYAML(file string, data []byte, words keyWords) (*document, *ast.MappingNode) {
	d := &document{file: file, places: map[string]Place{}, anchors: map[string]ast.Node{}, words: words, blocks: map[string]Place{}}
	text, fault := checkYAMLBytes(file, data)
	if fault != nil {
		d.faults = Faults{*fault}
		return d, nil
	}
	d.lines = strings.Split(string(text), "\n")
	tree, err := parseYAML(text)
	if err != nil {
		d.faults = Faults{syntaxFault(file, err)}
		return d, nil
	}
	return d, d.only(tree)
}

// parseYAML turns a panic of the parser into an error: it is another's code, and what it reads is a person's.
func parseYAML(text []byte) (f *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("is not YAML that can be read")
		}
	}()
	return parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey()) // duplicates are found by the walk, all at once
}

func syntaxFault(file string, err error) Fault {
	f := Fault{File: file, What: "is not valid YAML: " + firstLine(err.Error()), Mend: "check indentation, quotes and brackets here; text with {{ or : needs quotes"}
	var y yaml.Error
	if errors.As(err, &y) {
		f.What = "is not valid YAML: " + y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			f.Line, f.Col = t.Position.Line, max(t.Position.Column, 1)
		}
	}
	return f
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// only returns the mapping of the only document.
func (d *document) only(tree *ast.File) *ast.MappingNode {
	var bodies []ast.Node
	for _, doc := range tree.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	if len(bodies) == 0 {
		d.faults = append(d.faults, Fault{File: d.file, What: "is empty", Mend: "write at least the required keys: " + strings.Join(d.words.required, ", ")})
		return nil
	}
	if len(bodies) > 1 {
		d.addAt("", d.placeOf(bodies[1]), "is a second document", "keep one document in a file: remove the line ---")
		return nil
	}
	m, ok := bodies[0].(*ast.MappingNode)
	if !ok {
		d.addAt("", d.placeOf(bodies[0]), "the file holds "+describe(bodies[0]), "a mapping of keys such as `"+d.words.required[0]+":` was expected")
		return nil
	}
	return m
}

// noteBlock keeps where the text of a literal block (|) begins; the parser doesn't say.
func (d *document) noteBlock(n *ast.LiteralNode, path string) {
	at := d.placeOf(n)
	if !strings.HasPrefix(n.Start.Value, "|") || at.Line == 0 {
		return
	}
	for _, line := range d.lines[min(at.Line, len(d.lines)):] {
		if text := strings.TrimLeft(line, " "); text != "" {
			d.blocks[path] = Place{Line: at.Line + 1, Col: len(line) - len(text) + 1}
			return
		}
	}
}

// maxFaults bounds what is reported of one file.
const maxFaults = 100

func (d *document) addAt(path string, at Place, what, mend string) {
	if len(d.faults) >= maxFaults {
		return
	}
	d.faults = append(d.faults, Fault{File: d.file, Line: at.Line, Col: at.Col, Path: path, What: what, Mend: mend})
}

// placeOf is where a node begins.
func (d *document) placeOf(n ast.Node) Place {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return d.placeOf(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return d.placeOf(n.Key)
	}
	if n == nil {
		return Place{}
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return Place{Line: t.Position.Line, Col: max(t.Position.Column, 1)}
	}
	return Place{}
}

// readYAMLFile reads a file that a person names, of at most MaxYAMLBytes and one more (so that checkYAMLBytes sees the excess).
func readYAMLFile(path, kind string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, kind, err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, MaxYAMLBytes+1))
	if err != nil {
		return nil, unreadable(path, kind, err)
	}
	return data, nil
}

func unreadable(path, kind string, err error) error {
	what := "can't be read: " + err.Error()
	var p *os.PathError
	if errors.As(err, &p) {
		what = "can't be read: " + p.Err.Error()
	}
	if errors.Is(err, os.ErrNotExist) {
		what = "there is no such file"
	}
	return Faults{{File: path, What: what, Mend: fmt.Sprintf("give the path of a %s that can be read", kind)}}
}
