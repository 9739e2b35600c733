package dedup

// Sketch is all that deciding about a text needs of it.
type Sketch struct {
	Exact [16]byte  // hash of the normalized text: words and marks in order, whatever case and white space
	Bits  [2]uint64 // one bit of each of up to 128 MinHash values
	Bands []uint64  // Params.Keys keys of the LSH bands, 40 bits each; none where the text is empty
	Set   []uint32  // sorted distinct shingle hashes
}

// Empty says that the text had neither a word nor a mark.
func (s *Sketch) Empty() bool { return len(s.Set) == 0 }

// Sketcher makes sketches. It keeps buffers, so each goroutine needs its own.
type Sketcher struct {
	params   Params
	cut      tokenizer
	sort     sorter
	strip    stripper
	shingles []uint32
	values   []uint64
}

// NewSketcher returns an error of KindInvalid where p is out of bounds.
func NewSketcher(p Params) (*Sketcher, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	return &Sketcher{params: p, values: make([]uint64, p.Bands*p.Rows)}, nil
}

// Sketch sketches text. Long runs that it has in common with one of the texts in without (the template's own words,
// the prompt when it is echoed) are left out of the shingles, unless nothing would be left; the exact hash is of the
// whole text. A text with fewer tokens than a shingle is one shingle, marks included: it has no near-duplicates but
// its equals. A text without any sign is Empty, and never a duplicate.
func (s *Sketcher) Sketch(text string, without ...string) Sketch {
	var out Sketch
	s.SketchInto(&out, text, without...)
	return out
}

// SketchInto is Sketch that uses the slices of out again.
func (s *Sketcher) SketchInto(out *Sketch, text string, without ...string) {
	s.strip.reset()
	for _, w := range without {
		s.stripText(w)
	}
	s.cut.cut(text)
	out.Bands, out.Set = out.Bands[:0], out.Set[:0]
	out.Bits, out.Exact = [2]uint64{}, exactHash(s.cut.tokens, s.cut.marks)
	if len(s.cut.tokens) == 0 && !s.cut.marked {
		return
	}
	out.Set = append(out.Set, s.set(out.Exact)...)
	minhash(s.values, out.Set)
	out.Bits = signature(s.values)
	out.Bands = bandKeys(out.Bands, s.values, s.params)
}

// set returns the distinct shingles of the text that was cut last, in a buffer.
func (s *Sketcher) set(exact [16]byte) []uint32 {
	s.shingles = s.shingles[:0]
	if len(s.cut.tokens) < s.params.Shingle {
		s.shingles = append(s.shingles, uint32(le64(exact[:])>>32))
		return s.shingles
	}
	s.shingles = shingle(s.shingles, s.cut.tokens, s.params.Shingle)
	return s.sort.distinct(s.strip.apply(s.shingles))
}
