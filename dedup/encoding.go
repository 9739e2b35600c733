package dedup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// sketchFormat is the first byte of an encoded sketch.
const sketchFormat = 1

var errSketch = errors.New("not a sketch")

// AppendBinary appends the compact form of s: format, exact hash, bits, bands of five bytes, and the differences of
// the set as varints; about four bytes a shingle.
func (s *Sketch) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, sketchFormat)
	return appendSketch(dst, s), nil
}

// MarshalBinary is AppendBinary to a new slice.
func (s *Sketch) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// DecodeSketch reads what AppendBinary wrote, and returns an error for anything else.
func DecodeSketch(b []byte) (Sketch, error) {
	if len(b) == 0 || b[0] != sketchFormat {
		return Sketch{}, errSketch
	}
	s, rest, err := takeSketch(b[1:])
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes too many", errSketch, len(rest))
	}
	return s, err
}

func appendSketch(dst []byte, s *Sketch) []byte {
	dst = append(dst, s.Exact[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, s.Bits[0])
	dst = binary.LittleEndian.AppendUint64(dst, s.Bits[1])
	dst = append(dst, byte(len(s.Bands)))
	for _, k := range s.Bands {
		dst = append(dst, byte(k), byte(k>>8), byte(k>>16), byte(k>>24), byte(k>>32))
	}
	return appendSet(dst, s.Set)
}

// takeSketch reads a sketch from the start of b and returns what follows it.
func takeSketch(b []byte) (s Sketch, rest []byte, err error) {
	if len(b) < 33 {
		return Sketch{}, nil, errSketch
	}
	copy(s.Exact[:], b)
	s.Bits = [2]uint64{le64(b[16:]), le64(b[24:])}
	n := int(b[32])
	b = b[33:]
	if n > 64 || len(b) < 5*n {
		return Sketch{}, nil, errSketch
	}
	s.Bands = make([]uint64, n)
	for i := range s.Bands {
		s.Bands[i] = uint64(binary.LittleEndian.Uint32(b)) | uint64(b[4])<<32
		b = b[5:]
	}
	s.Set, rest, err = takeSet(nil, b)
	return s, rest, err
}

// appendSet appends the size of set and its differences.
func appendSet(dst []byte, set []uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(set)))
	last := uint32(0)
	for _, h := range set {
		dst = binary.AppendUvarint(dst, uint64(h-last))
		last = h
	}
	return dst
}

// takeSet appends the set at the start of b to dst and returns what follows it.
func takeSet(dst []uint32, b []byte) (set []uint32, rest []byte, err error) {
	n, b, err := takeUvarint(b)
	if err != nil || n > uint64(len(b)) { // an element takes a byte at least
		return nil, nil, errSketch
	}
	dst = slices.Grow(dst, int(n))
	last := uint64(0)
	for i := range n {
		var d uint64
		if d, b, err = takeUvarint(b); err != nil {
			return nil, nil, err
		}
		if last += d; d > 1<<32-1 || last > 1<<32-1 || d == 0 && i > 0 {
			return nil, nil, fmt.Errorf("%w: its set is not in order", errSketch)
		}
		dst = append(dst, uint32(last))
	}
	return dst, b, nil
}

func takeUvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errSketch
	}
	return v, b[n:], nil
}

func takeBytes(b []byte) (value, rest []byte, err error) {
	n, b, err := takeUvarint(b)
	if err != nil || n > uint64(len(b)) {
		return nil, nil, errSketch
	}
	return b[:n], b[n:], nil
}
