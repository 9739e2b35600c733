package prompt

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"os"
)

const idBytes = int64(len(id{}))

// pageIDs is the number of ids read at once when a run is searched: 4 KiB.
const pageIDs = 256

// run is a sorted file of different ids with a Bloom filter in memory.
type run struct {
	file  *os.File
	n     int64
	level int
	bloom bloom
	page  [pageIDs * idBytes]byte
}

// writeRun writes the n ids that fill emits, which must be sorted.
func writeRun(folder string, level int, n int64, fill func(emit func(id) error) error) (*run, error) {
	file, err := os.CreateTemp(folder, "run-")
	if err != nil {
		return nil, err
	}
	r := &run{file: file, n: n, level: level, bloom: newBloom(n)}
	w := bufio.NewWriterSize(file, 1<<20)
	err = fill(func(k id) error {
		r.bloom.add(k)
		_, err := w.Write(k[:])
		return err
	})
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		r.remove()
		return nil, err
	}
	return r, nil
}

func (r *run) remove() {
	r.file.Close()           //nolint:errcheck // it is being thrown away
	os.Remove(r.file.Name()) //nolint:errcheck // Close of the set removes the folder
}

// has searches by interpolation: ids are hashes, evenly spread, so that the first page read is nearly always the right one.
func (r *run) has(k id) (bool, error) {
	if !r.bloom.has(k) {
		return false, nil
	}
	lo, hi := int64(0), r.n // k's place is in [lo, hi)
	low, high := uint64(0), ^uint64(0)
	want := binary.BigEndian.Uint64(k[:8])
	for lo < hi {
		from := lo + scale(want, low, high, hi-lo) - pageIDs/2
		from = max(lo, min(from, hi-pageIDs))
		n := min(pageIDs, hi-from)
		page := r.page[:n*idBytes]
		if _, err := r.file.ReadAt(page, from*idBytes); err != nil {
			return false, err
		}
		first, last := page[:idBytes], page[(n-1)*idBytes:]
		switch {
		case bytes.Compare(k[:], first) < 0:
			hi, high = from, binary.BigEndian.Uint64(first)
		case bytes.Compare(k[:], last) > 0:
			lo, low = from+n, binary.BigEndian.Uint64(last)
		default:
			return inPage(page, k), nil
		}
	}
	return false, nil
}

// scale is n · (want − low) / (high − low), from 0 to n.
func scale(want, low, high uint64, n int64) int64 {
	if want <= low || high <= low {
		return 0
	}
	if want >= high {
		return n
	}
	hi, lo := bits.Mul64(want-low, uint64(n))
	q, _ := bits.Div64(hi, lo, high-low) // want < high, so that hi < high-low
	return int64(q)
}

func inPage(page []byte, k id) bool {
	lo, hi := 0, len(page)/int(idBytes)
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := bytes.Compare(page[mid*int(idBytes):(mid+1)*int(idBytes)], k[:]); {
		case c == 0:
			return true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return false
}

// mergeRuns writes the ids of several runs, which have none in common, as one.
func mergeRuns(folder string, runs []*run) (*run, error) {
	var total int64
	heads := make([]*head, 0, len(runs))
	for _, r := range runs {
		total += r.n
		h := &head{r: bufio.NewReaderSize(io.NewSectionReader(r.file, 0, r.n*idBytes), 256<<10)}
		if err := h.next(); err != nil {
			return nil, err
		}
		heads = append(heads, h)
	}
	return writeRun(folder, runs[0].level+1, total, func(emit func(id) error) error {
		for {
			least := smallest(heads)
			if least == nil {
				return nil
			}
			if err := emit(least.k); err != nil {
				return err
			}
			if err := least.next(); err != nil {
				return err
			}
		}
	})
}

// head is the next id of a run that is being merged.
type head struct {
	r    *bufio.Reader
	k    id
	done bool
}

func (h *head) next() error {
	_, err := io.ReadFull(h.r, h.k[:])
	if errors.Is(err, io.EOF) {
		h.done = true
		return nil
	}
	return err
}

func smallest(heads []*head) *head {
	var least *head
	for _, h := range heads {
		if !h.done && (least == nil || bytes.Compare(h.k[:], least.k[:]) < 0) {
			least = h
		}
	}
	return least
}

// Bloom filter of 10 bits an id and 7 probes: about 0.8% of look-ups go to the disk in vain (Bloom 1970).
const (
	bloomBits   = 10
	bloomProbes = 7
)

type bloom []uint64

func newBloom(n int64) bloom { return make(bloom, (n*bloomBits+63)/64+1) }

// probes double-hashes the id, which is a hash itself (Kirsch and Mitzenmacher 2006).
func (b bloom) probes(k id, each func(word int, bit uint64) bool) bool {
	h, step := binary.LittleEndian.Uint64(k[:8]), binary.LittleEndian.Uint64(k[8:])|1
	for range bloomProbes {
		at, _ := bits.Mul64(h, uint64(len(b))*64)
		if !each(int(at/64), 1<<(at%64)) {
			return false
		}
		h += step
	}
	return true
}

func (b bloom) add(k id) {
	b.probes(k, func(word int, bit uint64) bool { b[word] |= bit; return true })
}

func (b bloom) has(k id) bool {
	return b.probes(k, func(word int, bit uint64) bool { return b[word]&bit != 0 })
}
