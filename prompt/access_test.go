package prompt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// folder is a temporary folder with files, a configuration that allows its folder data/, and a recipe file.
type folder struct {
	t      testing.TB
	dir    string
	config *schema.Config
	access *Access
}

func newFolder(t testing.TB, files map[string]string) *folder {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &folder{t: t, dir: dir}
	for name, content := range files {
		f.write(name, content)
	}
	f.write("temporal.yaml", "store: {bucket: retort, prefix: sets}\nallow: {read: ['s3://corpus/a/', 's3://evals'], paths: [data]}\n")
	if f.config, err = schema.LoadConfig(filepath.Join(dir, "temporal.yaml")); err != nil {
		t.Fatal(err)
	}
	f.config.File = "temporal.yaml"
	f.access = &Access{Config: f.config, Scratch: f.dir}
	return f
}

func (f *folder) write(name, content string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// recipe reads the source from, with a template, as if it stood in the folder; more is added to the recipe.
func (f *folder) recipe(from, template, more string) *schema.Recipe {
	f.t.Helper()
	text := fmt.Sprintf("dataset: a\nprompts:\n  - {from: %q, license: mit}\nmessages:\n  - {role: user, content: %q}\nteachers: [{name: t}]\n%s", from, template, more)
	r, err := schema.ParseRecipe("recipe.yaml", []byte(text))
	if err != nil {
		f.t.Fatal(err)
	}
	r.File = filepath.Join(f.dir, "recipe.yaml")
	return r
}

// said is an error's text without the temporary folder.
func (f *folder) said(err error) string {
	return strings.ReplaceAll(err.Error(), f.dir, "/home/me")
}

func TestLocalFilesAreClosedByDefault(t *testing.T) {
	f := newFolder(t, map[string]string{"data/q.txt": "a\n", "data/sub/q.txt": "b\n", "data/[x].txt": "c\n", "secret/q.txt": "s\n", "database/q.txt": "d\n"})
	for _, link := range [][2]string{{"secret/q.txt", "data/link.txt"}, {"secret", "data/linked"}, {"data/q.txt", "outside.txt"}} {
		if err := os.Symlink(filepath.Join(f.dir, link[0]), filepath.Join(f.dir, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	for from, want := range map[string]string{
		"data/q.txt": "data/q.txt", "./data/q.txt": "./data/q.txt", "data/*/q.txt": "!may not read", "data/s*/*.txt": "data/sub/q.txt", "data/[x].txt": "data/[x].txt",
		"data/[*.txt": "data/[x].txt", "outside.txt": "outside.txt", // a link into the allowed folder
		"data/q?.txt": "!no file matches", "data/none.txt": "!there is no file", "data/../secret/q.txt": "!may not read", "secret/q.txt": "!may not read", "secret/none.txt": "!may not read",
		"database/q.txt": "!may not read", "data/link.txt": "!may not read", "data/l*.txt": "!may not read", "data/linked/q.txt": "!may not read", "*/q.txt": "!may not read", "/etc/passwd.txt": "!may not read",
		filepath.Join(f.dir, "data/q.txt"): filepath.Join(f.dir, "data/q.txt"),
	} {
		files, err := f.access.Resolve(context.Background(), f.recipe("data/q.txt", "{{.text}}", ""), "prompts[0].from", from)
		checkResolved(t, from, files, err, want)
	}
	f.config.Allow.Paths = nil
	if _, err := f.access.Resolve(context.Background(), f.recipe("data/q.txt", "{{.text}}", ""), "prompts[0].from", "data/q.txt"); err == nil {
		t.Error("read a folder that nothing allows")
	}
}

// checkResolved compares with names joined by commas, or after ! with a part of the message.
func checkResolved(t *testing.T, from string, files []schema.PinnedFile, err error, want string) {
	t.Helper()
	if part, fails := strings.CutPrefix(want, "!"); fails {
		if err == nil || !strings.Contains(err.Error(), part) || schema.KindOf(err) != schema.KindInvalid {
			t.Errorf("%s: %v, want %q", from, err, part)
		}
		return
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if err != nil || strings.Join(names, ",") != want {
		t.Errorf("%s: %v, %v", from, names, err)
	}
}

func TestObjectsAreClosedByDefault(t *testing.T) {
	f := newFolder(t, nil)
	buckets := map[string]*store.Memory{}
	for _, uri := range []string{"retort/sets/q.txt", "retort/sets2/q.txt", "retort/q.txt", "corpus/a/q1.txt", "corpus/a/q2.txt", "corpus/a/b/q3.txt", "corpus/ab/q.txt", "corpus/q.txt", "evals/q.txt", "evals2/q.txt"} {
		bucket, key, _ := strings.Cut(uri, "/")
		if buckets[bucket] == nil {
			buckets[bucket] = store.NewMemory(bucket)
		}
		if err := buckets[bucket].PutNew(context.Background(), key, []byte("x\n")); err != nil {
			t.Fatal(err)
		}
	}
	f.access.Store = buckets["retort"]
	f.access.Bucket = func(name string) (store.Store, error) { return buckets[name], nil }
	for from, want := range map[string]string{
		"s3://retort/sets/q.txt": "s3://retort/sets/q.txt", "s3://retort/sets2/q.txt": "!may not read", "s3://retort/q.txt": "!may not read", "s3://retort/sets*/q.txt": "!may not read",
		"s3://corpus/a/*.txt": "s3://corpus/a/q1.txt,s3://corpus/a/q2.txt", "s3://corpus/a/*/q?.txt": "s3://corpus/a/b/q3.txt", "s3://corpus/a*/q.txt": "!may not read", "s3://corpus/*.txt": "!may not read",
		"s3://corpus/a/../q.txt": "!a part . or ..", "s3://corpus/ab/q.txt": "!may not read", "s3://corpus/a/none.txt": "!there is no object", "s3://corpus/a/none*.txt": "!no file matches",
		"s3://evals/q.txt": "s3://evals/q.txt", "s3://evals2/q.txt": "!may not read", "s3://elsewhere/q.txt": "!may not read",
	} {
		files, err := f.access.Resolve(context.Background(), f.recipe("data/q.txt", "{{.text}}", ""), "prompts[0].from", from)
		checkResolved(t, from, files, err, want)
		for _, file := range files {
			if file.ETag == "" || file.Bytes != 2 || IsLocal(file) {
				t.Errorf("not pinned: %+v", file)
			}
		}
	}
}

func TestChangedSourcesHoldTheRun(t *testing.T) {
	ctx := context.Background()
	f := newFolder(t, map[string]string{"data/q.txt": "a\n"})
	s := store.NewMemory("retort")
	if err := s.PutNew(ctx, "sets/q.txt", []byte("a\n")); err != nil {
		t.Fatal(err)
	}
	f.access.Store = s
	for _, from := range []string{"s3://retort/sets/q.txt", "data/q.txt"} {
		r := f.recipe(from, "{{.text}}", "")
		sources, err := f.access.ResolveAll(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if prompts, err := collect(ctx, Plan{Recipe: r, Sources: sources, Access: f.access}); err != nil || len(prompts) != 1 {
			t.Errorf("%v, %v", prompts, err)
		}
		f.write("data/q.txt", "b\n")
		if err := s.Put(ctx, "sets/q.txt", []byte("b\n")); err != nil {
			t.Fatal(err)
		}
		_, err = collect(ctx, Plan{Recipe: r, Sources: sources, Access: f.access})
		wantChanged(t, err, from)
		if err := s.Delete(ctx, "sets/q.txt"); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(f.dir, "data/q.txt")); err != nil {
			t.Fatal(err)
		}
		_, err = collect(ctx, Plan{Recipe: r, Sources: sources, Access: f.access})
		wantChanged(t, err, from)
		f.write("data/q.txt", "a\n")
	}
}

func wantChanged(t *testing.T, err error, from string) {
	t.Helper()
	var e *schema.Error
	if !errors.As(err, &e) || e.Kind != schema.KindHold || e.Code != CodeSourceChanged || e.Subject != from {
		t.Errorf("%s: %v", from, err)
	}
}

// collect gathers prompts up to the first error.
func collect(ctx context.Context, p Plan) ([]schema.Prompt, error) {
	var out []schema.Prompt
	for prompt, err := range Stream(ctx, p) {
		if err != nil {
			return out, err
		}
		out = append(out, prompt)
	}
	return out, nil
}
