package dedup

import (
	"context"
	"fmt"

	"github.com/retort-data/retort/schema"
)

// Blobs keeps the index's immutable objects; store.Store is one.
type Blobs interface {
	Get(ctx context.Context, key string) ([]byte, error)
	// PutNew puts if absent. Where something stands under the key already it returns an error, and the index reads
	// back whether it is what was to be put.
	PutNew(ctx context.Context, key string, body []byte) error
}

// Options of an index.
type Options struct {
	Exact  schema.ExactCheck // empty fields have the recipe's defaults
	Near   schema.NearCheck
	Params Params // of the sketches; the zero value is ParamsOf(Near)

	// IsNotFound tells Get's error for a missing object from a passing fault; nil takes no error for it.
	IsNotFound func(error) bool
}

// point is a root that the index knows with the entries below it.
type point struct {
	root    string
	seq     int // of the last page
	entries uint32
	list    rootList
}

// Index finds duplicates of a page's items among all entries before the page. It is for one goroutine at a time.
type Index struct {
	blobs  Blobs
	prefix string
	opts   Options

	entries memory
	tables  []*table
	points  []point // ascending; what is after at is ahead of the caller, and invisible
	at      int
}

// Open loads the index that root names ("" is the empty one) from the objects under prefix.
func Open(ctx context.Context, blobs Blobs, prefix, root string, opts Options) (*Index, error) {
	withDefaults(&opts.Exact, &opts.Near)
	if opts.Params == (Params{}) {
		opts.Params = ParamsOf(opts.Near)
	}
	if err := opts.Params.Check(); err != nil {
		return nil, err
	}
	ix := &Index{blobs: blobs, prefix: prefix, opts: opts}
	if err := ix.load(ctx, root); err != nil {
		return nil, err
	}
	return ix, nil
}

// Root is the root that the next Decide builds on.
func (ix *Index) Root() string { return ix.points[ix.at].root }

// Entries is the number of entries that the next Decide compares with.
func (ix *Index) Entries() int { return int(ix.points[ix.at].entries) }

// Seek sets the index to a root that it knows, so that a page can be decided again; false where it must be opened
// again.
func (ix *Index) Seek(root string) bool {
	for i, p := range ix.points {
		if p.root == root {
			ix.at = i
			return true
		}
	}
	return false
}

// load forgets everything and reads root.
func (ix *Index) load(ctx context.Context, root string) error {
	ix.entries, ix.tables, ix.at = memory{}, []*table{newTable(1<<10, 0)}, 0
	ix.points = []point{{seq: -1, list: rootList{Format: rootFormat, Params: ix.opts.Params, Seq: -1}}}
	if root == "" {
		return nil
	}
	list, err := ix.readRoot(ctx, root)
	if err != nil {
		return err
	}
	for _, ref := range list.Segments {
		if err := ix.loadSegment(ctx, ref); err != nil {
			return err
		}
	}
	if got := int(ix.entries.len()); got != list.Entries {
		return corrupt(root, fmt.Errorf("its segments hold %d entries, not %d", got, list.Entries))
	}
	ix.points[0] = point{root: root, seq: list.Seq, entries: ix.entries.len(), list: list}
	return nil
}

func (ix *Index) loadSegment(ctx context.Context, ref segmentRef) error {
	body, err := ix.readSegment(ctx, ref)
	if err != nil {
		return err
	}
	if err := eachEntry(body, ix.enter); err != nil {
		return corrupt(ref.Key, err)
	}
	return nil
}

// enter adds an entry of a segment.
func (ix *Index) enter(e *entry) error {
	id := ix.entries.len()
	t := ix.tables[len(ix.tables)-1]
	if id-t.first >= relMask-1 {
		t = newTable(1<<10, id)
		ix.tables = append(ix.tables, t)
	}
	m := meta{prompt: e.prompt, bits: e.sketch.Bits, size: uint32(len(e.sketch.Set))}
	for b, key := range e.sketch.Bands {
		if e.mask>>b&1 != 0 {
			t.insert(key, id)
		}
	}
	if e.first {
		t.insert(exactKey(e.sketch.Exact), id)
	}
	if e.prompt != 0 {
		m.prev = ix.lastOfPrompt(e.prompt, id)
		t.replace(promptKey(e.prompt), id)
	}
	return ix.entries.add(m, appendRecord(nil, e.id, &e.sketch))
}

// lastOfPrompt is the newest entry of the prompt's chain, plus 1; 0 for none.
func (ix *Index) lastOfPrompt(prompt uint64, limit uint32) uint32 {
	for i := len(ix.tables) - 1; i >= 0; i-- {
		if ids := ix.tables[i].appendIDs(nil, promptKey(prompt), limit); len(ids) > 0 {
			return ids[len(ids)-1] + 1
		}
	}
	return 0
}

// corrupt says that an object of the index is missing or not what its root says.
func corrupt(key string, cause error) error {
	return &schema.Error{Kind: schema.KindFailed, Code: "index_corrupt", Op: "near-duplicate index", Subject: key, Cause: cause,
		Hint: "the index is rebuilt from the run's inspected pages and decisions"}
}
