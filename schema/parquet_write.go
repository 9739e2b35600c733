package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"unsafe"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/metadata"
)

const (
	// DefaultRowGroupBytes is the size of a row group before compression.
	DefaultRowGroupBytes = 100 << 20
	// MostRecordBytes is the most text that one record may hold.
	MostRecordBytes = 256 << 20

	pageBytes  = 1 << 20
	batchRows  = 512
	batchBytes = 1 << 20
)

// Footer keys.
const (
	FooterRun         = "retort.run"
	FooterGeneration  = "retort.generation" // deepest of the records, or "unknown" where one is unknown
	FooterFormat      = "retort.format"
	FooterHuggingFace = "huggingface"
)

// ShardOptions say what a shard holds.
type ShardOptions struct {
	Format        string // FormatMessages, FormatPromptCompletion or FormatText
	Run           string // footer key
	RowGroupBytes int64  // before compression; 0 is DefaultRowGroupBytes

	// Rows and RowBytes, where known, are all the rows to come and all their bytes before compression. Row groups are then
	// cut even; else all but the last have as many rows as the first needed to fill RowGroupBytes.
	Rows     int64
	RowBytes int64

	Spill Spill // where a row group waits until it is whole; nil: in memory
}

// ShardStats describe a finished file.
type ShardStats struct {
	Rows   int64
	Bytes  int64
	SHA256 string // of the file, hex
	Root   string // RFC 6962 Merkle root over the record hashes, hex
}

// ShardWriter writes one shard and hashes file and records on the way. Not for concurrent use. After an error
// every call returns it, and what was written is no shard.
type ShardWriter struct {
	sink    *hashedSink
	memory  *groupMemory
	file    *shardFile
	group   *groupWriter // nil between row groups
	layout  shardLayout
	batch   []leafBatch
	cut     rowGroupCut
	tree    *Tree
	scratch []byte
	err     error

	rows, pendingRows, pendingBytes int64
	deepest                         int32
	unknown                         bool // a record's generation is unknown
}

// NewShardWriter begins a shard of records.
func NewShardWriter(w io.Writer, o ShardOptions) (*ShardWriter, error) {
	return newShardWriter(w, o, false)
}

// RejectWriter writes a file of rejects: a shard's columns, then reason, signal, value, limit, of and match.
type RejectWriter struct{ shard *ShardWriter }

// NewRejectWriter begins a file of rejects.
func NewRejectWriter(w io.Writer, o ShardOptions) (*RejectWriter, error) {
	shard, err := newShardWriter(w, o, true)
	if err != nil {
		return nil, err
	}
	return &RejectWriter{shard}, nil
}

// Write appends a reject.
func (w *RejectWriter) Write(r *Reject) error { return w.shard.write(*r) }

// Close writes the footer. It does not close the underlying writer.
func (w *RejectWriter) Close() (ShardStats, error) { return w.shard.Close() }

// Abandon is ShardWriter's.
func (w *RejectWriter) Abandon() { w.shard.Abandon() }

func newShardWriter(w io.Writer, o ShardOptions, rejects bool) (*ShardWriter, error) {
	layout, err := layoutFor(o.Format, rejects)
	if err != nil {
		return nil, err
	}
	features, err := featuresJSON(layout.columns)
	if err != nil {
		return nil, writeError(err)
	}
	root, err := parquetRoot(layout.columns)
	if err != nil {
		return nil, writeError(err)
	}
	s := &ShardWriter{
		sink: &hashedSink{w: w, sum: sha256.New()}, memory: newGroupMemory(), layout: layout,
		cut: newRowGroupCut(o), tree: NewTree(),
	}
	leaves := leavesOf(layout.columns)
	for _, l := range leaves {
		s.batch = append(s.batch, leafBatch{leaf: l})
	}
	err = s.guarded(func() (err error) {
		s.file, err = newShardFile(s.sink, root, writerProperties(leaves, s.memory), footerKeys(o, features), o.Spill)
		return err
	})
	return s, err
}

func footerKeys(o ShardOptions, features string) metadata.KeyValueMetadata {
	keys := metadata.NewKeyValueMetadata()
	for _, kv := range [][2]string{{FooterRun, validText(o.Run)}, {FooterFormat, o.Format}, {FooterHuggingFace, features}} {
		keys.Append(kv[0], kv[1]) //nolint:errcheck // fails on invalid UTF-8 alone
	}
	return keys
}

// Write appends a record. The record may be changed afterwards, its strings are kept until the batch is written.
func (w *ShardWriter) Write(r *Record) error { return w.write(Reject{Record: *r}) }

func (w *ShardWriter) write(r Reject) error {
	return w.guarded(func() error {
		row := cleaned(r, w.layout.columns)
		if n := textBytes(w.layout.columns, &row); n > MostRecordBytes {
			return fmt.Errorf("record %s holds %d bytes of text; the most is %d", row.ID, n, MostRecordBytes)
		}
		w.scratch = appendCanonical(w.scratch[:0], w.layout.sorted, &row)
		w.tree.Append(sha256.Sum256(w.scratch))
		w.noteGeneration(row.Generation)
		bytes := w.buffer(&row)
		w.rows, w.pendingRows, w.pendingBytes = w.rows+1, w.pendingRows+1, w.pendingBytes+bytes
		full := w.cut.add(bytes)
		if full || w.pendingRows >= batchRows || w.pendingBytes >= batchBytes {
			if err := w.flushBatch(); err != nil {
				return err
			}
		}
		if full {
			return w.closeGroup()
		}
		return nil
	})
}

// Close writes the footer and returns what was written. It does not close the underlying writer.
func (w *ShardWriter) Close() (ShardStats, error) {
	err := w.guarded(func() error {
		if err := w.flushBatch(); err != nil {
			return err
		}
		if err := w.closeGroup(); err != nil {
			return err
		}
		if err := w.file.meta.AppendKeyValueMetadata(FooterGeneration, w.generation()); err != nil {
			return err
		}
		return w.file.close()
	})
	w.Abandon()
	if err != nil {
		return ShardStats{}, err
	}
	root := w.tree.Root()
	return ShardStats{
		Rows: w.rows, Bytes: w.sink.n,
		SHA256: hex.EncodeToString(w.sink.sum.Sum(nil)), Root: hex.EncodeToString(root[:]),
	}, nil
}

// Abandon gives back the memory of a writer that won't be closed. What was written is no shard. After Close it does nothing.
func (w *ShardWriter) Abandon() {
	if w.err == nil {
		w.err = writeError(errors.New("the shard is closed"))
	}
	w.file, w.group = nil, nil
	w.memory.release()
}

// guarded turns Arrow's panics into errors, and looks at sink and spill, whose errors Arrow may lose.
func (w *ShardWriter) guarded(do func() error) (err error) {
	if w.err != nil {
		return w.err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the Parquet library gave up: %v", p)
		}
		if w.file != nil && w.file.spill.err != nil {
			err = w.file.spill.err
		}
		if w.sink.err != nil {
			err = w.sink.err
		}
		if err != nil {
			err = writeError(err)
			w.err = err
		}
	}()
	return do()
}

func writeError(err error) error {
	var mine *Error
	if errors.As(err, &mine) {
		return err
	}
	return &Error{Kind: KindFailed, Code: "parquet-write", Op: "write a shard", Cause: err}
}

func (w *ShardWriter) noteGeneration(g int32) {
	if g == UnknownGeneration {
		w.unknown = true
	}
	w.deepest = max(w.deepest, g)
}

func (w *ShardWriter) generation() string {
	if w.unknown {
		return OriginUnknown
	}
	return strconv.Itoa(int(w.deepest))
}

func (w *ShardWriter) flushBatch() error {
	if w.pendingRows == 0 {
		return nil
	}
	if w.group == nil {
		var err error
		if w.group, err = w.file.newGroup(); err != nil {
			return err
		}
	}
	for i := range w.batch {
		if err := w.batch[i].flush(w.group.columns[i]); err != nil {
			return err
		}
	}
	w.pendingRows, w.pendingBytes = 0, 0
	return nil
}

func (w *ShardWriter) closeGroup() error {
	w.cut.next()
	if w.group == nil {
		return nil
	}
	err := w.group.close()
	w.group = nil
	return err
}

// hashedSink hashes and counts what passes, and keeps the first error.
type hashedSink struct {
	w   io.Writer
	sum hash.Hash
	n   int64
	err error
}

func (s *hashedSink) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	s.sum.Write(b[:n])
	s.n += int64(n)
	s.err = err
	return n, err
}

// byteArray views a string as bytes without a copy; Arrow only reads them.
func byteArray(s string) parquet.ByteArray { return unsafe.Slice(unsafe.StringData(s), len(s)) }
