package activities

import (
	"context"
	"encoding/hex"
	"maps"
	"sync"
	"weak"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// clusters are a run's sets of near-duplicates: of records, rejected ones included, with what they are alike to in earlier versions and
// other texts; and the splits of prompts that stand elsewhere than they would be drawn.
type clusters struct {
	records dedup.Clusters
	splits  map[string]string
}

// clusters reads the edges of all decisions.
func (r *Rooms) clusters(ctx context.Context, run store.Run, pages int, recipe *schema.Recipe) (*clusters, error) {
	c := &clusters{splits: map[string]string{}}
	err := r.eachDecision(ctx, run, pages, func(_ int, d *schema.Decision) {
		for _, earlier := range []string{d.Of, d.Near} {
			if earlier != "" {
				c.records.Join(earlier, d.RequestID)
			}
		}
		if d.Split != "" && d.Split != drawSplit(recipe, d.PromptID) {
			c.splits[d.PromptID] = d.Split
		}
	})
	return c, err
}

func (r *Rooms) eachDecision(ctx context.Context, run store.Run, pages int, do func(seq int, d *schema.Decision)) error {
	return r.eachDecided(ctx, run, pages, func(seq int, decisions []schema.Decision) {
		for i := range decisions {
			do(seq, &decisions[i])
		}
	})
}

// eachDecided reads the decisions of all pages, in order.
func (r *Rooms) eachDecided(ctx context.Context, run store.Run, pages int, do func(seq int, decisions []schema.Decision)) error {
	return ahead(ctx, pages, decisionsAhead, func(ctx context.Context, seq int) ([]schema.Decision, error) {
		_, decisions, err := r.readDecisions(ctx, run, seq)
		return decisions, err
	}, func(seq int, decisions []schema.Decision) error {
		do(seq, decisions)
		return nil
	})
}

// clusterRow is what Layout and Write need of the clusters: the size for records in one, the split for prompts that were drawn to another.
type clusterRow struct {
	ID    string `json:"id"`
	Size  int32  `json:"size,omitempty"`
	Split string `json:"split,omitempty"`
}

func (r *Rooms) putClusters(ctx context.Context, run store.Run, c *clusters) error {
	l := newLines()
	if err := l.add(struct{}{}); err != nil {
		return err
	}
	for _, members := range c.records.Members() {
		for _, id := range members {
			if err := l.add(clusterRow{ID: id, Size: int32(len(members))}); err != nil { //nolint:gosec // below the records of a run
				return err
			}
		}
	}
	for _, prompt := range sortedKeys(c.splits) {
		if err := l.add(clusterRow{ID: prompt, Split: c.splits[prompt]}); err != nil {
			return err
		}
	}
	return r.putOnce(ctx, run.Clusters(), l.packed(), func() error { return nil }) // equal by construction
}

// clusterTable is what putClusters wrote, with 20 bytes a record in a cluster. It is only read.
type clusterTable struct {
	size  map[requestBytes]int32
	split map[string]string
}

// requestBytes is a request's ID in bytes.
type requestBytes [16]byte

// keyOf is false for what is no request of a run: clusters hold records of earlier versions and texts as well, which nobody looks up.
func keyOf(id string) (k requestBytes, ok bool) {
	if len(id) != hex.EncodedLen(len(k)) {
		return k, false
	}
	_, err := hex.Decode(k[:], []byte(id))
	return k, err == nil
}

// clusterCache lends a run's table to the files that are written at once.
type clusterCache struct {
	mu   sync.Mutex
	runs map[string]weak.Pointer[clusterTable]
}

func (r *Rooms) readClusters(ctx context.Context, run store.Run) (*clusterTable, error) {
	c := &r.tables
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.runs[run.Home()].Value(); t != nil {
		return t, nil
	}
	lines, err := r.readLines(ctx, run.Clusters(), &struct{}{})
	if err != nil {
		return nil, err
	}
	t := &clusterTable{map[requestBytes]int32{}, map[string]string{}}
	for _, line := range lines {
		var row clusterRow
		if err := decode(run.Clusters(), line, &row); err != nil {
			return nil, err
		}
		if key, ok := keyOf(row.ID); ok && row.Size > 0 {
			t.size[key] = row.Size
		} else if row.Size == 0 {
			t.split[row.ID] = row.Split
		}
	}
	maps.DeleteFunc(c.runs, func(_ string, p weak.Pointer[clusterTable]) bool { return p.Value() == nil })
	if c.runs == nil {
		c.runs = map[string]weak.Pointer[clusterTable]{}
	}
	c.runs[run.Home()] = weak.Make(t)
	return t, nil
}

func (t *clusterTable) sizeOf(request string) int32 {
	key, ok := keyOf(request)
	if !ok {
		return 1
	}
	return max(1, t.size[key])
}

// splitOf is the split of a prompt's records.
func (t *clusterTable) splitOf(recipe *schema.Recipe, prompt string) string {
	if split, ok := t.split[prompt]; ok {
		return split
	}
	return drawSplit(recipe, prompt)
}
