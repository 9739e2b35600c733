package godocs

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Root returns GOROOT: the environment's, else what the go command says.
func Root() (string, error) {
	if root := os.Getenv("GOROOT"); root != "" {
		return root, nil
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("find Go's source: run `go env GOROOT`: %w (install Go, or set GOROOT)", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Read returns every documented symbol below root/src whose comment has at
// least minWords words, sorted by key. An empty root means Root().
func Read(root string, minWords int) ([]Row, error) {
	if root == "" {
		var err error
		if root, err = Root(); err != nil {
			return nil, err
		}
	}
	src := filepath.Join(root, "src")
	var rows []Row
	err := filepath.WalkDir(src, func(dir string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if dir != src && leftOut(entry.Name()) {
			return fs.SkipDir
		}
		found, err := readPackage(src, dir)
		rows = append(rows, found...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read Go's documentation in %s: %w", src, err)
	}
	rows = slices.DeleteFunc(rows, func(r Row) bool { return r.Words < max(minWords, 1) })
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Key, b.Key) })
	return rows, nil
}

func leftOut(dir string) bool {
	return dir == "internal" || dir == "vendor" || dir == "testdata" || dir == "cmd" || strings.HasPrefix(dir, ".")
}

// readPackage reads the package in dir, if there is one.
func readPackage(src, dir string) ([]Row, error) {
	importPath, err := filepath.Rel(src, dir)
	if err != nil {
		return nil, err
	}
	importPath = filepath.ToSlash(importPath)
	files, err := parseFiles(dir)
	if err != nil || len(files.order) == 0 {
		return nil, err
	}
	pkg, err := doc.NewFromFiles(files.set, files.order, importPath)
	if err != nil {
		return nil, err
	}
	if pkg.Name == "main" {
		return nil, nil
	}
	r := reader{pkg: pkg, seen: map[string]bool{}}
	r.readAll()
	return r.rows, nil
}

type sources struct {
	set   *token.FileSet
	order []*ast.File
}

// parseFiles parses the Go files that a build for linux/amd64 would use.
func parseFiles(dir string) (sources, error) {
	s := sources{set: token.NewFileSet()}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return s, err
	}
	slices.Sort(names)
	target := build.Default
	target.GOOS, target.GOARCH, target.CgoEnabled = "linux", "amd64", false
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		used, err := target.MatchFile(dir, filepath.Base(name))
		if err != nil {
			return s, err
		}
		if !used {
			continue
		}
		f, err := parser.ParseFile(s.set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return s, err
		}
		s.order = append(s.order, f)
	}
	return s, nil
}

// reader collects the rows of one package.
type reader struct {
	pkg  *doc.Package
	rows []Row
	seen map[string]bool
}

func (r *reader) readAll() {
	p := r.pkg
	r.add("package", "", nil, p.Doc)
	r.values("const", p.Consts)
	r.values("var", p.Vars)
	r.funcs(p.Funcs)
	for _, t := range p.Types {
		r.add("type", t.Name, []string{t.Name}, t.Doc)
		r.members(t)
		r.values("const", t.Consts)
		r.values("var", t.Vars)
		r.funcs(t.Funcs)
		for _, m := range t.Methods {
			symbol := t.Name + "." + m.Name
			r.add("method", symbol, []string{symbol}, m.Doc)
		}
	}
}

func (r *reader) funcs(funcs []*doc.Func) {
	for _, f := range funcs {
		r.add("func", f.Name, []string{f.Name}, f.Doc)
	}
}

// values adds a row for each documented declaration and for each value in it
// with a comment of its own. A group is called by its first exported name and
// the number of the others: O_RDONLY+7.
func (r *reader) values(kind string, values []*doc.Value) {
	for _, v := range values {
		names := slices.DeleteFunc(slices.Clone(v.Names), func(n string) bool { return !ast.IsExported(n) })
		switch len(names) {
		case 0:
		case 1:
			r.add(kind, names[0], names, v.Doc)
		default:
			r.add(kind, fmt.Sprintf("%s+%d", names[0], len(names)-1), names, v.Doc)
		}
		r.specs(kind, v.Decl)
	}
}

func (r *reader) add(kind, symbol string, names []string, text string) {
	text = r.plain(text)
	key := r.pkg.ImportPath
	if symbol != "" {
		key += "." + symbol
	}
	// A group of one may be documented twice: the outer comment wins.
	if text == "" || r.seen[key] {
		return
	}
	r.seen[key] = true
	r.rows = append(r.rows, Row{
		Key: key, Package: r.pkg.ImportPath, Symbol: symbol, Kind: kind,
		Question: question(kind, r.pkg.ImportPath, r.pkg.Name, names),
		Doc:      text, Words: len(strings.Fields(text)),
	})
}

// plain renders a doc comment as text with a paragraph a line; code keeps its lines.
func (r *reader) plain(text string) string {
	printer := &comment.Printer{TextWidth: -1}
	return strings.TrimSpace(string(printer.Text(r.pkg.Parser().Parse(text))))
}
