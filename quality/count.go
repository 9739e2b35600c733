package quality

// counter is a reusable hash table from 64-bit keys to counts. A stamp empties it in no time. Keys are hashes: two
// different keys are taken as different texts, equal keys as equal ones (a clash within a record has odds of 2^-40).
type counter struct {
	slots []slot
	stamp uint32
	used  int
	mask  uint64
}

type slot struct {
	key   uint64
	stamp uint32
	count int32
}

// reset empties the table and makes room for n keys.
func (c *counter) reset(n int) {
	size := 64
	for size < 2*n {
		size *= 2
	}
	if size > len(c.slots) {
		c.slots = make([]slot, size)
		c.stamp = 0
	}
	// A small text in a large table would touch cold memory: use a part of it.
	c.mask = uint64(size - 1)
	c.used = 0
	c.stamp++
	if c.stamp == 0 {
		clear(c.slots)
		c.stamp = 1
	}
}

// add counts key and returns its count with this one.
func (c *counter) add(key uint64) int32 {
	for i := (key * 0x9e3779b97f4a7c15 >> 20) & c.mask; ; i = (i + 1) & c.mask {
		s := &c.slots[i]
		if s.stamp != c.stamp {
			*s = slot{key, c.stamp, 1}
			c.used++
			return 1
		}
		if s.key == key {
			s.count++
			return s.count
		}
	}
}

// addSlot counts key and returns where.
func (c *counter) addSlot(key uint64) int32 {
	for i := (key * 0x9e3779b97f4a7c15 >> 20) & c.mask; ; i = (i + 1) & c.mask {
		s := &c.slots[i]
		if s.stamp != c.stamp {
			*s = slot{key, c.stamp, 1}
			c.used++
			return int32(i)
		}
		if s.key == key {
			s.count++
			return int32(i)
		}
	}
}

// has says whether key was added.
func (c *counter) has(key uint64) bool {
	for i := (key * 0x9e3779b97f4a7c15 >> 20) & c.mask; ; i = (i + 1) & c.mask {
		s := &c.slots[i]
		if s.stamp != c.stamp {
			return false
		}
		if s.key == key {
			return true
		}
	}
}
