package dedup

import (
	"encoding/binary"
	"os"
)

// meta is what every look at an entry needs; the rest stands in its record.
type meta struct {
	prompt uint64    // hash of the prompt's id, 0 for none
	bits   [2]uint64 // of the sketch
	offset uint64    // of the record: chunk and place in memory, or place in the file
	length uint32    // of the record
	size   uint32    // elements of the set
	prev   uint32    // the entry before with the same prompt, plus 1; 0 for none
}

// metaBytes is a meta's size on disk, metaMemory in memory.
const (
	metaBytes  = 44
	metaMemory = 48
)

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

// entries keeps metas and records: the newest in memory, and, where there is a bound, the older ones in two files.
type entries struct {
	base   uint32 // entries below it are in the files
	metas  []meta
	chunks [][]byte
	memory int64

	metaFile, recordFile *os.File
	recordEnd            int64
}

// chunkBytes is the size of a chunk; a record never spans two.
const chunkBytes = 1 << 20

func (e *entries) len() uint32 { return e.base + uint32(len(e.metas)) }

func (e *entries) add(m meta, rec []byte) {
	n := len(e.chunks)
	if n == 0 || len(e.chunks[n-1])+len(rec) > cap(e.chunks[n-1]) {
		size := max(chunkBytes, len(rec))
		if n == 0 {
			size = max(1<<14, len(rec))
		}
		e.chunks = append(e.chunks, make([]byte, 0, size))
		e.memory += int64(size)
		n++
	}
	at := len(e.chunks[n-1])
	e.chunks[n-1] = append(e.chunks[n-1], rec...)
	m.offset, m.length = uint64(n-1)<<32|uint64(at), uint32(len(rec))
	e.metas = append(e.metas, m)
	e.memory += metaMemory
}

// spill moves what is in memory to the files.
func (e *entries) spill(dir string) (err error) {
	if e.metaFile == nil {
		if e.metaFile, err = scratchFile(dir); err != nil {
			return err
		}
		if e.recordFile, err = scratchFile(dir); err != nil {
			return err
		}
	}
	buf := make([]byte, 0, len(e.metas)*metaBytes)
	end := e.recordEnd
	for _, m := range e.metas {
		m.offset = uint64(end)
		end += int64(m.length)
		buf = m.append(buf)
	}
	for at, chunk := e.recordEnd, 0; chunk < len(e.chunks); chunk++ {
		if _, err := e.recordFile.WriteAt(e.chunks[chunk], at); err != nil {
			return scratchFault(err)
		}
		at += int64(len(e.chunks[chunk]))
	}
	if _, err := e.metaFile.WriteAt(buf, int64(e.base)*metaBytes); err != nil {
		return scratchFault(err)
	}
	e.base, e.recordEnd = e.len(), end
	e.metas, e.chunks, e.memory = e.metas[:0], nil, 0
	return nil
}

func (e *entries) meta(id uint32) (m meta, err error) {
	if id >= e.base {
		return e.metas[id-e.base], nil
	}
	var b [metaBytes]byte
	if _, err := e.metaFile.ReadAt(b[:], int64(id)*metaBytes); err != nil {
		return m, scratchFault(err)
	}
	m.take(b[:])
	return m, nil
}

// raw returns the bytes of the record of id, which has meta m; buf may be used for them.
func (e *entries) raw(id uint32, m *meta, buf []byte) ([]byte, error) {
	if id >= e.base {
		at := uint32(m.offset)
		return e.chunks[m.offset>>32][at : at+m.length], nil
	}
	if cap(buf) < int(m.length) {
		buf = make([]byte, m.length)
	}
	buf = buf[:m.length]
	if _, err := e.recordFile.ReadAt(buf, int64(m.offset)); err != nil {
		return nil, scratchFault(err)
	}
	return buf, nil
}

func (m *meta) append(dst []byte) []byte {
	for _, v := range [4]uint64{m.prompt, m.bits[0], m.bits[1], m.offset} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	for _, v := range [3]uint32{m.length, m.size, m.prev} {
		dst = binary.LittleEndian.AppendUint32(dst, v)
	}
	return dst
}

func (m *meta) take(b []byte) {
	m.prompt, m.bits[0], m.bits[1], m.offset = le64(b), le64(b[8:]), le64(b[16:]), le64(b[24:])
	m.length, m.size, m.prev = binary.LittleEndian.Uint32(b[32:]), binary.LittleEndian.Uint32(b[36:]), binary.LittleEndian.Uint32(b[40:])
}

func (e *entries) close() {
	if e.metaFile != nil {
		e.metaFile.Close()
	}
	if e.recordFile != nil {
		e.recordFile.Close()
	}
}
