package prompt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// CodeSourceChanged is the code of the hold when a pinned file is no longer what it was.
const CodeSourceChanged = "source_changed"

// Columns says what is wanted of a file. Of Parquet nothing else is read.
type Columns struct {
	Need []string // it is a fault where a Parquet or CSV file has no such column
	Want []string // read where they are there
	All  bool     // read everything; Need still holds
}

// Rows streams the rows of a pinned file, in order. A fault of a row (as schema.Faults) may be followed by further rows; any
// other error is the last.
func (a *Access) Rows(ctx context.Context, f schema.PinnedFile, columns Columns) iter.Seq2[Row, error] {
	format, compression, ok := schema.SourceFormat(f.Name)
	if !ok {
		return failed(rowFault(f.Name, 0, "is no format that is read", "give .parquet, .jsonl, .csv or .txt, or these with .gz or .zst"))
	}
	if format == ".parquet" {
		return a.parquetRows(ctx, f, compression, columns)
	}
	return func(yield func(Row, error) bool) {
		stream, err := a.open(ctx, f, compression)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer stream.Close() //nolint:errcheck // only read
		switch format {
		case ".jsonl":
			readJSONL(f.Name, stream, yield)
		case ".csv":
			readCSV(f.Name, stream, columns.Need, yield)
		default:
			readText(f.Name, stream, yield)
		}
	}
}

func failed(err error) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) { yield(Row{}, err) }
}

// open streams a pinned file, unpacked.
func (a *Access) open(ctx context.Context, f schema.PinnedFile, compression string) (io.ReadCloser, error) {
	raw, err := a.openRaw(ctx, f)
	if err != nil {
		return nil, err
	}
	plain, err := unpack(raw, compression)
	if err != nil {
		raw.Close() //nolint:errcheck // the first error counts
		return nil, readFault(f.Name, 0, err)
	}
	return plain, nil
}

func (a *Access) openRaw(ctx context.Context, f schema.PinnedFile) (io.ReadCloser, error) {
	if IsLocal(f) {
		file, err := openRegular(f.Key)
		if err != nil {
			return nil, changed(f, causeOf(err))
		}
		return &verified{Reader: contextReader{ctx, file}, Closer: file, file: f, hash: sha256.New()}, nil
	}
	s, err := a.bucket(f.Bucket)
	if err != nil {
		return nil, err
	}
	body, err := s.Open(ctx, f.Key, f.ETag)
	return body, asChanged(f, err)
}

// asChanged turns the store's words for a changed or vanished object into a hold.
func asChanged(f schema.PinnedFile, err error) error {
	if errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrNotFound) {
		return changed(f, err)
	}
	return err
}

func changed(f schema.PinnedFile, cause error) error {
	return &schema.Error{Kind: schema.KindHold, Code: CodeSourceChanged, Op: "read source", Subject: f.Name,
		Cause: fmt.Errorf("it is not what it was when the run was planned: %w", cause), Hint: "put the file back as it was, or cancel this run and start a new one"}
}

// verified checks at its end that a local file is still what was pinned.
type verified struct {
	io.Reader
	io.Closer
	file schema.PinnedFile
	hash hash.Hash
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.Reader.Read(p)
	v.hash.Write(p[:n]) //nolint:errcheck // a hash never fails
	if err == io.EOF && hex.EncodeToString(v.hash.Sum(nil)) != LocalSHA256(v.file) {
		return n, changed(v.file, errors.New("its content differs"))
	}
	return n, err
}

// maxZstdWindow is what a zstd file may make us keep: the format's recommended limit for decoders is 8 MiB, `zstd --long` uses 128.
const maxZstdWindow = 128 << 20

func unpack(raw io.ReadCloser, compression string) (io.ReadCloser, error) {
	switch compression {
	case ".gz":
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, err
		}
		return both{z, closers{z, raw}}, nil
	case ".zst":
		z, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		return both{z, closers{z.IOReadCloser(), raw}}, nil
	}
	return raw, nil
}

type both struct {
	io.Reader
	io.Closer
}

type closers []io.Closer

func (cs closers) Close() error {
	var first error
	for _, c := range cs {
		if err := c.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// readFault says what went wrong while a file was read. Our own errors, and those of the store, pass unchanged.
func readFault(file string, line int64, err error) error {
	var known *schema.Error
	var faults schema.Faults
	switch {
	case errors.As(err, &known), errors.As(err, &faults), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, errRowTooLong):
		return rowFault(file, line, fmt.Sprintf("the row that begins here has more than %d MiB", MaxRowBytes>>20), "check that rows are separated by line ends; split or shorten this row")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return rowFault(file, line, "ends too early", "the file is cut off: copy it again")
	case isPackingError(err):
		return rowFault(file, line, "can't be unpacked: "+err.Error(), "check that the file is what its name says (.gz or .zst) and whole")
	}
	return err
}

func isPackingError(err error) bool {
	for _, e := range []error{gzip.ErrHeader, gzip.ErrChecksum, zstd.ErrMagicMismatch, zstd.ErrCRCMismatch, zstd.ErrWindowSizeExceeded,
		zstd.ErrWindowSizeTooSmall, zstd.ErrReservedBlockType, zstd.ErrCompressedSizeTooBig, zstd.ErrBlockTooSmall, zstd.ErrUnexpectedBlockSize, zstd.ErrFrameSizeExceeded, zstd.ErrFrameSizeMismatch, zstd.ErrDecoderSizeExceeded, zstd.ErrUnknownDictionary} {
		if errors.Is(err, e) {
			return true
		}
	}
	var corrupt interface{ CorruptInputError() }
	return errors.As(err, &corrupt)
}
