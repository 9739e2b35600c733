package main

import (
	"context"
	"strings"
	"time"

	"github.com/retort-data/retort/local/site"
)

// memory is what the first worker's memory consists of, sampled four times a second: peaks in MB.
type memory struct {
	Index     float64 `json:"index_mb"`      // of near-duplicates, as the worker reports it
	LessIndex float64 `json:"less_index_mb"` // resident at a time, less the index then
}

// indexBytes is the worker's gauge, with a label for each dataset.
const indexBytes = "retort_index_bytes"

// sampleMemory samples until ctx ends; the channel then has the peaks.
func (s *bench) sampleMemory(ctx context.Context) <-chan memory {
	out := make(chan memory, 1)
	go func() {
		var m memory
		for ticks := time.NewTicker(250 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				ticks.Stop()
				out <- m
				return
			case <-ticks.C:
			}
			resident := s.Process(site.Worker(0)).ResidentMB()
			gauges, err := s.Gauges(ctx, 0)
			if err != nil {
				continue // it is being started, or killed
			}
			var index float64
			for name, v := range gauges {
				if strings.HasPrefix(name, indexBytes) {
					index += v / (1 << 20)
				}
			}
			m.Index, m.LessIndex = max(m.Index, index), max(m.LessIndex, resident-index)
		}
	}()
	return out
}
