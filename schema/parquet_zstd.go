package schema

import (
	"io"
	"sync"

	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/klauspost/compress/zstd"
)

const (
	zstdLevel  = 3
	zstdWindow = 4 << 20 // bytes; pages are about pageBytes
)

// zstdPages replaces Arrow's own codec, which makes a new encoder (and its tables) for every page, and decodes
// to whatever size a corrupted page claims.
type zstdPages struct{}

func init() { compress.RegisterCodec(compress.Codecs.Zstd, zstdPages{}) }

var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(zstdLevel)),
		zstd.WithWindowSize(zstdWindow),
		zstd.WithZeroFrames(true), // Arrow expects a frame for an empty page too
		zstd.WithLowerEncoderMem(true),
	)
	if err != nil {
		panic(err) // fixed options
	}
	return e
})

var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(mostPageBytes), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // fixed options
	}
	return d
})

func (zstdPages) Encode(dst, src []byte) []byte { return zstdEncoder().EncodeAll(src, dst[:0]) }

// EncodeLevel ignores the level: this program writes with one.
func (z zstdPages) EncodeLevel(dst, src []byte, _ int) []byte { return z.Encode(dst, src) }

// Decode panics on corrupted data, as Arrow's codecs do; ReadRecords recovers.
func (zstdPages) Decode(dst, src []byte) []byte {
	out, err := zstdDecoder().DecodeAll(src, dst[:0])
	if err != nil {
		panic(err)
	}
	return out
}

func (zstdPages) CompressBound(n int64) int64 { return n + n>>8 + 1024 }

func (zstdPages) NewReader(r io.Reader) io.ReadCloser {
	d, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(mostPageBytes))
	if err != nil {
		panic(err) // fixed options
	}
	return d.IOReadCloser()
}

func (z zstdPages) NewWriter(w io.Writer) io.WriteCloser {
	e, err := z.NewWriterLevel(w, zstdLevel)
	if err != nil {
		panic(err) // fixed options
	}
	return e
}

func (zstdPages) NewWriterLevel(w io.Writer, level int) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)))
}
