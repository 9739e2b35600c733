package inspect

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
)

// checkPairs refuses, before the work begins, a file of pairs that can't be put or would replace an input.
func checkPairs(path string, from *files) error {
	if path == "" {
		return nil
	}
	bad := func(what, mend string) error { return schema.Faults{{File: path, What: what, Mend: mend}} }
	if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
		return bad("there is no such folder", "make it, or name another file by --pairs")
	}
	there, err := os.Stat(path)
	if err != nil {
		return nil // nothing is replaced
	}
	if there.IsDir() {
		return bad("is a folder", "name a file by --pairs")
	}
	for _, f := range from.pinned {
		if input, err := os.Stat(f.Key); err == nil && os.SameFile(there, input) {
			return bad("is one of the files to inspect", "name another file by --pairs")
		}
	}
	return nil
}

// findPairs reads the files again and writes every pair of near-duplicates, dropped rows included: id, id and Jaccard index, with
// tabs between, a line each.
func (r *Report) findPairs(ctx context.Context, o *Options, from *files, threads int) error {
	near := o.Checks.Near
	if near.Jaccard == 0 {
		near.Jaccard = 0.8
	}
	var ids []string
	var fault error
	texts := func(yield func(string) bool) {
		for got, err := range from.rows(ctx, o.Columns, false) {
			if err != nil {
				fault = err
				return
			}
			ids = append(ids, got.id)
			if !yield(got.text) {
				return
			}
		}
	}
	list, err := dedup.Pairs(ctx, texts, dedup.PairOptions{Near: near, Least: near.Jaccard, Threads: threads})
	if err = errors.Join(fault, err); err != nil {
		return err
	}
	n := int64(len(list.Pairs))
	r.Pairs, r.Starred = &n, list.Starred
	return writePairs(o.Pairs, ids, list.Pairs)
}

// writePairs puts the file in place when it is whole.
func writePairs(path string, ids []string, pairs []dedup.Pair) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".pairs-*")
	if err != nil {
		return writeFailed(path, err)
	}
	defer os.Remove(file.Name()) //nolint:errcheck // gone when it was renamed
	w := bufio.NewWriter(file)
	for _, p := range pairs {
		w.WriteString(field(ids[p.A]) + "\t" + field(ids[p.B]) + "\t" + strconv.FormatFloat(p.Jaccard, 'f', 6, 64) + "\n") //nolint:errcheck // Flush says it
	}
	if err := errors.Join(w.Flush(), file.Chmod(0o644), file.Close()); err != nil {
		return writeFailed(path, err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return writeFailed(path, err)
	}
	return nil
}

// field is an id that breaks no line.
func field(id string) string {
	if strings.ContainsAny(id, "\t\n\r") {
		return strconv.Quote(id)
	}
	return id
}
