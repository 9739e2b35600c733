package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/retort-data/retort/schema"
)

// ExportCmd writes a version as JSONL.
type ExportCmd struct {
	Dataset string `arg:"" help:"DATASET or DATASET@N; the newest version where @N is left out." placeholder:"DATASET[@N]"`
	Split   string `help:"Shards of this split alone." placeholder:"NAME"`
	Output  string `short:"o" required:"" help:"File to write; .zst compresses it; - is stdout." placeholder:"FILE.jsonl[.zst]"`
}

// Run writes a line a record: every column, null ones too, as canonical JSON, with what could break a line or steer a terminal escaped. A shard that isn't
// what the manifest says ends it, and nothing is left behind.
func (c *ExportCmd) Run(a *app) error {
	d, m, err := a.version(c.Dataset)
	if err != nil {
		return err
	}
	var shards []schema.Shard
	for _, s := range m.Shards {
		if c.Split == "" || s.Split == c.Split {
			shards = append(shards, s)
		}
	}
	if len(shards) == 0 && c.Split != "" {
		return &schema.Error{Kind: schema.KindInvalid, Code: "no_split", Op: "export", Subject: c.Dataset, Cause: fmt.Errorf("it has no split %q", c.Split), Hint: "It has: " + strings.Join(splitNames(m), ", ")}
	}
	if c.Output == "-" {
		_, err := a.export(a.stdout, m, shards, false)
		return err
	}
	rows, err := a.exportFile(c.Output, m, shards)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"dataset": d.Name, "version": m.Version, "records": rows, "file": c.Output})
	}
	a.printf("Wrote %s records of %s@%d to %s.\n", number(rows), d.Name, m.Version, c.Output)
	return nil
}

func splitNames(m *schema.Manifest) (names []string) {
	seen := map[string]bool{}
	for _, s := range m.Shards {
		if !seen[s.Split] {
			seen[s.Split] = true
			names = append(names, s.Split)
		}
	}
	return names
}

// exportFile writes beside the file and renames, so that what stands there is whole.
func (a *app) exportFile(path string, m *schema.Manifest, shards []schema.Shard) (rows int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".retort-export-*")
	if err != nil {
		return 0, unwritable(path, err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name()) //nolint:errcheck // it may be gone
		}
	}()
	if rows, err = a.export(f, m, shards, strings.HasSuffix(path, ".zst")); err != nil {
		return rows, errors.Join(err, f.Close())
	}
	if err = errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return rows, unwritable(path, err)
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return rows, unwritable(path, err)
	}
	return rows, nil
}

func (a *app) export(w io.Writer, m *schema.Manifest, shards []schema.Shard, packed bool) (rows int64, err error) {
	out := bufio.NewWriterSize(w, 1<<20)
	var to io.Writer = out
	var z *zstd.Encoder
	if packed {
		if z, err = zstd.NewWriter(out); err != nil {
			return 0, err
		}
		to = z
	}
	for _, s := range shards {
		n, err := a.exportShard(to, m.Layout, s)
		rows += n
		if err != nil {
			return rows, err
		}
	}
	if z != nil {
		if err := z.Close(); err != nil {
			return rows, err
		}
	}
	return rows, out.Flush()
}

func (a *app) exportShard(w io.Writer, layout string, s schema.Shard) (rows int64, err error) {
	f, err := a.fetchWhole(s)
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // scratch
	defer f.Close()
	for r, err := range schema.ReadRecords(f, s.Bytes) {
		if err != nil {
			return rows, err
		}
		line, err := schema.ExportRecord(layout, r)
		if err != nil {
			return rows, err
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}

// fetchWhole copies a shard to a scratch file, and refuses one that isn't what the manifest says.
func (a *app) fetchWhole(s schema.Shard) (*os.File, error) {
	f, n, sum, err := a.fetch(s.Key)
	if err != nil {
		return nil, err
	}
	if n == s.Bytes && sum == s.SHA256 {
		return f, nil
	}
	f.Close()
	os.Remove(f.Name()) //nolint:errcheck // scratch
	return nil, &schema.Error{Kind: schema.KindFailed, Code: "shard_differs", Op: "read", Subject: s.URI, Cause: errors.New("it isn't what the manifest says"), Hint: "See: retort verify"}
}
