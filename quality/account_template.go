package quality

// Templates: six words in a row that the profile lacks and that come again and again, in more of the stream's records
// than of the twins'. A table counts the records of each 6-gram on either side; its size is fixed. When a quarter of it is in use all
// counts are halved, so that what was seen once goes and what comes again stays.
type sixCounts struct {
	Counts []uint8 // of the stream and of the twins, by turns
	Used   int     // slots that aren't 0 on both sides
}

const (
	sixSlots = 1 << 19
)

func newSixCounts() sixCounts {
	return sixCounts{Counts: make([]uint8, 2*sixSlots)}
}

// compareTemplates is positive where the answer has a 6-gram that the stream has more of than the twins, and the twin
// has none. Both texts are read at their beginning and end, as many words of each.
func (g *Gate) compareTemplates(p *pair) float64 {
	d := clip(g.s.Six.most(p.sixA) - g.s.Six.most(p.sixB))
	g.s.Six.add(p.sixA, sideStream)
	g.s.Six.add(p.sixB, sideTwin)
	return d
}

// ends are the first and the last n/2 words.
func ends(words []uint64, n int) [2][]uint64 {
	if len(words) <= n {
		return [2][]uint64{words, nil}
	}
	return [2][]uint64{words[:n-n/2], words[len(words)-n/2:]}
}

// newSixGrams returns the slots of the text's 6-grams that the profile lacks, each once.
func newSixGrams(p *profile, parts [2][]uint64, to []uint32, seen *counter) []uint32 {
	to = to[:0]
	seen.reset(len(parts[0]) + len(parts[1]))
	for _, words := range parts {
		sixGrams(words, func(h uint64) {
			if !p.Six.has(h) && seen.add(h) == 1 {
				to = append(to, uint32(mix(h)>>20)%sixSlots)
			}
		})
	}
	return to
}

// most is the largest (s − t − 1) / (s + t + 1) over the slots, at least 0: what came once says nothing yet.
func (c *sixCounts) most(slots []uint32) float64 {
	best := 0.0
	for _, i := range slots {
		s, t := c.Counts[2*i], c.Counts[2*i+1]
		if s > t {
			best = max(best, (float64(s)-float64(t)-1)/(float64(s)+float64(t)+1))
		}
	}
	return best
}

func (c *sixCounts) add(slots []uint32, side uint32) {
	for _, i := range slots {
		if c.Counts[2*i] == 0 && c.Counts[2*i+1] == 0 {
			c.Used++
		}
		if x := &c.Counts[2*i+side]; *x < 255 {
			*x++
		}
	}
	if 4*c.Used >= sixSlots {
		c.halve()
	}
}

func (c *sixCounts) halve() {
	c.Used = 0
	for i := 0; i < len(c.Counts); i += 2 {
		c.Counts[i] /= 2
		c.Counts[i+1] /= 2
		if c.Counts[i] != 0 || c.Counts[i+1] != 0 {
			c.Used++
		}
	}
}

func (c *sixCounts) valid() bool {
	return len(c.Counts) == 2*sixSlots && c.Used >= 0
}
