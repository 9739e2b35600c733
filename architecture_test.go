// Package retort_test holds what is true of the whole project.
package retort_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const project = "github.com/retort-data/retort"

// rule says what a package must not import, and why. A pattern is an import path, or one with everything below it: "net/...".
type rule struct {
	never  []string
	except []string
	reach  reach
	why    string
}

// reach says how far a rule looks.
type reach int

const (
	direct  reach = iota // the import lines of the package's own files
	through              // those of the packages of this project that it reaches, too
	whole                // everything that is linked
)

// rooms is the map of the project: package → what it must not import, and why.
var rooms = map[string][]rule{
	project + "/schema": {
		{never: []string{project + "/..."}, reach: through, why: "the nouns stand on their own, so that every room can speak them"},
		{never: []string{"go.temporal.io/...", "github.com/aws/...", "net/http"}, reach: direct, why: "a noun has no wire"},
	},
	project + "/dedup": {
		{never: []string{project + "/..."}, except: []string{project + "/schema"}, reach: through, why: "it must work over any Parquet, without a run"},
		{never: []string{"go.temporal.io/...", "github.com/aws/...", "net/http"}, reach: direct, why: "it decides; it doesn't fetch"},
	},
	project + "/quality": {
		{never: []string{project + "/..."}, except: []string{project + "/schema"}, reach: through, why: "it must work over any Parquet, without a run"},
		{never: []string{"go.temporal.io/...", "github.com/aws/...", "net/http"}, reach: direct, why: "it measures; it doesn't fetch"},
	},
	project + "/teacher": {
		{never: []string{project + "/..."}, except: []string{project + "/schema"}, reach: through, why: "asking a model needs no run"},
		{never: []string{"go.temporal.io/...", "github.com/aws/..."}, reach: direct, why: "journalling and retrying pages is the activities' work"},
	},
	project + "/store": {
		{never: []string{project + "/..."}, except: []string{project + "/schema"}, reach: through, why: "a bucket knows keys, not what stands there"},
		{never: []string{"go.temporal.io/..."}, reach: direct, why: "an object store outlives the workflow engine"},
	},
	project + "/payload": {
		{never: []string{project + "/..."}, except: []string{project + "/schema"}, reach: through, why: "it sees bytes on their way to Temporal, and not what they mean"},
	},
	project + "/prompt": {
		{never: []string{project + "/..."}, except: []string{project + "/schema", project + "/store"}, reach: through, why: "sources are read the same by check and by a worker"},
		{never: []string{"go.temporal.io/..."}, reach: direct, why: "check renders every prompt without Temporal"},
	},
	project + "/inspect": {
		{never: []string{project + "/..."}, except: []string{project + "/schema", project + "/store", project + "/prompt", project + "/dedup", project + "/quality"}, reach: through, why: "it works over files that exist already, without a run"},
		{never: []string{"go.temporal.io/...", "net/http"}, reach: direct, why: "it reads files of this machine"},
	},
	project + "/provenance": {
		{never: []string{project + "/..."}, except: []string{project + "/schema"}, reach: through, why: "who checks a version or a proof needs neither S3 nor a run"},
		{never: []string{"go.temporal.io/...", "github.com/aws/...", "net/http"}, reach: direct, why: "it signs and checks bytes; it doesn't fetch"},
	},
	project + "/report": {
		{never: []string{project + "/..."}, except: []string{project + "/schema", project + "/quality"}, reach: through, why: "papers are made from what they are given, by worker and command line alike"},
		{never: []string{"go.temporal.io/...", "github.com/aws/...", "net/http"}, reach: direct, why: "it shows; it doesn't fetch"},
	},
	project + "/notify": {
		{never: []string{project + "/..."}, except: []string{project + "/schema"}, reach: through, why: "telling somebody needs no run"},
		{never: []string{"go.temporal.io/...", "github.com/aws/..."}, reach: direct, why: "retrying is the workflow's work"},
	},
	project + "/telemetry": {
		{never: []string{project + "/..."}, except: []string{project + "/schema"}, reach: through, why: "what is told of a process needs no room"},
	},
	project + "/workflows": {
		{never: []string{project + "/..."}, except: []string{project + "/schema"}, reach: through, why: "order and time touch nothing of the world: activities are named, not called"},
		{never: []string{"os", "os/...", "net", "net/...", "math/rand", "math/rand/...", "crypto/rand", "database/...", "github.com/aws/...", "github.com/openai/...",
			"github.com/sashabaranov/...", "go.temporal.io/sdk/client"}, reach: direct, why: "a replay must do the same: no client, clock, file or chance"},
	},
	project + "/activities": {
		{never: []string{project + "/workflows", project + "/worker", project + "/cmd/..."}, reach: through, why: "a door doesn't know who walks through it"},
	},
	project + "/worker": {
		{never: []string{project + "/cmd/..."}, reach: through, why: "the command line starts workers, not the other way round"},
	},
	project + "/cmd/retort": {
		{never: []string{"go.temporal.io/server/...", "github.com/versity/..."}, reach: whole, why: "an embedded server brings two thousand packages; what people deploy must not carry them"},
		{never: []string{project + "/store/storetest"}, reach: whole, why: "tests stay out of what people deploy"},
	},
}

// listed is what `go list` says of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func goList(t *testing.T, patterns ...string) map[string]listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps"}, patterns...)...)
	var fault strings.Builder
	cmd.Stderr = &fault
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, fault.String())
	}
	all := map[string]listed{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// broken returns the rules that packages break, a line each, in order.
func broken(rooms map[string][]rule, all map[string]listed) (faults []string) {
	for pkg, rules := range rooms {
		got, ok := all[pkg]
		if !ok {
			faults = append(faults, pkg+": the map names it, and there is no such package")
			continue
		}
		for _, r := range rules {
			for _, imported := range r.sees(got, all) {
				if matches(r.never, imported) && !matches(r.except, imported) {
					faults = append(faults, fmt.Sprintf("%s must not import %s: %s", pkg, imported, r.why))
				}
			}
		}
	}
	slices.Sort(faults)
	return faults
}

// sees are the imports at which a rule looks.
func (r rule) sees(of listed, all map[string]listed) []string {
	switch r.reach {
	case direct:
		return of.Imports
	case whole:
		return of.Deps
	}
	var seen []string
	for todo := of.Imports; len(todo) > 0; {
		next := todo[0]
		todo = todo[1:]
		if slices.Contains(seen, next) {
			continue
		}
		seen = append(seen, next)
		if matches([]string{project + "/..."}, next) {
			todo = append(todo[:len(todo):len(todo)], all[next].Imports...)
		}
	}
	return seen
}

func matches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if below, ok := strings.CutSuffix(p, "/..."); ok {
			return path == below || strings.HasPrefix(path, below+"/")
		}
		return path == p
	})
}

// watch looks at every source file itself, so that `go test` doesn't answer from its cache after one has changed: it can't see what
// `go list` reads.
func watch(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || path == "local"):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRooms(t *testing.T) {
	watch(t)
	all := goList(t, "./...")
	for _, fault := range broken(rooms, all) {
		t.Error(fault)
	}
}

// A rule that can't fail holds nothing: each reach finds what it looks for in a made-up project, and no more than that.
func TestRoomsAreHeld(t *testing.T) {
	made := map[string]listed{
		project + "/order": {Imports: []string{"time", project + "/nouns", "go.temporal.io/sdk/workflow"}, Deps: []string{"net/http", "go.temporal.io/server/common"}},
		project + "/nouns": {Imports: []string{"os", project + "/wire"}},
		project + "/wire":  {Imports: []string{"net/http"}},
	}
	for name, c := range map[string]struct {
		rule rule
		want int
	}{
		"a direct import":                      {rule{never: []string{project + "/nouns"}, reach: direct}, 1},
		"a direct rule doesn't look further":   {rule{never: []string{"os", "net/http", project + "/wire"}, reach: direct}, 0},
		"a package reached through another":    {rule{never: []string{project + "/..."}, except: []string{project + "/nouns"}, reach: through}, 1},
		"what the project's packages import":   {rule{never: []string{"os", "net/..."}, reach: through}, 2},
		"what is linked, however deep":         {rule{never: []string{"go.temporal.io/server/..."}, reach: whole}, 1},
		"an exception":                         {rule{never: []string{"go.temporal.io/..."}, except: []string{"go.temporal.io/sdk/workflow"}, reach: direct}, 0},
		"a name that only begins alike":        {rule{never: []string{"tim/...", "ti"}, reach: direct}, 0},
		"a pattern matches the package itself": {rule{never: []string{"time/..."}, reach: direct}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := broken(map[string][]rule{project + "/order": {c.rule}}, made); len(got) != c.want {
				t.Errorf("%d faults, want %d: %q", len(got), c.want, got)
			}
		})
	}
	if got := broken(map[string][]rule{project + "/gone": nil}, made); len(got) != 1 {
		t.Errorf("a package that isn't there was passed over: %q", got)
	}
}
