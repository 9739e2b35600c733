package dedup

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func benchTexts(n int) []string {
	r := rand.New(rand.NewPCG(9, 9))
	letters := "etaoinshrdlucmfw"
	vocabulary := make([]string, 20000)
	for i := range vocabulary {
		w := make([]byte, 2+r.IntN(8))
		for j := range w {
			w[j] = letters[r.IntN(len(letters))]
		}
		vocabulary[i] = string(w)
	}
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range 230 {
			b.WriteString(vocabulary[r.IntN(len(vocabulary))])
			b.WriteByte(" ,. \n"[min(4, r.IntN(20))&3])
			b.WriteByte(' ')
		}
		out[i] = b.String()
	}
	return out
}

func BenchmarkSketch(b *testing.B) {
	texts := benchTexts(1000)
	s, _ := NewSketcher(DefaultParams)
	b.SetBytes(int64(len(texts[0])))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Sketch(texts[i%len(texts)])
	}
}
