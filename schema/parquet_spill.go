package schema

import "io"

// Spill is a scratch file in which the pages of a row group wait. A row group of a Parquet file lies column after column, and rows come one
// after the other, so that nothing of it can be written to the shard before it is whole.
type Spill interface {
	io.ReaderAt
	io.WriterAt
}

const (
	// tailBytes is how much of a column waits in memory: most columns of a row group are smaller or not much larger.
	tailBytes = 64 << 10
	copyBytes = 256 << 10
)

// spilled are the pages of the row group that is being written, all columns mixed. Each row group begins at the start of the file again.
type spilled struct {
	file Spill // nil: in memory
	end  int64
	err  error
	copy []byte
}

// columnSpill are the pages of one column. It is the sink of Arrow's page writer.
type columnSpill struct {
	to    *spilled
	n     int64
	parts []filePart
	tail  []byte
}

type filePart struct{ at, n int64 }

// Tell is how much was written.
func (c *columnSpill) Tell() int64 { return c.n }

func (c *columnSpill) Write(b []byte) (int, error) {
	if c.to.file != nil && len(c.tail)+len(b) > tailBytes {
		if err := c.put(c.tail); err != nil {
			return 0, err
		}
		c.tail = c.tail[:0]
		if len(b) > tailBytes {
			if err := c.put(b); err != nil {
				return 0, err
			}
			c.n += int64(len(b))
			return len(b), nil
		}
	}
	c.tail = append(c.tail, b...)
	c.n += int64(len(b))
	return len(b), nil
}

// put appends to the file.
func (c *columnSpill) put(b []byte) error {
	s := c.to
	if s.err != nil || len(b) == 0 {
		return s.err
	}
	if _, s.err = s.file.WriteAt(b, s.end); s.err != nil {
		return s.err
	}
	if last := len(c.parts) - 1; last >= 0 && c.parts[last].at+c.parts[last].n == s.end {
		c.parts[last].n += int64(len(b))
	} else {
		c.parts = append(c.parts, filePart{s.end, int64(len(b))})
	}
	s.end += int64(len(b))
	return nil
}

// copyTo copies the column, and lets go of it.
func (c *columnSpill) copyTo(w io.Writer) error {
	s := c.to
	if len(c.parts) > 0 && s.copy == nil {
		s.copy = make([]byte, copyBytes)
	}
	for _, p := range c.parts {
		// The reader is hidden behind a struct: io.Copy would let it choose a buffer of its own.
		if _, err := io.CopyBuffer(w, struct{ io.Reader }{io.NewSectionReader(s.file, p.at, p.n)}, s.copy); err != nil {
			return err
		}
	}
	_, err := w.Write(c.tail)
	c.parts, c.tail = nil, nil
	return err
}
