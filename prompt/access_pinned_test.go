package prompt

import (
	"testing"

	"github.com/retort-data/retort/schema"
)

// A worker reads of a pinned list what its own configuration opens, and never a file of its own machine.
func TestPinnedFilesAreCheckedAgain(t *testing.T) {
	a := &Access{Config: &schema.Config{Store: schema.StoreConfig{Bucket: "retort", Prefix: "team"}, Allow: schema.Allow{Read: []string{"s3://corpus/open/"}}}}
	for _, f := range []struct {
		file schema.PinnedFile
		may  bool
	}{
		{schema.PinnedFile{Bucket: "retort", Key: "team/d/_runs/r/files/x.jsonl"}, true},
		{schema.PinnedFile{Bucket: "corpus", Key: "open/x.jsonl"}, true},
		{schema.PinnedFile{Bucket: "retort", Key: "other/x.jsonl"}, false},
		{schema.PinnedFile{Bucket: "corpus", Key: "closed/x.jsonl"}, false},
		{schema.PinnedFile{Key: "/etc/passwd"}, false},
	} {
		if got := a.MayRead(f.file); got != f.may {
			t.Errorf("%+v: %v", f.file, got)
		}
	}
}
