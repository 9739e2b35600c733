package dedup

import (
	"slices"
	"sort"
)

// collection holds the entries of the index itself or of one layer, numbered from 0, and leads from keys to them: by
// tables in memory and, beyond its bound, by sorted runs on local disk.
type collection struct {
	dir    string // "" is the system's folder for temporary files
	budget int64  // bytes; 0 is no bound: all stays in memory

	entries entries
	tables  []*table // the last takes new keys; there is one only where there is a bound
	runs    []*run   // oldest first, all older than the tables
	parts   []partEnd
	buf     []byte
}

// partEnd is where the entries of a part of a layer end. The entries of a prompt are chained within their part.
type partEnd struct {
	name string
	end  uint32
}

// endPart makes the entries since the last part one.
func (c *collection) endPart(name string) {
	c.parts = append(c.parts, partEnd{name, c.entries.len()})
}

// open is the number of the first entry after the last part.
func (c *collection) open() uint32 {
	if n := len(c.parts); n > 0 {
		return c.parts[n-1].end
	}
	return 0
}

// part is the number of the part that has id.
func (c *collection) part(id uint32) int {
	return sort.Search(len(c.parts), func(i int) bool { return id < c.parts[i].end })
}

// partName is the name of the part that has id, "" where the collection has none.
func (c *collection) partName(id uint32) string {
	if n := c.part(id); n < len(c.parts) {
		return c.parts[n].name
	}
	return ""
}

const smallTable = 1 << 10

func newCollection(dir string, budget int64) *collection {
	return &collection{dir: dir, budget: max(budget, 0), tables: []*table{newTable(smallTable, 0)}}
}

// add appends an entry. Its number is that of the entries before it.
func (c *collection) add(e *entry) error {
	id := c.entries.len()
	t, err := c.table(id)
	if err != nil {
		return err
	}
	for b, key := range e.sketch.Bands {
		if e.mask>>b&1 != 0 {
			t.insert(key, id)
		}
	}
	if e.first {
		t.insert(exactKey(e.sketch.Exact), id)
	}
	if e.prompt != 0 {
		t.replace(promptKey(e.prompt), id, c.open())
	}
	prev := e.prev
	if prev != 0 {
		prev += c.open()
	}
	c.buf = appendRecord(c.buf[:0], e.id, &e.sketch)
	c.entries.add(meta{prompt: e.prompt, bits: e.sketch.Bits, size: uint32(len(e.sketch.Set)), prev: prev}, c.buf)
	if c.budget > 0 && c.entries.memory > c.budget/8 {
		return c.entries.spill(c.dir)
	}
	return nil
}

// table returns the table for the keys of id, and makes room in it.
func (c *collection) table(id uint32) (*table, error) {
	t := c.tables[len(c.tables)-1]
	switch {
	case c.budget > 0 && t.used > 0 && (id-t.first >= relMask-1 || t.nearlyFull() && t.bytes()*2 > c.budget/4):
		if err := c.flush(t); err != nil {
			return nil, err
		}
		t.first = id
	case id-t.first >= relMask-1:
		t = newTable(smallTable, id)
		c.tables = append(c.tables, t)
	}
	return t, nil
}

// flush writes the table as a run, and merges runs: four of a level become one of the next.
func (c *collection) flush(t *table) error {
	const fanIn = 4
	sorted := t.drain()
	w, err := newRun(c.dir, len(sorted), t.first, c.entries.len(), c.filterBits(len(sorted)))
	if err != nil {
		return err
	}
	for _, s := range sorted {
		if err := w.add(posting{key: s >> relBits, id: t.first + uint32(s&relMask) - 1}); err != nil {
			return err
		}
	}
	r, err := w.close()
	if err != nil {
		return err
	}
	t.clear()
	c.runs = append(c.runs, r)
	for n := len(c.runs); n >= fanIn && c.runs[n-fanIn].level == c.runs[n-1].level; n = len(c.runs) {
		if err := c.mergeLast(fanIn); err != nil {
			return err
		}
	}
	return nil
}

func (c *collection) mergeLast(n int) error {
	old := c.runs[len(c.runs)-n:]
	keys := 0
	for _, r := range old {
		keys += r.keys
		r.filter = nil // its memory is the new filter's; the merge doesn't look keys up
	}
	merged, err := mergeRuns(c.dir, old, c.filterBits(keys))
	if err != nil {
		return err
	}
	merged.level = old[0].level + 1
	for _, r := range old {
		r.file.Close()
	}
	c.runs = append(c.runs[:len(c.runs)-n], merged)
	return nil
}

// filterBits are the bits a key that a new filter of n keys may have: ten, or, where five eighths of the bound don't leave
// so much, four fifths of what is left.
func (c *collection) filterBits(n int) float64 {
	left := c.budget / 8 * 5
	for _, r := range c.runs {
		left -= r.memory()
	}
	return min(10, float64(left)*8*4/5/float64(n))
}

// find appends a hit for each entry of each key, for one key in order of the entries. want is in order of keys.
func (c *collection) find(hits []hit, want []wanted) ([]hit, error) {
	for _, r := range c.runs {
		err := r.find(want, func(at, id uint32) { hits = append(hits, hit{at, id}) })
		if err != nil {
			return nil, err
		}
	}
	for _, t := range c.tables {
		for _, w := range want {
			hits = t.appendHits(hits, w)
		}
	}
	return hits, nil
}

// hit is an entry found under the wanted key with number at.
type hit struct {
	at, id uint32
}

func (c *collection) close() {
	for _, r := range c.runs {
		r.file.Close()
	}
	c.entries.close()
	c.runs, c.tables = nil, nil
}

// Disk is what the index has on local disk, in bytes.
type Disk struct {
	Bands  int64 // sorted keys of bands, exact hashes and prompts
	Verify int64 // sets, ids and what else comparing needs
}

func (c *collection) disk() (d Disk) {
	for _, r := range c.runs {
		d.Bands += r.bytes()
	}
	d.Verify = c.entries.recordEnd + int64(c.entries.base)*metaBytes
	return d
}

func sortWanted(want []wanted) {
	slices.SortFunc(want, func(a, b wanted) int { return asInt(a.key > b.key) - asInt(a.key < b.key) })
}
