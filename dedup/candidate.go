package dedup

// onPage says whether id is an item of the page, and which of the entered ones.
func (d *decider) onPage(id ref) (int, bool) {
	if id.collection() == len(d.ix.layers) && id.id() >= d.limit {
		return int(id.id() - d.limit), true
	}
	return 0, false
}

func (d *decider) meta(id ref) (meta, error) {
	if n, ok := d.onPage(id); ok {
		return d.metas[n], nil
	}
	if f, ok := d.shares[d.share].fetched[id]; ok {
		return f.meta, nil
	}
	return d.ix.collection(id.collection()).entries.meta(id.id())
}

// read returns an entry; the set is valid until the next call.
func (d *decider) read(id ref) (m meta, r record, err error) {
	if m, err = d.meta(id); err != nil {
		return m, r, err
	}
	if n, ok := d.onPage(id); ok {
		it := &d.page[d.entered[n]]
		return m, record{id: it.ID, exact: it.Sketch.Exact, set: it.Sketch.Set}, nil
	}
	raw := d.shares[d.share].fetched[id].raw
	if raw == nil {
		if raw, err = d.ix.collection(id.collection()).entries.raw(id.id(), &m, d.raw); err != nil {
			return m, r, err
		}
	}
	if r, err = takeRecord(raw, d.set[:0]); err != nil {
		return m, r, scratchFault(err)
	}
	d.set = r.set
	return m, r, nil
}

func (d *decider) name(id ref) (string, error) {
	_, r, err := d.read(id)
	return r.id, err
}
