package llm

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkParallel: tokens a second by how many requests are computed together.
func BenchmarkParallel(b *testing.B) {
	for _, o := range []Options{{Parallel: 1}, {Parallel: 2}, {Parallel: 4}, {Parallel: 8}, {Parallel: 16}} {
		b.Run(fmt.Sprintf("parallel=%d,threads=%d", o.Parallel, max(1, o.Threads)), func(b *testing.B) {
			s := started(b, SmolLM2, o)
			var tokens atomic.Int64
			at := time.Now()
			for b.Loop() {
				var all sync.WaitGroup
				for i := range 16 {
					all.Go(func() {
						a := ask(b, s, fmt.Sprintf("What does function number %d of a library do?", i), 100, int64(i))
						tokens.Add(int64(a.Usage.CompletionTokens))
					})
				}
				all.Wait()
			}
			b.ReportMetric(float64(tokens.Load())/time.Since(at).Seconds(), "tokens/s")
		})
	}
}
