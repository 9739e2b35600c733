package schema

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// shardFile puts a Parquet file together from Arrow's parts. Arrow's own file writer keeps a row group in memory until it is whole:
// here its pages wait in a spill. The bytes are those that Arrow's would write. (TestShardIsWhatArrowWrites)
type shardFile struct {
	sink   *hashedSink
	props  *parquet.WriterProperties
	meta   *metadata.FileMetaDataBuilder
	spill  spilled
	packed []byte // a compressed page, until it is written: one for all columns
	groups int16
}

// parquetMagic begins and ends a file.
const parquetMagic = "PAR1"

func newShardFile(sink *hashedSink, root *schema.GroupNode, props *parquet.WriterProperties, keys metadata.KeyValueMetadata, spill Spill) (*shardFile, error) {
	f := &shardFile{sink: sink, props: props, meta: metadata.NewFileMetadataBuilder(schema.NewSchema(root), props, keys)}
	f.spill.file = spill
	_, err := sink.Write([]byte(parquetMagic))
	return f, err
}

// close writes the footer.
func (f *shardFile) close() error {
	meta, err := f.meta.Finish()
	if err != nil {
		return err
	}
	n, err := meta.WriteTo(f.sink, nil)
	if err != nil {
		return err
	}
	_, err = f.sink.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(n)), parquetMagic...)) //nolint:gosec // of a footer
	return err
}

// groupWriter is a row group that is being written.
type groupWriter struct {
	file    *shardFile
	meta    *metadata.RowGroupMetaDataBuilder
	ordinal int16
	columns []file.ColumnChunkWriter
	pages   []*columnPages
}

func (f *shardFile) newGroup() (*groupWriter, error) {
	g := &groupWriter{file: f, meta: f.meta.AppendRowGroup(), ordinal: f.groups}
	f.groups++
	f.spill.end = 0
	for i := range int16(g.meta.NumColumns()) { //nolint:gosec // some twenty
		meta := g.meta.NextColumnChunk()
		path := meta.Descr().Path()
		p := &columnPages{file: f, meta: meta, pages: columnSpill{to: &f.spill}, dictionary: map[parquet.Encoding]int32{}, data: map[parquet.Encoding]int32{}}
		w, err := file.NewPageWriter(&p.pages, f.props.CompressionFor(path), f.props.CompressionLevelFor(path), meta, g.ordinal, i, f.props.Allocator(), false, nil, nil)
		if err != nil {
			return nil, err
		}
		counts, ok := w.(pageCounts)
		if !ok {
			return nil, fmt.Errorf("a page writer of type %T doesn't count", w)
		}
		p.PageWriter, p.counts = w, counts
		g.columns, g.pages = append(g.columns, file.NewColumnChunkWriter(meta, p, f.props)), append(g.pages, p)
	}
	return g, nil
}

// close writes the columns to the file, one after the other.
func (g *groupWriter) close() error {
	var bytes int64
	rows := g.columns[0].RowsWritten()
	for i, c := range g.columns {
		if n := c.RowsWritten(); n != rows {
			return fmt.Errorf("column %d has %d rows, the first one %d", i, n, rows)
		}
		if err := c.Close(); err != nil {
			return err
		}
		bytes += c.TotalBytesWritten()
		g.columns[i] = nil
	}
	g.meta.SetNumRows(rows)
	return g.meta.Finish(bytes, g.ordinal)
}

// pageCounts is what Arrow's page writer knows of the pages that it wrote; offsets are of its sink.
type pageCounts interface {
	NumValues() int64
	DictionaryPageOffset() int64
	DataPageoffset() int64
	TotalCompressedSize() int64
	TotalUncompressedSize() int64
}

// columnPages takes the pages of a column to the spill, and from there to the file.
type columnPages struct {
	file.PageWriter
	counts           pageCounts
	file             *shardFile
	meta             *metadata.ColumnChunkMetaDataBuilder
	pages            columnSpill
	dictionary, data map[parquet.Encoding]int32
}

// Compress keeps the page in a buffer that all columns share: it is written or copied before the next one is compressed.
func (p *columnPages) Compress(_ *bytes.Buffer, src []byte) []byte {
	p.file.packed = zstdPages{}.Encode(p.file.packed, src)
	return p.file.packed
}

func (p *columnPages) WriteDictionaryPage(page *file.DictionaryPage) (int64, error) {
	p.dictionary[parquet.Encoding(page.Encoding())]++
	return p.PageWriter.WriteDictionaryPage(page)
}

func (p *columnPages) WriteDataPage(page file.DataPage) (int64, error) {
	p.data[parquet.Encoding(page.Encoding())]++
	return p.PageWriter.WriteDataPage(page)
}

// Close copies the column to the file, where only now its place is known.
func (p *columnPages) Close(hasDict, fallback bool) error {
	at := p.file.sink.n
	info := metadata.ChunkMetaInfo{NumValues: p.counts.NumValues(), IndexPageOffset: -1, DataPageOffset: at + p.counts.DataPageoffset(),
		CompressedSize: p.counts.TotalCompressedSize(), UncompressedSize: p.counts.TotalUncompressedSize()}
	if len(p.dictionary) > 0 {
		info.DictPageOffset = at + p.counts.DictionaryPageOffset()
	}
	stats := metadata.EncodingStats{DictEncodingStats: p.dictionary, DataEncodingStats: p.data}
	if err := p.meta.Finish(info, hasDict, fallback, stats, nil); err != nil {
		return err
	}
	if _, err := p.meta.WriteTo(&p.pages); err != nil {
		return err
	}
	return p.pages.copyTo(p.file.sink)
}
