package dedup

import (
	"bufio"
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

const blockKeys = 256

// posting is an entry under a key.
type posting struct {
	key uint64
	id  uint32
}

// runWriter writes postings in order of key and entry.
type runWriter struct {
	r    *run
	out  *bufio.Writer
	last uint64
	size int64
	buf  []byte
}

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
	return &runWriter{r: r, out: bufio.NewWriterSize(file, 1<<20)}, nil
}

func (w *runWriter) add(p posting) error {
	r := w.r
	if r.keys%blockKeys == 0 {
		r.starts, r.offsets, w.last = append(r.starts, p.key), append(r.offsets, w.size), p.key
	}
	w.buf = binary.AppendUvarint(w.buf[:0], p.key-w.last)
	rel := p.id - r.first
	w.buf = append(w.buf, byte(rel), byte(rel>>8), byte(rel>>16), byte(rel>>24))[:len(w.buf)+r.width]
	w.last = p.key
	w.size += int64(len(w.buf))
	r.keys++
	r.filter.add(p.key)
	_, err := w.out.Write(w.buf)
	return err
}

func (w *runWriter) close() (*run, error) {
	w.r.offsets = append(w.r.offsets, w.size)
	return w.r, w.out.Flush()
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
			i, _ := slices.BinarySearchFunc(block.postings, w.key, func(p posting, key uint64) int {
				return asInt(p.key > key) - asInt(p.key < key)
			})
			for ; i < len(block.postings) && block.postings[i].key == w.key; i++ {
				yield(w.at, block.postings[i].id)
			}
		}
	}
	return nil
}

// blockReader holds the block that was read last.
type blockReader struct {
	number   int // plus 1; 0 before the first
	raw      []byte
	postings []posting
}

func (b *blockReader) read(r *run, number int) error {
	if b.number == number+1 {
		return nil
	}
	size := r.offsets[number+1] - r.offsets[number]
	b.raw = slices.Grow(b.raw[:0], int(size))[:size]
	if _, err := r.file.ReadAt(b.raw, r.offsets[number]); err != nil {
		return scratchFault(err)
	}
	n := min(blockKeys, r.keys-number*blockKeys)
	b.postings, b.number = b.postings[:0], number+1
	rest, key := b.raw, r.starts[number]
	for range n {
		p, left, err := r.take(rest, key)
		if err != nil {
			return scratchFault(err)
		}
		b.postings, rest, key = append(b.postings, p), left, p.key
	}
	return nil
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
	r     *run
	in    *bufio.Reader
	index int
	key   uint64
	next  posting
	done  bool
}

func (r *run) reader() (*runReader, error) {
	rr := &runReader{r: r, in: bufio.NewReaderSize(io.NewSectionReader(r.file, 0, r.bytes()), 1<<18)}
	return rr, rr.advance()
}

// advance reads the next posting into rr.next.
func (rr *runReader) advance() error {
	if rr.done = rr.index == rr.r.keys; rr.done {
		return nil
	}
	if rr.index%blockKeys == 0 {
		rr.key = rr.r.starts[rr.index/blockKeys]
	}
	raw, err := rr.in.Peek(binary.MaxVarintLen64 + 4)
	if err != nil && err != io.EOF {
		return scratchFault(err)
	}
	p, rest, err := rr.r.take(raw, rr.key)
	if err != nil {
		return scratchFault(err)
	}
	rr.next, rr.key = p, p.key
	rr.index++
	_, err = rr.in.Discard(len(raw) - len(rest))
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
		least := -1
		for i, rr := range readers {
			if !rr.done && (least < 0 || rr.next.key < readers[least].next.key) { // of equal keys the oldest run
				least = i
			}
		}
		if least < 0 {
			return w.close()
		}
		if err := w.add(readers[least].next); err != nil {
			return nil, scratchFault(err)
		}
		if err := readers[least].advance(); err != nil {
			return nil, err
		}
	}
}
