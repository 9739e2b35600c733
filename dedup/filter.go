package dedup

// filter is a split block Bloom filter (as in Parquet): eight bits in one block of 32 bytes for each key, so that a look
// costs one access to memory.
type filter [][8]uint32

// salts are odd numbers that pick one bit in each of the eight words (from the Parquet format's specification).
var salts = [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

// newFilter has bits bits for each of n keys; with less than 4 it would pass nearly everything, so there is none.
func newFilter(n int, bits float64) filter {
	if bits < 4 {
		return nil
	}
	return make(filter, int(float64(n)*bits/256)+1)
}

func (f filter) bytes() int64 { return int64(len(f)) * 32 }

func (f filter) add(key uint64) {
	if f == nil {
		return
	}
	h := mixFully(key)
	b := &f[(h>>32)*uint64(len(f))>>32]
	for i, salt := range salts {
		b[i] |= 1 << (uint32(h) * salt >> 27)
	}
}

// mayHave is false only where key was never added.
func (f filter) mayHave(key uint64) bool {
	if f == nil {
		return true
	}
	h := mixFully(key)
	b := &f[(h>>32)*uint64(len(f))>>32]
	for i, salt := range salts {
		if b[i]>>(uint32(h)*salt>>27)&1 == 0 {
			return false
		}
	}
	return true
}
