package dedup

// Memory is what the index holds in memory, in bytes: its tables, filters and newest entries, and those of its layers.
func (ix *Index) Memory() (n int64) {
	for _, l := range ix.layers {
		n += l.memory()
	}
	if ix.own != nil {
		n += ix.own.memory()
	}
	return n
}

func (c *collection) memory() (n int64) {
	for _, t := range c.tables {
		n += t.bytes()
	}
	for _, r := range c.runs {
		n += r.memory()
	}
	return n + c.entries.memory
}
