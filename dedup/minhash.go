package dedup

import "slices"

// minhash fills values so that values[i] of two sets agree with probability their Jaccard index, by fast similarity
// sketching (Dahlgaard, Knudsen, Thorup: Fast Similarity Sketching, FOCS 2017): in each round every element goes
// to one place and the smallest hash stays; rounds go on until every place has a value, in the last ones each place
// by itself. Time is O(n + t log t) for n elements and t places, against O(n t) of t permutations.
func minhash(values []uint64, set []uint32) {
	const empty = ^uint64(0)
	t := uint64(len(values))
	for i := range values {
		values[i] = empty
	}
	for round, left := uint64(0), t; left > 0; round++ {
		if round >= t {
			left -= fillPlace(values, set, round, round-t)
			continue
		}
		tag, salt := round<<48, (round+1)*k3
		for _, e := range set {
			x := (uint64(e) ^ salt) * k1
			x = (x ^ x>>32) * k2
			at := (x >> 32) * t >> 32
			values[at] = min(values[at], tag|x&0xffffffff<<16|x>>48)
		}
		left = 0
		for _, v := range values {
			if v == empty {
				left++
			}
		}
	}
}

// fillPlace gives one place the smallest hash of all elements, if it has none; it returns 1 if it did.
func fillPlace(values []uint64, set []uint32, round, at uint64) uint64 {
	if values[at] != ^uint64(0) {
		return 0
	}
	smallest := ^uint64(0)
	for _, e := range set {
		smallest = min(smallest, mixFully(uint64(e)^(round+1)*k3)>>16)
	}
	values[at] = round<<48 | smallest
	return 1
}

// keyBits are the bits of a key of the index. The last ones say what it is of, so that keys of different kinds never
// meet: 0 a band, 01 an exact hash, 11 a prompt.
const keyBits = 40

func bandKey(h uint64) uint64        { return mixFully(h) >> (64 - keyBits) &^ 1 }
func exactKey(exact [16]byte) uint64 { return mixFully(le64(exact[:])^k1)>>(64-keyBits)&^3 | 1 }
func promptKey(prompt uint64) uint64 { return mixFully(prompt^k2)>>(64-keyBits) | 3 }

// bandKeys appends the key of each band: bands of rows values that follow one another, and half as many that take their
// values crosswise, one row further in the next band each. So 128 values in 16 bands of 8 rows give 24 keys, and two texts
// with J = .8 share one with probability .987 instead of .947, at no further hashing of shingles.
func bandKeys(dst []uint64, values []uint64, p Params) []uint64 {
	dst = slices.Grow(dst, p.Keys())
	for b := range p.Bands {
		h := uint64(b+1) * k3
		for _, v := range values[b*p.Rows : (b+1)*p.Rows] {
			h = (h ^ v) * k1
			h ^= h >> 29
		}
		dst = append(dst, bandKey(h))
	}
	for c := range p.Keys() - p.Bands {
		h := uint64(p.Bands+c+1) * k3
		for row, b := 0, 2*c; row < p.Rows; row++ {
			h = (h ^ values[b*p.Rows+row]) * k1
			h ^= h >> 29
			if b++; b == p.Bands {
				b = 0
			}
		}
		dst = append(dst, bandKey(h))
	}
	return dst
}

// signature takes one bit of each of the first 128 values. Two sets agree in (1+J)/2 of the bits (Li and König:
// b-Bit Minwise Hashing, WWW 2010), so that most that are not alike can be passed over without reading them.
func signature(values []uint64) (s [2]uint64) {
	for i, v := range values[:min(len(values), 128)] {
		s[i/64] |= mix(v*k1) >> 63 << (i % 64)
	}
	return s
}
