package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// BenchmarkProveAMillion publishes a signed version of a million records (RETORT_BENCH_RECORDS: another number) in 16 shards and measures the commands:
// prove, from finding the record to the file, and verify of that file with an empty store.
//
//	go test ./cmd/retort -run xxx -bench ProveAMillion -benchtime 1x -timeout 30m
func BenchmarkProveAMillion(b *testing.B) {
	records := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("RETORT_BENCH_RECORDS")); err == nil {
		records = n
	}
	const shards = 16
	s := newShelf(b)
	s.publish(1, "r1", func(m *schema.Manifest) {
		m.Shards = m.Shards[:0]
		for i := range shards {
			m.Shards = append(m.Shards, s.shard("r1", i, i*records/shards, records/shards))
		}
		m.Counts.Planned, m.Counts.Admitted = int64(records/shards*shards), int64(records/shards*shards)
	})
	file := filepath.Join(s.dir, "proof.json")
	wanted := s.record("r1", records/3).ID
	full := s.store
	for b.Loop() {
		s.store = full
		start := time.Now()
		if out, status := s.do("prove", "d", wanted, "-o", file); status != 0 {
			b.Fatal(out)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/prove")
		s.store = store.NewMemory("empty")
		start = time.Now()
		if out, status := s.do("verify", "--proof", file, "--key", s.public); status != 0 {
			b.Fatal(out)
		}
		b.ReportMetric(time.Since(start).Seconds()*1000, "ms/verify")
	}
	text, err := os.ReadFile(file)
	s.must(err)
	p, err := provenance.ParseProof(text)
	s.must(err)
	inclusion, err := json.Marshal(p.Inclusion)
	s.must(err)
	b.ReportMetric(float64(len(inclusion)), "B/inclusion")
	b.ReportMetric(float64(len(text)), "B/file")
}
