package activities

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/retort-data/retort/store"
)

// MarkedFor is how long an object must have been marked before it is removed.
const MarkedFor = 24 * time.Hour

// Collector finds and removes what no version and no open or held run of a dataset needs. It works in two phases: what isn't needed is marked; what was
// marked for a day, and still isn't needed, is removed. It may run beside runs that publish, and beside itself.
type Collector struct {
	Store   store.Store
	Dataset store.Dataset
	Now     time.Time
	// Dead says of a run whose status says that it is under way that it certainly isn't; nil: such runs are under way.
	Dead func(run string) bool
	// Answers makes what was paid for in runs that became no version collectable, too.
	Answers bool
}

// Mark is an object that nothing needs.
type Mark struct {
	Key   string    `json:"key"`
	Run   string    `json:"run,omitempty"` // that it is of
	Why   string    `json:"why"`
	Bytes int64     `json:"bytes"`
	ETag  string    `json:"etag"`
	Since time.Time `json:"since"` // marked without a break

	again bool // what needs it makes it again: it may go even where its run is published yet
}

// Due says whether a mark is old enough.
func (m Mark) Due(now time.Time) bool { return now.Sub(m.Since) >= MarkedFor }

// marks is what stands at Dataset.Marks.
type marks struct {
	At    time.Time `json:"at"`
	Marks []Mark    `json:"marks"`
}

// Mark finds what isn't needed now and notes it, each with the time since when it was found so at every look.
func (c *Collector) Mark(ctx context.Context) ([]Mark, error) {
	found, err := c.find(ctx)
	if err != nil {
		return nil, err
	}
	before, err := c.marked(ctx)
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i].Since = c.Now
		if old, ok := before[found[i].Key]; ok && old.ETag == found[i].ETag && old.Since.Before(c.Now) {
			found[i].Since = old.Since
		}
	}
	if len(found) == 0 && len(before) == 0 {
		return found, nil
	}
	return found, c.note(ctx, found)
}

func (c *Collector) note(ctx context.Context, all []Mark) error {
	body, err := json.MarshalIndent(marks{c.Now, all}, "", " ")
	if err != nil {
		return err
	}
	return c.Store.Put(ctx, c.Dataset.Marks(), body)
}

func (c *Collector) marked(ctx context.Context) (map[string]Mark, error) {
	body, err := c.Store.Get(ctx, c.Dataset.Marks())
	if notFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var m marks
	if err := decode(c.Dataset.Marks(), body, &m); err != nil {
		return nil, err
	}
	by := make(map[string]Mark, len(m.Marks))
	for _, k := range m.Marks {
		by[k.Key] = k
	}
	return by, nil
}

// Sweep removes what has been marked for a day. Kept are, beside younger marks, files of a run that a sleeping worker might still publish:
// they go once the number that it claimed is taken.
func (c *Collector) Sweep(ctx context.Context, all []Mark) (removed, kept []Mark, err error) {
	safe := map[string]bool{}
	for _, m := range all {
		if !m.Due(c.Now) {
			kept = append(kept, m)
			continue
		}
		ok, asked := safe[m.Run]
		if m.again {
			ok, asked = true, true
		}
		if !asked {
			if ok, err = c.fence(ctx, m.Run); err != nil {
				return removed, kept, err
			}
			safe[m.Run] = ok
		}
		if ok {
			ok, err = c.same(ctx, m)
		}
		if err != nil {
			return removed, kept, err
		}
		if !ok {
			kept = append(kept, m)
			continue
		}
		if err := c.Store.Delete(ctx, m.Key); err != nil {
			return removed, kept, err
		}
		removed = append(removed, m)
	}
	return removed, kept, c.note(ctx, kept)
}

// fence makes sure that a run can't be published any more, and says whether that is so. Publish claims a number, then looks for the fence; this
// looks for claims after it has put the fence. A claim of a number that is free may still succeed, however long its worker has slept.
func (c *Collector) fence(ctx context.Context, id string) (bool, error) {
	run := c.Dataset.Run(id)
	if id == "" || strings.HasPrefix(id, previewPrefix) { // a preview publishes nothing
		return true, nil
	}
	if free, err := c.claimsFree(ctx, run); free || err != nil {
		return false, err
	}
	if err := put(ctx, c.Store, run.Collected(), []byte("{}\n")); err != nil {
		return false, err
	}
	free, err := c.claimsFree(ctx, run)
	return !free, err
}

// claimsFree says whether the run has claimed a number that no version has yet.
func (c *Collector) claimsFree(ctx context.Context, run store.Run) (bool, error) {
	for in, err := range c.Store.List(ctx, run.Claims(), "") {
		if err != nil {
			return false, err
		}
		n, ok := store.ClaimNumber(in.Key)
		if !ok {
			continue
		}
		if _, err := c.Store.Head(ctx, c.Dataset.Manifest(n)); notFound(err) {
			return true, nil
		} else if err != nil {
			return false, err
		}
	}
	return false, nil
}

// same says whether the object is the one that was marked.
func (c *Collector) same(ctx context.Context, m Mark) (bool, error) {
	in, err := c.Store.Head(ctx, m.Key)
	if notFound(err) {
		return false, nil
	}
	return err == nil && in.ETag == m.ETag, err
}
