package quality

import "math/bits"

// bitmap is a set of hashes that may hold more than was put in, never less: a bit a hash. Its size is fixed.
type bitmap struct {
	Bits []uint64
	Set  int // bits that are 1
}

func newBitmap(logBits int) bitmap { return bitmap{Bits: make([]uint64, 1<<logBits/64)} }

func (b *bitmap) at(h uint64) (word int, bit uint64) {
	h = mix(h) & uint64(64*len(b.Bits)-1)
	return int(h / 64), 1 << (h % 64)
}

func (b *bitmap) has(h uint64) bool {
	w, bit := b.at(h)
	return b.Bits[w]&bit != 0
}

func (b *bitmap) add(h uint64) {
	w, bit := b.at(h)
	if b.Bits[w]&bit == 0 {
		b.Bits[w] |= bit
		b.Set++
	}
}

// valid says whether a decoded bitmap can be used.
func (b *bitmap) valid() bool {
	n := 0
	for _, w := range b.Bits {
		n += bits.OnesCount64(w)
	}
	return len(b.Bits) > 0 && len(b.Bits)&(len(b.Bits)-1) == 0 && n == b.Set
}

func mix(h uint64) uint64 {
	h ^= h >> 29
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>32
}
