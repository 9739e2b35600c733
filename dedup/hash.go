package dedup

import "math/bits"

// Odd 64-bit constants with well-spread bits: the golden ratio, and those of splitmix64 (Steele et al. 2014).
const (
	k1 = 0x9e3779b97f4a7c15
	k2 = 0xbf58476d1ce4e5b9
	k3 = 0x94d049bb133111eb
)

// mix spreads every bit of x over all bits; it is one to one.
func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= k2
	x ^= x >> 29
	return x
}

// mixFully is the finalizer of splitmix64.
func mixFully(x uint64) uint64 {
	x = (x ^ x>>30) * k2
	x = (x ^ x>>27) * k3
	return x ^ x>>31
}

// fold takes the next eight bytes of a word into its hash.
func fold(h, chunk uint64) uint64 {
	h = (h ^ chunk) * k1
	return h ^ h>>32
}

// hashWord hashes a folded word as the tokenizer's fast path does: chunks of eight bytes, the last one (perhaps
// empty) padded with zeros.
func hashWord(w []byte) uint64 {
	h := uint64(k3)
	for len(w) >= 8 {
		h = fold(h, le64(w))
		w = w[8:]
	}
	var last uint64
	for i, c := range w {
		last |= uint64(c) << (8 * i)
	}
	return mix(fold(h, last))
}

func le64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// hashMark is the token of a mark (a symbol or a character that stands alone).
func hashMark(r rune) uint64 { return mixFully(uint64(r)*k1 + k2) }

// exactHash folds tokens and the hash of the marks between them into 128 bits.
func exactHash(tokens []uint64, marks uint64) (out [16]byte) {
	a, b := uint64(k1)^marks, uint64(k2)+marks
	for _, t := range tokens {
		a = (a ^ t) * k3
		b = (b + bits.RotateLeft64(t, 32)) * k1
		a ^= a >> 33
	}
	a, b = mixFully(a+uint64(len(tokens))), mixFully(b^a)
	putLE64(out[:8], a)
	putLE64(out[8:], b)
	return out
}

func putLE64(b []byte, v uint64) {
	_ = b[7]
	for i := range 8 {
		b[i] = byte(v >> (8 * i))
	}
}
