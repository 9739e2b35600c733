package inspect

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/retort-data/retort/schema"
)

// rejection says why a row was turned away.
type rejection struct {
	reason  string
	Signal  string  `json:"signal,omitempty"`
	Value   float64 `json:"value,omitempty"`
	Limit   float64 `json:"limit,omitempty"`
	Match   string  `json:"match,omitempty"`
	Of      string  `json:"of,omitempty"` // id of the row that it duplicates
	In      string  `json:"in,omitempty"` // corpus that the row stands in, where it is none of those inspected
	Jaccard float64 `json:"jaccard,omitempty"`
}

// output writes kept/rows.jsonl and rejected/rows.jsonl: the columns as they were read, of a rejected row also `reason` and
// `rejected`, in place of columns of these names. A nil output writes nothing.
type output struct {
	kept, rejected *lines
}

// openOutput refuses a folder that isn't empty, so that nothing is overwritten.
func openOutput(dir string) (*output, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || len(entries) > 0 {
		if err == nil {
			err = errors.New("the folder is not empty")
		}
		return nil, &schema.Error{Kind: schema.KindInvalid, Code: "output", Op: "write to", Subject: dir, Cause: err, Hint: "Give a folder that is empty or not there yet."}
	}
	o := &output{}
	if o.kept, err = openLines(filepath.Join(dir, "kept")); err != nil {
		return nil, writeFailed(dir, err)
	}
	if o.rejected, err = openLines(filepath.Join(dir, "rejected")); err != nil {
		return nil, writeFailed(dir, errors.Join(err, o.kept.close(true)))
	}
	return o, nil
}

func writeFailed(path string, err error) error {
	return &schema.Error{Kind: schema.KindFailed, Code: "output", Op: "write to", Subject: path, Cause: err, Hint: "Check permissions and free space."}
}

func (o *output) keep(r *row) error {
	if o == nil {
		return nil
	}
	return o.kept.add(r.source.Columns)
}

func (o *output) reject(r *row, why *rejection) error {
	if o == nil {
		return nil
	}
	columns := maps.Clone(r.source.Columns)
	columns["reason"], columns["rejected"] = why.reason, why
	return o.rejected.add(columns)
}

// close ends both files; after a failure it takes them away again, so that half a result isn't taken for a whole one.
func (o *output) close(failed bool) error {
	if o == nil {
		return nil
	}
	return errors.Join(o.kept.close(failed), o.rejected.close(failed))
}

// lines is a JSONL file in a folder of its own.
type lines struct {
	dir  string
	file *os.File
	buf  *bufio.Writer
	enc  *json.Encoder
}

func openLines(dir string) (*lines, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "rows.jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	l := &lines{dir: dir, file: file, buf: bufio.NewWriterSize(file, 1<<20)}
	l.enc = json.NewEncoder(l.buf)
	l.enc.SetEscapeHTML(false)
	return l, nil
}

func (l *lines) add(columns map[string]any) error {
	if err := l.enc.Encode(columns); err != nil {
		return writeFailed(l.file.Name(), err)
	}
	return nil
}

func (l *lines) close(failed bool) error {
	err := errors.Join(l.buf.Flush(), l.file.Close())
	if failed {
		return os.RemoveAll(l.dir)
	}
	if err != nil {
		return writeFailed(l.dir, fmt.Errorf("at its end: %w", err))
	}
	return nil
}
