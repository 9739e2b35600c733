package dedup

import (
	"context"
	"errors"
	"fmt"
	"strconv"

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

	// MemoryBytes bounds what the index holds in memory; beyond it keys go to sorted runs and sets to a log in Scratch, a
	// folder on local disk ("" is the system's for temporary files). 0 is no bound: some 1.3 KB for an entry of 230 words.
	MemoryBytes int64
	Scratch     string

	Layers []LayerRef // in the order in which they are searched, before the index's own entries

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

	layers []layer
	own    *collection
	points []point // ascending; what is after at is ahead of the caller, and invisible
	at     int
	broken error // a page is entered in part: the index must be opened again
}

// Open loads the index that root names ("" is the empty one), and the layers; new objects go under prefix, which ends
// with a slash. A missing or damaged object is an error of KindFailed with code index_corrupt; Rebuild mends it. With nil
// blobs the index belongs to this process alone and nothing is written: for files that exist already. Close the index
// after use.
func Open(ctx context.Context, blobs Blobs, prefix, root string, opts Options) (*Index, error) {
	withDefaults(&opts.Exact, &opts.Near)
	if opts.Params == (Params{}) {
		opts.Params = ParamsOf(opts.Near)
	}
	if err := opts.Params.Check(); err != nil {
		return nil, err
	}
	ix := &Index{blobs: blobs, prefix: prefix, opts: opts}
	err := ix.loadLayers(ctx)
	if err == nil {
		err = ix.load(ctx, root)
	}
	if err != nil {
		ix.Close()
		return nil, err
	}
	return ix, nil
}

// Close frees memory and local disk.
func (ix *Index) Close() {
	for _, l := range ix.layers {
		l.close()
	}
	if ix.own != nil {
		ix.own.close()
	}
}

// Root is the root that the next Decide builds on.
func (ix *Index) Root() string { return ix.points[ix.at].root }

// Entries is the number of the index's own entries that the next Decide compares with.
func (ix *Index) Entries() int { return int(ix.points[ix.at].entries) }

// Disk is what the index has on local disk.
func (ix *Index) Disk() Disk { return ix.own.disk() }

// Seek sets the index to a root that it knows, so that a page can be decided again; false where it doesn't know it,
// and must be moved there or opened again.
func (ix *Index) Seek(root string) bool {
	if ix.broken != nil {
		return false
	}
	for i := len(ix.points) - 1; i >= 0; i-- {
		if ix.points[i].root == root {
			ix.at = i
			return true
		}
	}
	return false
}

// newCollection has a share of the memory: the index itself one half, all layers the other.
func (ix *Index) newCollection(own bool) *collection {
	share := ix.opts.MemoryBytes
	if n := int64(len(ix.opts.Layers)); n > 0 {
		share /= 2
		if !own {
			share /= n
		}
	}
	return newCollection(ix.opts.Scratch, share)
}

func (ix *Index) objects() objects { return objects{ix.blobs, ix.prefix, ix.opts.IsNotFound} }

// Move sets the index to root: at once where it knows it, by reading what is new where root follows from one that it
// knows, else from the start. A worker that keeps an Index calls it before each page.
func (ix *Index) Move(ctx context.Context, root string) error {
	if ix.Seek(root) {
		return nil
	}
	if ix.broken == nil && root != "" {
		if done, err := ix.follow(ctx, root); done || err != nil {
			return err
		}
	}
	return ix.load(ctx, root)
}

// mostSteps is how far back follow looks for a root that the index knows.
const mostSteps = 64

// follow reads the pages between the newest known root and root, where root comes from it; else it returns false.
func (ix *Index) follow(ctx context.Context, root string) (bool, error) {
	newest := ix.points[len(ix.points)-1]
	list, err := ix.objects().readRoot(ctx, root, ix.opts.Params)
	if err != nil {
		return false, err
	}
	before := list
	for n := 0; before.Parent != newest.root; n++ {
		if n == mostSteps || before.Parent == "" || before.Seq <= newest.seq {
			return false, nil
		}
		if before, err = ix.objects().readRoot(ctx, before.Parent, ix.opts.Params); err != nil {
			return false, err
		}
	}
	if err := readList(ctx, ix.objects(), list, newest.seq, ix.own); err != nil {
		ix.broken = err
		return false, err
	}
	ix.points = append(ix.points, point{root: root, seq: list.Seq, entries: ix.own.entries.len(), list: list})
	ix.at = len(ix.points) - 1
	return true, nil
}

// load forgets the own entries and reads those of root.
func (ix *Index) load(ctx context.Context, root string) error {
	if ix.own != nil {
		ix.own.close()
	}
	ix.own, ix.at, ix.broken = ix.newCollection(true), 0, nil
	list, err := loadRoot(ctx, ix.objects(), root, ix.opts.Params, ix.own)
	ix.points = []point{{root: root, seq: list.Seq, entries: ix.own.entries.len(), list: list}}
	ix.broken = err
	return err
}

// loadRoot reads the segments of a root into c.
func loadRoot(ctx context.Context, from objects, root string, p Params, c *collection) (rootList, error) {
	if root == "" {
		return rootList{Format: rootFormat, Params: p, Seq: -1}, nil
	}
	if from.blobs == nil {
		return rootList{}, invalid("root "+root, "there is no store to read it from")
	}
	list, err := from.readRoot(ctx, root, p)
	if err != nil {
		return list, err
	}
	return list, readList(ctx, from, list, -1, c)
}

func readList(ctx context.Context, from objects, list rootList, after int, c *collection) error {
	for _, ref := range list.Segments {
		if ref.Last <= after {
			continue
		}
		body, err := from.readSegment(ctx, ref)
		if err != nil {
			return err
		}
		if err := eachEntry(body, after, c.add); err != nil {
			return corrupt(ref.Key, err)
		}
	}
	if got := int(c.entries.len() - c.open()); got != list.Entries {
		return corrupt("root of page "+strconv.Itoa(list.Seq), fmt.Errorf("its segments hold %d entries, not %d", got, list.Entries))
	}
	return nil
}

// corrupt says that an object of the index is missing or not what its root says.
func corrupt(key string, cause error) error {
	return &schema.Error{Kind: schema.KindFailed, Code: "index_corrupt", Op: "near-duplicate index", Subject: key, Cause: cause,
		Hint: "the index is rebuilt from the run's inspected pages and decisions"}
}

// codeOf is the code of the first schema.Error in err's chain.
func codeOf(err error) string {
	var e *schema.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func fault(code string, cause error) error {
	return &schema.Error{Kind: schema.KindFailed, Code: code, Op: "near-duplicate index", Cause: cause}
}
