package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// readCorpora reads each file as one stratum.
func readCorpora(files string) ([][]string, error) {
	if files == "" {
		texts, err := goDocs()
		return [][]string{texts}, err
	}
	var all [][]string
	for _, f := range strings.Split(files, ",") {
		texts, err := readTexts(f)
		if err != nil {
			return nil, err
		}
		all = append(all, texts)
	}
	return all, nil
}

func readTexts(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	var texts []string
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var r struct{ Text string }
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		texts = append(texts, r.Text)
	}
	return texts, sc.Err()
}

// goDocs returns the doc comments of 20 words and more of the standard library, one a symbol.
func goDocs() ([]string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	var texts []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if n := d.Name(); n == "testdata" || n == "vendor" || n == "internal" || strings.HasPrefix(n, "_") {
			return fs.SkipDir
		}
		texts = append(texts, packageDocs(path)...)
		return nil
	})
	return texts, err
}

func packageDocs(dir string) []string {
	fset := token.NewFileSet()
	names, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	var files []*ast.File
	for _, n := range names {
		if strings.HasSuffix(n, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, n, nil, parser.ParseComments)
		if err == nil && (len(files) == 0 || f.Name.Name == files[0].Name.Name) {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return nil
	}
	p, err := doc.NewFromFiles(fset, files, dir)
	if err != nil {
		return nil
	}
	var out []string
	add := func(s string) {
		if len(strings.Fields(s)) >= 20 {
			out = append(out, s)
		}
	}
	add(p.Doc)
	funcs := func(all []*doc.Func) {
		for _, f := range all {
			add(f.Doc)
		}
	}
	for _, v := range append(p.Consts, p.Vars...) {
		add(v.Doc)
	}
	funcs(p.Funcs)
	for _, t := range p.Types {
		add(t.Doc)
		funcs(t.Funcs)
		funcs(t.Methods)
	}
	return out
}
