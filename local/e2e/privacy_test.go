package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/retort-data/retort/local/teacher"
)

// Nothing that a person or a model wrote stands in Temporal: its database is searched, byte by byte.
func TestTemporalHoldsNoText(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.Modes = map[string]float64{"identity": 0.1}
	cfg.ServerError = 0.05
	l := newLab(t, cfg)
	l.startWorker()
	l.ok("run", l.questions("private", 200, "description: A canary of a description\n"))
	m := l.manifest("private", 1)
	needles := [][]byte{[]byte("meaning of number"), []byte("Answer briefly"), []byte("canary of a description")}
	body, err := l.store.Get(t.Context(), m.Shards[0].Key)
	l.must(err)
	needles = append(needles, someAnswer(t, body))
	files := 0
	l.must(filepath.WalkDir(l.stack.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || underS3(l.stack.Dir, path) {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for _, n := range needles {
			if bytes.Contains(b, n) {
				t.Errorf("%s holds %q", path, n)
			}
		}
		return err
	}))
	if files == 0 {
		t.Error("no file of the server was searched")
	}
	if !databaseHas(t, l.stack.Dir, []byte("private")) {
		t.Error("the search doesn't find even the dataset's name: it looks in the wrong place")
	}
}
