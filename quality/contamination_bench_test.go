package quality

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// BenchmarkHundredSets takes in 100 evaluation sets of 1,000 items of 100 words, and inspects answers against them.
func BenchmarkHundredSets(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	word := func() string { return fmt.Sprintf("w%d", rng.IntN(50_000)) }
	text := func(n int) string {
		words := make([]string, n)
		for i := range words {
			words[i] = word()
		}
		return strings.Join(words, " ")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	e := NewEvaluations(0, 0)
	for set := range 100 {
		for item := range 1000 {
			e.AddRow(fmt.Sprintf("set%d.jsonl", set), int64(item), map[string]any{"question": text(100)})
		}
	}
	e.Seal()
	runtime.GC()
	runtime.ReadMemStats(&after)
	answers := make([][]uint64, 100)
	for i := range answers {
		var t benchText
		answers[i] = t.words(text(230))
	}
	b.ResetTimer()
	for i := range b.N {
		e.most(answers[i%len(answers)])
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
	b.ReportMetric(float64(e.Items()), "items")
}

type benchText struct{ text }

func (t *benchText) words(s string) []uint64 {
	t.reset(s)
	return fold(nil, &t.text)
}
