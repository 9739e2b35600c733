package dedup

// leastRun is the number of shingles in a row that a text must have in common with another for them to be left out.
// With word 5-grams that is a run of 12 words: an answer that takes up a term of its question keeps it.
const leastRun = 8

// stripper leaves out shingles that come in long runs from other texts.
type stripper struct {
	known map[uint32]struct{}
	kept  []uint32
}

func (s *stripper) reset() { clear(s.known) }

// stripText makes the shingles of text known to the stripper.
func (s *Sketcher) stripText(text string) {
	s.cut.cut(text)
	if len(s.cut.tokens) < s.params.Shingle {
		return
	}
	if s.strip.known == nil {
		s.strip.known = map[uint32]struct{}{}
	}
	s.shingles = shingle(s.shingles[:0], s.cut.tokens, s.params.Shingle)
	for _, h := range s.shingles {
		s.strip.known[h] = struct{}{}
	}
}

// apply returns shingles without the known runs; all of them where nothing would be left.
func (s *stripper) apply(shingles []uint32) []uint32 {
	if len(s.known) < leastRun || len(shingles) < leastRun {
		return shingles
	}
	s.kept = s.kept[:0]
	for i := 0; i < len(shingles); {
		n := s.run(shingles[i:])
		if n < leastRun {
			n = max(n, 1)
			s.kept = append(s.kept, shingles[i:i+n]...)
		}
		i += n
	}
	if len(s.kept) == 0 || len(s.kept) == len(shingles) {
		return shingles
	}
	return s.kept
}

// run counts the known shingles at the start.
func (s *stripper) run(shingles []uint32) int {
	for i, h := range shingles {
		if _, ok := s.known[h]; !ok {
			return i
		}
	}
	return len(shingles)
}
