package dedup

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// A set is written as its size and then, by size, whole hashes of four bytes; or the lower three or two bytes of each, and
// the upper ones as a bitmap in which element i with upper part u sets bit u+i (Elias 1974, Fano 1971, cut at bytes).
// That is 3.3 bytes an element for a text of 230 words.

// lowBytes are the bytes of an element that are written out.
func lowBytes(n int) int {
	switch {
	case n < 64:
		return 4
	case n < 1<<14:
		return 3
	}
	return 2
}

// bitmapBytes is the size of the bitmap for n elements with low bytes written out.
func bitmapBytes(n, low int) int {
	if low == 4 {
		return 0
	}
	return (n + 1<<(32-8*low) + 7) / 8
}

func appendSet(dst []byte, set []uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(set)))
	low := lowBytes(len(set))
	at, end := len(dst), len(dst)+low*len(set)+bitmapBytes(len(set), low)
	dst = slices.Grow(dst, end-at+4)[:end+4] // an element is written as four bytes, of which the next overwrites the rest
	for _, h := range set {
		binary.LittleEndian.PutUint32(dst[at:], h)
		at += low
	}
	dst = dst[:end]
	bitmap := dst[at:]
	clear(bitmap)
	if low < 4 {
		for i, h := range set {
			bit := int(h>>(8*low)) + i
			bitmap[bit>>3] |= 1 << (bit & 7)
		}
	}
	return dst
}

// takeSet appends the set at the start of b to dst and returns what follows it.
func takeSet(dst []uint32, b []byte) (set []uint32, rest []byte, err error) {
	size, b, err := takeUvarint(b)
	if err != nil || size > uint64(len(b))/2 { // an element takes two bytes at least
		return nil, nil, errSketch
	}
	n := int(size)
	low := lowBytes(n)
	end := low*n + bitmapBytes(n, low)
	if len(b) < end {
		return nil, nil, errSketch
	}
	start := len(dst)
	dst = slices.Grow(dst, n)[:start+n]
	set = dst[start:]
	if low == 4 {
		for i := range set {
			set[i] = binary.LittleEndian.Uint32(b[4*i:])
		}
	} else if !takeParts(set, b[:low*n], b[low*n:end], low) {
		return nil, nil, fmt.Errorf("%w: the bitmap of its set is not of %d elements", errSketch, n)
	}
	for i := 1; i < n; i++ {
		if set[i] <= set[i-1] {
			return nil, nil, fmt.Errorf("%w: its set is not in order", errSketch)
		}
	}
	return dst, b[end:], nil
}

// takeParts puts lower and upper parts together; false where the bitmap has not one bit for each element, or one beyond
// the last upper part.
func takeParts(set []uint32, lows, bitmap []byte, low int) bool {
	i := 0
	for at, word := range bitmap {
		for ; word != 0; word &= word - 1 {
			upper := 8*at + bits.TrailingZeros8(word) - i
			if i == len(set) || upper >= 1<<(32-8*low) {
				return false
			}
			h := uint32(lows[i*low]) | uint32(lows[i*low+1])<<8
			if low == 3 {
				h |= uint32(lows[i*low+2]) << 16
			}
			set[i] = h | uint32(upper)<<(8*low)
			i++
		}
	}
	return i == len(set)
}
