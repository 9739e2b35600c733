package dedup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
)

// A segment is segmentMagic and pages, in order of their sequence numbers; a page is its length in bytes, its
// sequence number, the number of its entries, and these. So segments are compacted by putting their pages after
// one another.
const segmentMagic = "retort-dedup-segment-1\n"

// entry is an item as a segment holds it.
type entry struct {
	id     string
	prompt uint64
	mask   uint64 // bands that lead to the entry
	first  bool   // the exact hash leads to the entry
	prev   uint32 // the entry before with the same prompt, plus 1; 0 for none
	sketch Sketch
}

func appendEntry(dst []byte, e *entry) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(e.id)))
	dst = append(dst, e.id...)
	dst = binary.LittleEndian.AppendUint64(dst, e.prompt)
	dst = binary.LittleEndian.AppendUint64(dst, e.mask)
	dst = append(dst, byte(asInt(e.first)))
	dst = binary.LittleEndian.AppendUint32(dst, e.prev)
	return appendSketch(dst, &e.sketch)
}

func takeEntry(b []byte) (e entry, rest []byte, err error) {
	id, b, err := takeBytes(b)
	if err != nil {
		return e, nil, err
	}
	if len(b) < 21 {
		return e, nil, errSketch
	}
	e.id, e.prompt, e.mask, e.first = string(id), le64(b), le64(b[8:]), b[16] == 1
	e.prev = binary.LittleEndian.Uint32(b[17:])
	e.sketch, rest, err = takeSketch(b[21:])
	return e, rest, err
}

// appendPage appends the page of the entries.
func appendPage(dst []byte, seq int, entries []entry) []byte {
	const room = binary.MaxVarintLen32
	at := len(dst)
	dst = append(dst, make([]byte, room)...)
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(seq)), uint64(len(entries)))
	for i := range entries {
		dst = appendEntry(dst, &entries[i])
	}
	putPadded(dst[at:at+room], uint64(len(dst)-at-room))
	return dst
}

// putPadded writes v as a varint that fills b.
func putPadded(b []byte, v uint64) {
	for i := range b[:len(b)-1] {
		b[i] = byte(v) | 0x80
		v >>= 7
	}
	b[len(b)-1] = byte(v)
}

// segmentSize is at least the size of a segment of one page.
func segmentSize(entries []entry) int {
	n := 256
	for i := range entries {
		e := &entries[i]
		n += 128 + len(e.id) + 5*len(e.sketch.Bands) + 4*len(e.sketch.Set)
	}
	return n
}

// eachEntry calls do with every entry of a segment that is of a page with a sequence number above after.
func eachEntry(segment []byte, after int, do func(*entry) error) error {
	b, ok := bytes.CutPrefix(segment, []byte(segmentMagic))
	if !ok {
		return errors.New("not a segment of this program")
	}
	for len(b) > 0 {
		page, rest, err := takeBytes(b)
		if err == nil {
			err = eachOfPage(page, after, do)
		}
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func eachOfPage(page []byte, after int, do func(*entry) error) error {
	seq, page, err := takeUvarint(page)
	if err != nil || seq <= math.MaxInt64 && int64(seq) <= int64(after) {
		return err
	}
	n, page, err := takeUvarint(page)
	for i := uint64(0); i < n && err == nil; i++ {
		var e entry
		if e, page, err = takeEntry(page); err == nil {
			err = do(&e)
		}
	}
	if err == nil && len(page) > 0 {
		err = errors.New("a page is longer than its entries")
	}
	return err
}

// segmentRef names a segment in a root.
type segmentRef struct {
	Key     string `json:"key"`
	SHA256  string `json:"sha256"`
	Bytes   int    `json:"bytes"`
	Level   int    `json:"level"`
	Entries int    `json:"entries"`
	First   int    `json:"first"` // sequence numbers of the pages
	Last    int    `json:"last"`
}
