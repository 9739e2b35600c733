package inspect

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"strings"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
)

// files are inputs, pinned: a file that changes while it is read is noticed.
type files struct {
	access *prompt.Access
	pinned []schema.PinnedFile
}

// openFiles finds what a person named on the command line, who may read whatever the process may.
func openFiles(ctx context.Context, names []string, scratch string) (*files, error) {
	f := &files{access: &prompt.Access{Config: &schema.Config{Allow: schema.Allow{Paths: []string{"/"}}}, Scratch: scratch}}
	for _, name := range names {
		if err := checkName(name); err != nil {
			return nil, err
		}
		found, err := f.access.Resolve(ctx, &schema.Recipe{}, "", name)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		f.pinned = append(f.pinned, found...)
	}
	return f, nil
}

func checkName(name string) error {
	bad := func(what, mend string) error { return schema.Faults{{File: name, What: what, Mend: mend}} }
	if _, _, s3 := schema.SplitS3(name); s3 {
		return bad("is no local file", "download it first; inspect reads files of this machine")
	}
	if strings.ContainsAny(name, "*?") {
		return nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bad("there is no such file", "paths are relative to the current folder")
	case err != nil:
		return bad("can't be read: "+err.Error(), "give a file that can be read")
	case info.IsDir():
		return bad("is a folder", "name the files in it, such as '"+strings.TrimSuffix(name, "/")+"/*.parquet'")
	}
	if _, _, ok := schema.SourceFormat(name); !ok {
		return bad("is no format that is read", "give .parquet, .jsonl, .csv or .txt, or these with .gz or .zst")
	}
	return nil
}

// rows yields the rows of all files in order. The first error ends it.
func (f *files) rows(ctx context.Context, c Columns, all bool) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		var n int64
		for _, file := range f.pinned {
			for source, err := range f.access.Rows(ctx, file, c.wanted(all)) {
				if err == nil && n%256 == 0 {
					err = ctx.Err()
				}
				var r row
				if err == nil {
					r, err = c.read(source, n)
				}
				if err != nil {
					yield(row{}, err)
					return
				}
				if !yield(r, nil) {
					return
				}
				n++
			}
		}
	}
}
