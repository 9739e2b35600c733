package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// someAnswer is a stretch of an answer, long enough to be nobody else's.
func someAnswer(t *testing.T, shard []byte) []byte {
	t.Helper()
	for rec, err := range schema.ReadRecords(bytes.NewReader(shard), int64(len(shard))) {
		if err != nil {
			t.Fatal(err)
		}
		if a := rec.Answer(); len(a) > 60 && !strings.ContainsAny(a[20:60], "\n\"\\") {
			return []byte(a[20:60])
		}
	}
	t.Fatal("no answer is long enough to search for")
	return nil
}

// underS3 says whether a path belongs to the S3 gateway, where texts are meant to be.
func underS3(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && strings.HasPrefix(rel, "s3")
}

func databaseHas(t *testing.T, dir string, needle []byte) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || underS3(dir, path) {
			return err
		}
		b, err := os.ReadFile(path)
		found = found || bytes.Contains(b, needle)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
