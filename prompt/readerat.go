package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// MaxUnpackedBytes bounds a compressed Parquet file once it is unpacked onto the disk.
const MaxUnpackedBytes = 16 << 30

// openAt opens a pinned file for reading anywhere, as Parquet needs it.
func (a *Access) openAt(ctx context.Context, f schema.PinnedFile, compression string) (io.ReaderAt, int64, io.Closer, error) {
	if compression != "" {
		return a.unpackToDisk(ctx, f, compression)
	}
	if IsLocal(f) {
		file, err := openRegular(f.Key)
		if err != nil {
			return nil, 0, nil, changed(f, causeOf(err))
		}
		if info, err := file.Stat(); err != nil || info.Size() != f.Bytes {
			file.Close() //nolint:errcheck // the first error counts
			return nil, 0, nil, changed(f, errors.New("its size differs"))
		}
		return file, f.Bytes, file, nil
	}
	s, err := a.bucket(f.Bucket)
	if err != nil {
		return nil, 0, nil, err
	}
	return newBlocks(ctx, s, f), f.Bytes, io.NopCloser(nil), nil
}

// unpackToDisk unpacks into a file of the scratch folder, which is gone when it is closed.
func (a *Access) unpackToDisk(ctx context.Context, f schema.PinnedFile, compression string) (_ io.ReaderAt, _ int64, _ io.Closer, err error) {
	packed, err := a.open(ctx, f, compression)
	if err != nil {
		return nil, 0, nil, err
	}
	defer packed.Close() //nolint:errcheck // only read
	file, err := os.CreateTemp(a.Scratch, "retort-*.parquet")
	if err != nil {
		return nil, 0, nil, err
	}
	out := temporary{file}
	size, err := io.Copy(file, io.LimitReader(contextReader{ctx, packed}, MaxUnpackedBytes+1))
	if err == nil && size > MaxUnpackedBytes {
		err = rowFault(f.Name, 0, fmt.Sprintf("has more than %d GiB unpacked", MaxUnpackedBytes>>30), "give the Parquet file as it is: it is compressed inside")
	}
	if err != nil {
		out.Close() //nolint:errcheck // the first error counts
		return nil, 0, nil, readFault(f.Name, 0, err)
	}
	return file, size, out, nil
}

type temporary struct{ *os.File }

func (t temporary) Close() error {
	err := t.File.Close()
	os.Remove(t.Name()) //nolint:errcheck // a scratch file
	return err
}

// Blocks that are kept of an object: each column of a row group is read from front to back, so a few blocks serve many reads.
const (
	blockBytes = 1 << 20
	blocksKept = 16
)

// blocks is an object as an io.ReaderAt: ranges of a fixed size, the last few kept, each of the pinned ETag.
type blocks struct {
	ctx   context.Context
	store store.Store
	file  schema.PinnedFile
	kept  map[int64][]byte
	order []int64 // oldest first
}

func newBlocks(ctx context.Context, s store.Store, f schema.PinnedFile) *blocks {
	return &blocks{ctx: ctx, store: s, file: f, kept: map[int64][]byte{}}
}

// ReadAt is not safe for use by several goroutines; Arrow reads with one.
func (b *blocks) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		at := off + int64(done)
		if at >= b.file.Bytes {
			return done, io.EOF
		}
		block, err := b.block(at / blockBytes)
		if err != nil {
			return done, err
		}
		from := at % blockBytes
		if from >= int64(len(block)) {
			return done, io.ErrUnexpectedEOF
		}
		done += copy(p[done:], block[from:])
	}
	return done, nil
}

func (b *blocks) block(n int64) ([]byte, error) {
	if got, ok := b.kept[n]; ok {
		return got, nil
	}
	from := n * blockBytes
	got, err := b.store.ReadRange(b.ctx, b.file.Key, b.file.ETag, from, min(blockBytes, b.file.Bytes-from))
	if err != nil {
		return nil, asChanged(b.file, err)
	}
	if len(b.order) == blocksKept {
		delete(b.kept, b.order[0])
		b.order = b.order[1:]
	}
	b.kept[n] = got
	b.order = append(b.order, n)
	return got, nil
}
