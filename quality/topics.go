package quality

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Topics are clusters of the profile's records by their words: spherical k-means over hashed words weighted by inverse
// document frequency, with a fixed seed, so that the same profile gives the same topics.
const (
	topicCount  = 60
	topicDims   = 4096
	topicSample = 4000
	topicRounds = 8
	topicWords  = 128 // of a text, that its topic is told by
)

type topics struct {
	IDF     []float32 // by dimension; 0: too common to say anything
	Centers []float32 // topicDims rows of topicCount
}

// topicVector is a sparse vector of unit length.
type topicVector struct {
	dims    []uint16
	weights []float32
}

func topicDim(w uint64) uint16 { return uint16(mix(w) % topicDims) }

func newTopics(records [][]uint64, seed uint64) *topics {
	rng := rand.New(rand.NewPCG(seed, 60))
	if len(records) > topicSample {
		records = slices.Clone(records)
		rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		records = records[:topicSample]
	}
	t := &topics{IDF: make([]float32, topicDims), Centers: make([]float32, topicDims*topicCount)}
	t.countDocuments(records)
	vectors := make([]topicVector, len(records))
	for i, r := range records {
		vectors[i] = t.vector(r, topicVector{})
	}
	if len(vectors) < 2*topicCount { // too few to cluster: one topic
		return t
	}
	for c, i := range rng.Perm(len(vectors))[:topicCount] {
		t.addTo(t.Centers, vectors[i], c)
	}
	for range topicRounds {
		next := make([]float32, len(t.Centers))
		for _, v := range vectors {
			t.addTo(next, v, t.nearest(v))
		}
		t.normalize(next)
		t.Centers = next
	}
	return t
}

func (t *topics) countDocuments(records [][]uint64) {
	df := make([]float64, topicDims)
	for _, r := range records {
		var seen [topicDims / 64]uint64
		for _, w := range r {
			d := topicDim(w)
			if seen[d/64]>>(d%64)&1 == 0 {
				seen[d/64] |= 1 << (d % 64)
				df[d]++
			}
		}
	}
	for d, n := range df {
		if n > 0 && n < 0.2*float64(len(records)) {
			t.IDF[d] = float32(math.Log(float64(len(records)) / n))
		}
	}
}

// vector reuses v's memory.
func (t *topics) vector(words []uint64, v topicVector) topicVector {
	v.dims, v.weights = v.dims[:0], v.weights[:0]
	words = words[:min(len(words), topicWords)]
	var seen [topicDims / 64]uint64
	norm := 0.0
	for _, w := range words {
		d := topicDim(w)
		idf := t.IDF[d]
		if idf == 0 || seen[d/64]>>(d%64)&1 == 1 {
			continue
		}
		seen[d/64] |= 1 << (d % 64)
		v.dims = append(v.dims, d)
		v.weights = append(v.weights, idf)
		norm += float64(idf) * float64(idf)
	}
	if norm > 0 {
		s := float32(1 / math.Sqrt(norm))
		for i := range v.weights {
			v.weights[i] *= s
		}
	}
	return v
}

func (t *topics) addTo(centers []float32, v topicVector, c int) {
	for i, d := range v.dims {
		centers[int(d)*topicCount+c] += v.weights[i]
	}
}

func (t *topics) normalize(centers []float32) {
	var norm [topicCount]float64
	for i, x := range centers {
		norm[i%topicCount] += float64(x) * float64(x)
	}
	for i := range centers {
		if n := norm[i%topicCount]; n > 0 {
			centers[i] = float32(float64(centers[i]) / math.Sqrt(n))
		}
	}
}

// nearest returns the topic with the largest cosine.
func (t *topics) nearest(v topicVector) int {
	var dot [topicCount]float32
	for i, d := range v.dims {
		w := v.weights[i]
		row := (*[topicCount]float32)(t.Centers[int(d)*topicCount:])
		for c := range dot {
			dot[c] += float32(w * row[c])
		}
	}
	best := 0
	for c, x := range dot {
		if x > dot[best] {
			best = c
		}
	}
	return best
}

// of returns the topic of a text.
func (t *topics) of(words []uint64) int { return t.nearest(t.vector(words, topicVector{})) }
