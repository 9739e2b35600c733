package dedup

import (
	"encoding/binary"
	"io"
	"os"
	"slices"
	"sort"
)

// run is a file of keys with their entries, sorted, on local disk: blocks of blockKeys keys, each key as the difference
// to the one before and the entry after the run's first in three bytes or four. In memory stand the first key of each
// block and a filter of all keys.
type run struct {
	file    *os.File
	level   int
	keys    int
	first   uint32 // numbers of the entries: from first below last
	last    uint32
	width   int      // bytes of an entry
	starts  []uint64 // first key of each block
	offsets []int64  // of each block, and the end
	filter  filter
}

const blockKeys = 128

// posting is an entry under a key.
type posting struct {
	key uint64
	id  uint32
}

// runWriter writes postings in order of key and entry.
type runWriter struct {
	r    *run
	last uint64
	size int64
	buf  []byte // not yet written
}

// ioBytes is the size of a read or write of runs that are read or written from end to end.
const ioBytes = 1 << 18

// newRun starts a run of n postings about the entries from first below last.
func newRun(dir string, n int, first, last uint32, bits float64) (*runWriter, error) {
	file, err := scratchFile(dir)
	if err != nil {
		return nil, err
	}
	r := &run{file: file, first: first, last: last, width: 3, filter: newFilter(n, bits)}
	if last-first > 1<<24 {
		r.width = 4
	}
	return &runWriter{r: r, buf: make([]byte, 0, ioBytes)}, nil
}

func (w *runWriter) add(p posting) error {
	r := w.r
	if r.keys%blockKeys == 0 {
		r.starts, r.offsets, w.last = append(r.starts, p.key), append(r.offsets, w.size), p.key
	}
	before := len(w.buf)
	w.buf = binary.AppendUvarint(w.buf, p.key-w.last)
	rel := p.id - r.first
	w.buf = append(w.buf, byte(rel), byte(rel>>8), byte(rel>>16))
	if r.width == 4 {
		w.buf = append(w.buf, byte(rel>>24))
	}
	w.last = p.key
	w.size += int64(len(w.buf) - before)
	r.keys++
	r.filter.add(p.key)
	if len(w.buf) > ioBytes-64 {
		return w.flush()
	}
	return nil
}

func (w *runWriter) flush() error {
	if _, err := w.r.file.Write(w.buf); err != nil {
		return scratchFault(err)
	}
	w.buf = w.buf[:0]
	return nil
}

func (w *runWriter) close() (*run, error) {
	w.r.offsets = append(w.r.offsets, w.size)
	return w.r, w.flush()
}

// bytes is the run's size on disk.
func (r *run) bytes() int64 { return r.offsets[len(r.offsets)-1] }

// memory is what the run holds in memory.
func (r *run) memory() int64 { return int64(len(r.starts))*16 + r.filter.bytes() }

// wanted is a key to be looked up, with the caller's number for it.
type wanted struct {
	key uint64
	at  uint32
}

// find calls yield with the entries of the wanted keys, which are in order, so that the blocks are read in order and
// each but once.
func (r *run) find(want []wanted, yield func(at, id uint32)) error {
	var block blockReader
	for _, w := range want {
		if !r.filter.mayHave(w.key) {
			continue
		}
		// the block before the first that starts at or after the key may end with it
		b := max(sort.Search(len(r.starts), func(i int) bool { return r.starts[i] >= w.key })-1, 0)
		for ; b < len(r.starts) && r.starts[b] <= w.key; b++ {
			if err := block.read(r, b); err != nil {
				return err
			}
			if err := block.find(r, w, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

// blockReader holds the block that was read last.
type blockReader struct {
	number int // plus 1; 0 before the first
	raw    []byte
}

func (b *blockReader) read(r *run, number int) (err error) {
	if b.number != number+1 {
		b.number = number + 1
		b.raw, err = r.readBlocks(b.raw, number, number+1)
	}
	return err
}

// find yields the block's entries of a key; it reads no further than they are.
func (b *blockReader) find(r *run, w wanted, yield func(at, id uint32)) error {
	number := b.number - 1
	raw, key := b.raw, r.starts[number]
	for range r.keysOf(number) {
		p, rest, err := r.take(raw, key)
		if err != nil {
			return scratchFault(err)
		}
		if p.key == w.key {
			yield(w.at, p.id)
		} else if p.key > w.key {
			return nil
		}
		raw, key = rest, p.key
	}
	return nil
}

// keysOf is the number of keys in a block.
func (r *run) keysOf(number int) int { return min(blockKeys, r.keys-number*blockKeys) }

// readBlocks reads the blocks from first below end into buf.
func (r *run) readBlocks(buf []byte, first, end int) ([]byte, error) {
	size := int(r.offsets[end] - r.offsets[first])
	buf = slices.Grow(buf[:0], size)[:size]
	if _, err := r.file.ReadAt(buf, r.offsets[first]); err != nil {
		return buf, scratchFault(err)
	}
	return buf, nil
}

// decode appends the postings of a block.
func (r *run) decode(dst []posting, raw []byte, number int) ([]posting, error) {
	key := r.starts[number]
	for range r.keysOf(number) {
		p, rest, err := r.take(raw, key)
		if err != nil {
			return dst, scratchFault(err)
		}
		dst, raw, key = append(dst, p), rest, p.key
	}
	return dst, nil
}

// take reads one posting.
func (r *run) take(b []byte, last uint64) (posting, []byte, error) {
	delta, n := binary.Uvarint(b)
	if n <= 0 || len(b) < n+r.width {
		return posting{}, nil, io.ErrUnexpectedEOF
	}
	b = b[n:]
	rel := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	if r.width == 4 {
		rel |= uint32(b[3]) << 24
	}
	return posting{key: last + delta, id: r.first + rel}, b[r.width:], nil
}

// runReader reads a run from its start to its end.
type runReader struct {
	r        *run
	raw      []byte // several blocks
	from     int    // the first of them, and the end
	to       int
	block    int // the next to be decoded
	postings []posting
	next     int // posting
	done     bool
}

func (r *run) reader() (*runReader, error) {
	rr := &runReader{r: r}
	return rr, rr.decode()
}

// posting is the one at hand, where the reader isn't done.
func (rr *runReader) posting() posting { return rr.postings[rr.next] }

// advance goes to the next posting.
func (rr *runReader) advance() error {
	if rr.next++; rr.next < len(rr.postings) {
		return nil
	}
	return rr.decode()
}

// decode goes to the next block.
func (rr *runReader) decode() (err error) {
	r := rr.r
	if rr.block == len(r.starts) {
		rr.done = true
		return nil
	}
	if rr.block == rr.to {
		rr.from, rr.to = rr.to, rr.to+1
		for rr.to < len(r.starts) && r.offsets[rr.to+1]-r.offsets[rr.from] < ioBytes {
			rr.to++
		}
		if rr.raw, err = r.readBlocks(rr.raw, rr.from, rr.to); err != nil {
			return err
		}
	}
	rr.postings, err = r.decode(rr.postings[:0], rr.raw[r.offsets[rr.block]-r.offsets[rr.from]:], rr.block)
	rr.next = 0
	rr.block++
	return err
}

// mergeRuns writes neighbouring runs, oldest first, as one.
func mergeRuns(dir string, runs []*run, bits float64) (*run, error) {
	n, readers := 0, make([]*runReader, len(runs))
	for i, r := range runs {
		n += r.keys
		rr, err := r.reader()
		if err != nil {
			return nil, err
		}
		readers[i] = rr
	}
	w, err := newRun(dir, n, runs[0].first, runs[len(runs)-1].last, bits)
	if err != nil {
		return nil, err
	}
	for {
		least, key := -1, ^uint64(0)
		for i, rr := range readers {
			if !rr.done && rr.posting().key < key { // of equal keys the oldest run
				least, key = i, rr.posting().key
			}
		}
		if least < 0 {
			return w.close()
		}
		if err := w.add(readers[least].posting()); err != nil {
			return nil, err
		}
		if err := readers[least].advance(); err != nil {
			return nil, err
		}
	}
}
