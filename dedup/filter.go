package dedup

// filter is a split block Bloom filter (as in Parquet): eight bits in one block of 32 bytes for each key, so that a look
// costs one access to memory. Keys are hashes, so the block follows from the leading bits of the key itself: what is added
// or looked up in order of keys goes through memory in order.
type filter [][8]uint32

// newFilter has bits bits for each of n keys; with less than 4 it would pass nearly everything, so there is none.
func newFilter(n int, bits float64) filter {
	if bits < 4 {
		return nil
	}
	return make(filter, int(float64(n)*bits/256)+1)
}

func (f filter) bytes() int64 { return int64(len(f)) * 32 }

// place returns the block of a key, and the bits that pick its bits there.
func (f filter) place(key uint64) (*[8]uint32, uint32) {
	return &f[key>>(keyBits-32)*uint64(len(f))>>32], uint32(mixFully(key))
}

func (f filter) add(key uint64) {
	if f == nil {
		return
	}
	b, x := f.place(key)
	b[0] |= 1 << (x * salt0 >> 27)
	b[1] |= 1 << (x * salt1 >> 27)
	b[2] |= 1 << (x * salt2 >> 27)
	b[3] |= 1 << (x * salt3 >> 27)
	b[4] |= 1 << (x * salt4 >> 27)
	b[5] |= 1 << (x * salt5 >> 27)
	b[6] |= 1 << (x * salt6 >> 27)
	b[7] |= 1 << (x * salt7 >> 27)
}

// mayHave is false only where key was never added.
func (f filter) mayHave(key uint64) bool {
	if f == nil {
		return true
	}
	b, x := f.place(key)
	return (b[0]>>(x*salt0>>27))&(b[1]>>(x*salt1>>27))&(b[2]>>(x*salt2>>27))&(b[3]>>(x*salt3>>27))&
		(b[4]>>(x*salt4>>27))&(b[5]>>(x*salt5>>27))&(b[6]>>(x*salt6>>27))&(b[7]>>(x*salt7>>27))&1 == 1
}

// Odd numbers that pick one bit in each of the eight words (from the Parquet format's specification).
const (
	salt0, salt1, salt2, salt3 = 0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d
	salt4, salt5, salt6, salt7 = 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31
)
