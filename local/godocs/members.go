package godocs

import (
	"go/ast"
	"go/doc"
	"go/token"
)

// A doc.Package renders a group of values or a type as one declaration. The
// comments inside it, on one constant, field or interface method, are often the
// most useful ones; members finds them in the syntax tree.

// members adds a row for each exported, documented field of a struct type and
// each method of an interface type.
func (r *reader) members(t *doc.Type) {
	for _, spec := range t.Decl.Specs {
		spec, ok := spec.(*ast.TypeSpec)
		if !ok || spec.Name.Name != t.Name {
			continue
		}
		switch body := spec.Type.(type) {
		case *ast.StructType:
			r.fields("field", t.Name, body.Fields)
		case *ast.InterfaceType:
			r.fields("method", t.Name, body.Methods)
		}
	}
}

func (r *reader) fields(kind, typeName string, list *ast.FieldList) {
	for _, f := range list.List {
		text := commentText(f.Doc, f.Comment)
		for _, name := range f.Names {
			if name.IsExported() {
				symbol := typeName + "." + name.Name
				r.add(kind, symbol, []string{symbol}, text)
				break // a, b int // text: one row for the comment
			}
		}
	}
}

// specs adds a row for each value of a group that has a comment of its own.
func (r *reader) specs(kind string, decl *ast.GenDecl) {
	if decl.Lparen == token.NoPos {
		return
	}
	for _, spec := range decl.Specs {
		spec, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for _, name := range spec.Names {
			if name.IsExported() {
				r.add(kind, name.Name, []string{name.Name}, commentText(spec.Doc, spec.Comment))
				break
			}
		}
	}
}

// commentText prefers the comment above a line to the one at its end.
func commentText(above, beside *ast.CommentGroup) string {
	if text := above.Text(); text != "" {
		return text
	}
	return beside.Text()
}
