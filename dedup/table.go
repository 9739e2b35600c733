package dedup

import "math/bits"

// table maps keys of 40 bits to entries, several to a key, by open addressing: a slot holds the key and, in 24 bits,
// the number of the entry after the table's first (from 1, so that an empty slot is 0). A key's home follows from its
// leading bits and the table doesn't wrap around, so that its slots are nearly in order of keys.
type table struct {
	slots []uint64
	shift uint
	used  int
	first uint32 // number of the first entry
}

const (
	relBits  = 24
	relMask  = 1<<relBits - 1
	overflow = 1024 // slots after the last home
)

// newTable has room for n keys; its entries are numbered from first.
func newTable(n int, first uint32) *table {
	b := max(bits.Len(uint(n+n/2)), 10)
	return &table{slots: make([]uint64, 1<<b+overflow), shift: uint(keyBits - b), first: first}
}

// bytes is the memory of the slots.
func (t *table) bytes() int64 { return int64(len(t.slots)) * 8 }

// full says whether the next key makes the table grow.
func (t *table) full() bool { return t.used >= (len(t.slots)-overflow)/4*3 }

// insert adds id under key, after what stands there already.
func (t *table) insert(key uint64, id uint32) {
	if t.full() {
		t.grow()
	}
	for !t.put(key<<relBits | uint64(id-t.first+1)) {
		t.grow()
	}
	t.used++
}

// put finds the first free slot from the key's home on; false where the end is reached.
func (t *table) put(slot uint64) bool {
	for i := slot >> relBits >> t.shift; i < uint64(len(t.slots)); i++ {
		if t.slots[i] == 0 {
			t.slots[i] = slot
			return true
		}
	}
	return false
}

// grow doubles the homes. Slots move in order, so that the entries of a key stay in order.
func (t *table) grow() {
	old := t.slots
	homes := len(old) - overflow
	for {
		homes, t.shift = homes*2, t.shift-1
		t.slots = make([]uint64, homes+overflow)
		if t.refill(old) {
			return
		}
	}
}

func (t *table) refill(old []uint64) bool {
	for _, s := range old {
		if s != 0 && !t.put(s) {
			return false
		}
	}
	return true
}

// appendIDs appends the entries of key below limit, in order.
func (t *table) appendIDs(dst []uint32, key uint64, limit uint32) []uint32 {
	for i := key >> t.shift; i < uint64(len(t.slots)); i++ {
		s := t.slots[i]
		if s == 0 {
			break
		}
		if id := uint32(s&relMask) - 1 + t.first; s>>relBits == key && id < limit {
			dst = append(dst, id)
		}
	}
	return dst
}

// replace makes id the only entry of key.
func (t *table) replace(key uint64, id uint32) {
	for i := key >> t.shift; i < uint64(len(t.slots)) && t.slots[i] != 0; i++ {
		if t.slots[i]>>relBits == key {
			t.slots[i] = key<<relBits | uint64(id-t.first+1)
			return
		}
	}
	t.insert(key, id)
}
