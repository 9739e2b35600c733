package dedup

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Tables and runs lead from the same keys to the same entries, in order, however many grow and merge.
func TestTablesAndRunsFindTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	want := map[uint64][]uint32{}
	all := newTable(0, 100)
	var runs []*run
	part := newTable(0, 100)
	var keys []uint64
	for id := uint32(100); id < 8100; id++ {
		key := r.Uint64() >> (64 - keyBits)
		if id%3 == 0 && len(keys) > 0 {
			key = keys[r.IntN(min(len(keys), 50))] // a key with many entries
		}
		keys = append(keys, key)
		want[key] = append(want[key], id)
		all.insert(key, id)
		part.insert(key, id)
		if id%1000 == 99 {
			runs = append(runs, runOf(t, part, id+1))
			part.clear()
			part.first = id + 1
		}
	}
	merged, err := mergeRuns(t.TempDir(), runs[:5], 3)
	if err != nil {
		t.Fatal(err)
	}
	runs = append([]*run{merged}, runs[5:]...)
	var wanteds []wanted
	for i, key := range keys {
		wanteds = append(wanteds, wanted{key, uint32(i)}, wanted{key ^ 1<<20, uint32(len(keys))})
	}
	sortWanted(wanteds)
	inRuns := map[uint32][]uint32{}
	for _, r := range runs {
		if err := r.find(wanteds, func(at, id uint32) { inRuns[at] = append(inRuns[at], id) }); err != nil {
			t.Fatal(err)
		}
	}
	for i, key := range keys {
		var inTable []uint32
		for _, h := range all.appendHits(nil, wanted{key: key}) {
			inTable = append(inTable, h.id)
		}
		if !slices.Equal(inTable, want[key]) || !slices.Equal(inRuns[uint32(i)], want[key]) {
			t.Fatalf("key %d: %v in the table, %v in runs, want %v", key, inTable, inRuns[uint32(i)], want[key])
		}
	}
	if n := len(inRuns[uint32(len(keys))]); n > 3 {
		t.Errorf("%d entries of keys that were never put", n)
	}
}

func runOf(t *testing.T, table *table, last uint32) *run {
	sorted := table.drain()
	w, err := newRun(t.TempDir(), len(sorted), table.first, last, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sorted {
		if err := w.add(posting{s >> relBits, table.first + uint32(s&relMask) - 1}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := w.close()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFiltersForgetNothingAndPassLittle(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	f := newFilter(10000, 10)
	keys := make([]uint64, 10000)
	for i := range keys {
		keys[i] = r.Uint64() >> (64 - keyBits)
		f.add(keys[i])
	}
	passed := 0
	for _, key := range keys {
		if !f.mayHave(key) {
			t.Fatal("a key is forgotten")
		}
		passed += asInt(f.mayHave(r.Uint64() >> (64 - keyBits)))
	}
	if passed > 300 {
		t.Errorf("%d of 10000 other keys pass", passed)
	}
	if f := newFilter(10, 1); f != nil || !f.mayHave(7) {
		t.Error("a filter without room must pass everything")
	}
}

func TestKindsOfKeysNeverMeet(t *testing.T) {
	s := sketchOf(t, "one two three four five six seven")
	for _, key := range s.Bands {
		if key&1 != 0 || key>>keyBits != 0 {
			t.Errorf("band key %x", key)
		}
	}
	if exactKey(s.Exact)&3 != 1 || promptKey(promptHash("p"))&3 != 3 {
		t.Error("exact or prompt key")
	}
}
