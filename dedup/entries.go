package dedup

import "encoding/binary"

// meta is what every look at an entry needs; the rest stands in the log.
type meta struct {
	prompt uint64    // hash of the prompt's id, 0 for none
	bits   [2]uint64 // of the sketch
	offset uint64    // of the record in the log
	length uint32    // of the record in the log
	size   uint32    // elements of the set
	prev   uint32    // the entry before with the same prompt, plus 1; 0 for none
}

// record is an entry's part that is read only for candidates.
type record struct {
	id    string
	exact [16]byte
	set   []uint32
}

func appendRecord(dst []byte, id string, s *Sketch) []byte {
	dst = append(dst, s.Exact[:]...)
	dst = binary.AppendUvarint(dst, uint64(len(id)))
	dst = append(dst, id...)
	return appendSet(dst, s.Set)
}

// takeRecord reads what appendRecord wrote; the set is appended to buf.
func takeRecord(b []byte, buf []uint32) (r record, err error) {
	if len(b) < len(r.exact) {
		return r, errSketch
	}
	copy(r.exact[:], b)
	id, b, err := takeBytes(b[len(r.exact):])
	if err != nil {
		return r, err
	}
	r.id = string(id)
	r.set, _, err = takeSet(buf, b)
	return r, err
}

// memory keeps entries in memory: their metas, and their records in chunks.
type memory struct {
	metas  []meta
	chunks [][]byte
}

// chunkBytes is the size of a chunk; a record never spans two.
const chunkBytes = 1 << 20

func (m *memory) len() uint32 { return uint32(len(m.metas)) }

func (m *memory) add(e meta, rec []byte) error {
	n := len(m.chunks)
	if n == 0 || len(m.chunks[n-1])+len(rec) > cap(m.chunks[n-1]) {
		m.chunks = append(m.chunks, make([]byte, 0, max(chunkBytes, len(rec))))
		n++
	}
	at := len(m.chunks[n-1])
	m.chunks[n-1] = append(m.chunks[n-1], rec...)
	e.offset, e.length = uint64(n-1)<<32|uint64(at), uint32(len(rec))
	m.metas = append(m.metas, e)
	return nil
}

func (m *memory) meta(id uint32) (meta, error) { return m.metas[id], nil }

func (m *memory) record(e meta, buf []uint32) (record, error) {
	at := uint32(e.offset)
	return takeRecord(m.chunks[e.offset>>32][at:at+e.length], buf)
}
