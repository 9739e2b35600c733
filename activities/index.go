package activities

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/telemetry"
)

// indexCache keeps the near-duplicate indexes of the runs that this worker decides for. They are caches of what a root names.
type indexCache struct {
	mu   sync.Mutex
	runs map[string]*cachedIndex
	tick int
}

type cachedIndex struct {
	mu    sync.Mutex
	index *dedup.Index
	used  int
}

// mostIndexes bounds the runs whose indexes stay in memory; index_mb is shared by them.
const mostIndexes = 2

// openIndex returns the run's index at root, for the caller alone until it gives it back.
func (r *Rooms) openIndex(ctx context.Context, run store.Run, recipe *Recipe, root string) (*dedup.Index, func(), error) {
	c := r.indexes.of(run.Home())
	c.mu.Lock()
	if c.index == nil {
		opened, err := r.loadIndex(ctx, run, recipe, root)
		if err != nil {
			c.mu.Unlock()
			return nil, nil, err
		}
		c.index = opened
	} else if err := c.index.Move(ctx, root); err != nil {
		c.close() // what the cache holds is unknown now
		c.mu.Unlock()
		return nil, nil, err
	}
	return c.index, c.mu.Unlock, nil
}

// loadIndex reads the index that root names, and what the run is compared with.
func (r *Rooms) loadIndex(ctx context.Context, run store.Run, recipe *Recipe, root string) (*dedup.Index, error) {
	with, err := r.comparedWith(ctx, run, recipe)
	if err != nil {
		return nil, err
	}
	opts := r.indexOptions(recipe)
	opts.Layers = with.refs()
	return dedup.Open(ctx, r.Store, run.Index(), root, opts)
}

func (r *Rooms) indexOptions(recipe *Recipe) dedup.Options {
	return dedup.Options{Exact: recipe.Checks.Exact, Near: recipe.Checks.Near, Params: recipe.sketches, IsNotFound: notFound,
		MemoryBytes: int64(r.Config.Worker.IndexMB) << 20 / mostIndexes, Scratch: r.Scratch}
}

// close forgets the index; the next to ask reads it again.
func (c *cachedIndex) close() {
	if c.index != nil {
		c.index.Close()
		c.index = nil
	}
}

func (c *indexCache) of(run string) *cachedIndex {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs == nil {
		c.runs = map[string]*cachedIndex{}
	}
	c.tick++
	got, ok := c.runs[run]
	if !ok {
		c.evict()
		got = &cachedIndex{}
		c.runs[run] = got
	}
	got.used = c.tick
	return got
}

// evict forgets the index that was used longest ago.
func (c *indexCache) evict() {
	if len(c.runs) < mostIndexes {
		return
	}
	oldest := ""
	for run, got := range c.runs {
		if oldest == "" || got.used < c.runs[oldest].used {
			oldest = run
		}
	}
	old := c.runs[oldest]
	delete(c.runs, oldest)
	go func() { // a page that is being decided on it goes on to its end
		old.mu.Lock()
		defer old.mu.Unlock()
		old.close()
	}()
}

// forgetIndex frees the run's index once no page is left to be decided: files are written without it. Should a page come yet, it is read again.
func (r *Rooms) forgetIndex(run store.Run) {
	c := &r.indexes
	c.mu.Lock()
	had := c.runs[run.Home()]
	delete(c.runs, run.Home())
	c.mu.Unlock()
	if had == nil {
		return
	}
	had.mu.Lock()
	had.close()
	had.mu.Unlock()
	telemetry.Default.Set(indexBytes, 0, "dataset", run.Name)
	debug.FreeOSMemory() // else it stays resident until the collector's next turn but one, beside what writing takes
}

// indexBytes is the gauge of what a run's index holds in memory.
const indexBytes = "retort_index_bytes"
