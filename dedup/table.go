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

// appendHits appends the entries of a key, in order.
func (t *table) appendHits(dst []hit, w wanted) []hit {
	for i := w.key >> t.shift; i < uint64(len(t.slots)) && t.slots[i] != 0; i++ {
		if s := t.slots[i]; s>>relBits == w.key {
			dst = append(dst, hit{w.at, uint32(s&relMask) - 1 + t.first})
		}
	}
	return dst
}

// nearlyFull says whether the keys of one more entry could make the table grow.
func (t *table) nearlyFull() bool { return t.used+64+2 >= (len(t.slots)-overflow)/4*3 }

// drain moves all slots to the front, sorts them by key and entry, and returns them; the table must be cleared then.
func (t *table) drain() []uint64 {
	n := 0
	for _, s := range t.slots {
		if s != 0 {
			t.slots[n] = s
			n++
		}
	}
	sorted := t.slots[:n]
	for i := 1; i < n; i++ { // nearly sorted: only keys of one cluster are out of order
		x, j := sorted[i], i
		for j > 0 && sorted[j-1] > x {
			sorted[j] = sorted[j-1]
			j--
		}
		sorted[j] = x
	}
	return sorted
}

func (t *table) clear() {
	clear(t.slots)
	t.used = 0
}

// replace makes id the only entry of key among those from first on.
func (t *table) replace(key uint64, id, first uint32) {
	for i := key >> t.shift; i < uint64(len(t.slots)) && t.slots[i] != 0; i++ {
		if t.slots[i]>>relBits == key && uint32(t.slots[i]&relMask)-1+t.first >= first {
			t.slots[i] = key<<relBits | uint64(id-t.first+1)
			return
		}
	}
	t.insert(key, id)
}
