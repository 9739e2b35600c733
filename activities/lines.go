package activities

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/retort-data/retort/schema"
)

// Objects of many rows are JSON documents, one a line, under zstd.

var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2),
			zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true)) // each of them keeps a window for good
		if err != nil {
			panic(err) // constant options
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(mostObject))
		if err != nil {
			panic(err) // constant options
		}
		return d
	})
	buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	plains  = sync.Pool{New: func() any { return new(plain) }}
)

// mostKept is the largest buffer that is used again.
const mostKept = 16 << 20

// mostObject bounds a decompressed object: a page of answers is some MB.
const mostObject = 2 << 30

// lines collects rows for one object.
type lines struct {
	buf *bytes.Buffer
	enc *json.Encoder
	row []byte // the last one, for its memory
}

func newLines() *lines {
	buf := buffers.Get().(*bytes.Buffer)
	buf.Reset()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	return &lines{buf: buf, enc: enc}
}

func (l *lines) add(row any) error {
	a, ok := row.(interface{ AppendJSON([]byte) ([]byte, error) })
	if !ok {
		return l.enc.Encode(row)
	}
	var err error
	if l.row, err = a.AppendJSON(l.row[:0]); err != nil {
		return err
	}
	l.row = append(l.row, '\n')
	l.buf.Write(l.row)
	return nil
}

// packed returns the compressed object; l is used up.
func (l *lines) packed() []byte {
	b := encoder().EncodeAll(l.buf.Bytes(), make([]byte, 0, l.buf.Len()/3+64))
	if l.buf.Cap() < mostKept {
		buffers.Put(l.buf)
	}
	return b
}

// unpack splits an object into its lines. A broken object is an error that trying again can't mend.
func unpack(key string, packed []byte) ([][]byte, error) { return new(plain).unpack(key, packed) }

// plain is a buffer for an object's plain text, to be used again: of the pages that are read for files and reports.
type plain struct{ b []byte }

// unpack returns lines that stand in the buffer.
func (p *plain) unpack(key string, packed []byte) ([][]byte, error) {
	b, err := decoder().DecodeAll(packed, p.b[:0])
	if err != nil {
		return nil, broken(key, err)
	}
	p.b = b
	return bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")), nil
}

// release gives the buffer to the next: its lines are no longer valid.
func (p *plain) release() {
	if cap(p.b) < mostKept {
		plains.Put(p)
	}
}

// decode reads what this program wrote, with the library that encoding/json/v2 is made from: twice as fast, a third of the allocations.
func decode(key string, line []byte, into any) error {
	if err := jsonv2.Unmarshal(line, into); err != nil {
		return broken(key, err)
	}
	return nil
}

func decodeRows[T any](key string, rows [][]byte) ([]T, error) {
	out := make([]T, len(rows))
	for i, row := range rows {
		if err := decode(key, row, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func broken(key string, err error) error {
	return &schema.Error{Kind: schema.KindFailed, Code: "object_broken", Op: "read", Subject: key, Cause: fmt.Errorf("the object is damaged: %w", err),
		Hint: "Something wrote to the run's folder besides Retort, or the store lost data; start a new run."}
}
