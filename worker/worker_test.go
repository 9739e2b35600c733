package worker

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// The two workers of a process can be made: nothing is registered twice or under no name (the SDK panics then).
func TestRegister(t *testing.T) {
	temporal, err := client.NewLazyClient(client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer temporal.Close()
	config := &schema.Config{Teachers: make([]schema.Teacher, 3)}
	main, ask := Register(&activities.Rooms{Config: config, Store: store.NewMemory("bucket")}, Options{Config: config, Client: temporal, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if main == nil || ask == nil {
		t.Error("a worker is missing")
	}
}

// Every step that schema names is registered here, so that no workflow waits for an activity that no worker knows.
func TestEveryStepIsRegistered(t *testing.T) {
	steps := map[string]bool{}
	inspect(t, filepath.Join("..", "schema", "step.go"), func(n ast.Node) {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Step") {
			steps[spec.Names[0].Name] = false
		}
	})
	if len(steps) < 10 {
		t.Fatalf("only %v were found", steps)
	}
	inspect(t, "worker.go", func(n ast.Node) {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if _, ok := steps[sel.Sel.Name]; ok {
				steps[sel.Sel.Name] = true
			}
		}
	})
	for step, registered := range steps {
		if !registered {
			t.Errorf("schema.%s is registered by no worker", step)
		}
	}
}

func inspect(t *testing.T, file string, do func(ast.Node)) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if n != nil {
			do(n)
		}
		return true
	})
}

// Each process has a scratch folder of its own; where it can't be made, the error says how to mend that.
func TestScratchFolder(t *testing.T) {
	dir := t.TempDir()
	config := &schema.Config{Dir: dir, Worker: schema.WorkerConfig{Scratch: "scratch"}}
	_, one, _, err := scratchFolder(config)
	if err != nil {
		t.Fatal(err)
	}
	_, two, _, err := scratchFolder(config)
	if err != nil || one == two || filepath.Dir(one) != filepath.Join(dir, "scratch") {
		t.Errorf("%s and %s, %v", one, two, err)
	}
	if info, err := os.Stat(one); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may read %s: %v, %v", one, info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "taken"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	config.Worker.Scratch = "taken"
	_, _, _, err = scratchFolder(config)
	var e *schema.Error
	if !errors.As(err, &e) || e.Hint == "" {
		t.Errorf("error %v", err)
	}
}
