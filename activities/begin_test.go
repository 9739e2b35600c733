package activities

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// A local file that changes between check and upload is noticed, also where its size stays.
func TestChangedFileIsNotSent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "q.jsonl")
	if err := os.WriteFile(path, []byte("{\"q\": \"a\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	access := &prompt.Access{Config: &schema.Config{Dir: dir, Allow: schema.Allow{Paths: []string{dir}}}}
	files, err := access.Resolve(t.Context(), &schema.Recipe{File: filepath.Join(dir, "recipe.yaml")}, "prompts[0].from", "q.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	s := store.NewMemory("bucket")
	if _, err := uploadFiles(t.Context(), s, store.NewDataset("bucket", "", "d").Run("good").File, files); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{\"q\": \"b\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = uploadFiles(t.Context(), s, store.NewDataset("bucket", "", "d").Run("changed").File, files)
	var e *schema.Error
	if !errors.As(err, &e) || e.Code != "source_changed" {
		t.Errorf("error %v", err)
	}
}
