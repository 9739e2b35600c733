package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// rooms whose errors may end a run.
var endingRooms = []string{"activities", "dedup", "prompt", "quality", "store", "teacher"}

// Every code that may stand in a run's status as its reason is explained to a person.
func TestReasonsAreExplained(t *testing.T) {
	codes := map[string]string{"internal": "workflows", "store_state": "activities", "recipe": "activities", "panic": "activities"}
	for _, room := range endingRooms {
		for code, where := range codesOf(t, filepath.Join("..", "..", room)) {
			codes[code] = where
		}
	}
	for code, where := range verdictsOf(t, filepath.Join("..", "..", "workflows")) {
		codes[code] = where
	}
	for _, sure := range []string{"teacher_blocked", "teacher_unavailable", "source_changed", "object_broken", "budget", "gate", "failed", "cancelled"} {
		if codes[sure] == "" {
			t.Errorf("the code %s was not found in the source: this test looks at the wrong place", sure)
		}
	}
	for code, where := range codes {
		if _, ok := reasonTexts[code]; !ok {
			t.Errorf("%s (%s) has no text in reasonTexts", code, where)
		}
	}
	for code, text := range reasonTexts {
		if strings.Count(text, "%") != 1 || !strings.Contains(text, "%s") {
			t.Errorf("the text of %s must have one %%s for its subject: %q", code, text)
		}
	}
	if got := reasonText(&schema.Status{Reason: "teacher_blocked", Subject: "qwen"}); !strings.Contains(got, "the teacher qwen refused us") {
		t.Error(got)
	}
	if got := reasonText(&schema.Status{Reason: "some_code", Subject: "x"}); got != "some_code x" {
		t.Errorf("a code of another version is shown as %q", got)
	}
}

// codesOf finds the codes of schema.Errors that trying again can't mend.
func codesOf(t *testing.T, folder string) map[string]string {
	constants := map[string]string{}
	found := map[string]string{}
	var literals []ast.Expr
	each(t, folder, func(n ast.Node, where string) {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if i < len(n.Values) {
					if s, ok := literal(n.Values[i]); ok {
						constants[name.Name] = s
					}
				}
			}
		case *ast.CompositeLit:
			if kind, code := fieldOf(n, "Kind"), fieldOf(n, "Code"); kind != nil && code != nil {
				if sel, ok := kind.(*ast.SelectorExpr); ok && sel.Sel.Name != "KindRetry" && sel.Sel.Name != "KindBudget" {
					literals = append(literals, code)
				}
			}
		}
	})
	for _, code := range literals {
		if s, ok := literal(code); ok {
			found[s] = folder
		} else if id, ok := code.(*ast.Ident); ok && constants[id.Name] != "" {
			found[constants[id.Name]] = folder
		}
	}
	for _, beforeARun := range []string{"trained_on", "s3_config", "teacher_config", "check", "format", "damaged", "limit", "aliases", "no_store", "dedup_params", "rate"} {
		delete(found, beforeARun) // refused by check, or by the command line alone
	}
	return found
}

// verdictsOf finds the reasons of the workflow's own.
func verdictsOf(t *testing.T, folder string) map[string]string {
	found := map[string]string{}
	each(t, folder, func(n ast.Node, where string) {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || len(lit.Elts) != 3 {
			return
		}
		if id, ok := lit.Type.(*ast.Ident); ok && id.Name == "verdict" {
			if s, ok := literal(lit.Elts[1]); ok {
				found[s] = where
			}
		}
	})
	return found
}

func each(t *testing.T, folder string, do func(n ast.Node, where string)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if n != nil {
				do(n, path)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func fieldOf(lit *ast.CompositeLit, name string) ast.Expr {
	i := slices.IndexFunc(lit.Elts, func(e ast.Expr) bool {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		id, ok := kv.Key.(*ast.Ident)
		return ok && id.Name == name
	})
	if i < 0 {
		return nil
	}
	return lit.Elts[i].(*ast.KeyValueExpr).Value
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}
