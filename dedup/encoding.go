package dedup

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// sketchFormat is the first byte of an encoded sketch.
const sketchFormat = 1

var errSketch = errors.New("not a sketch")

// AppendBinary appends the compact form of s: format, exact hash, bits, bands of five bytes, and the set in
// three to four bytes a shingle.
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
		if s.Bands[i]&1 != 0 {
			return Sketch{}, nil, fmt.Errorf("%w: band %d is none", errSketch, i)
		}
		b = b[5:]
	}
	s.Set, rest, err = takeSet(nil, b)
	return s, rest, err
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
