package activities

import (
	"context"

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

// clusterTable is what putClusters wrote.
type clusterTable struct {
	size  map[string]int32
	split map[string]string
}

func (r *Rooms) readClusters(ctx context.Context, run store.Run) (*clusterTable, error) {
	rows, err := readTable[clusterRow](ctx, r, run.Clusters(), &struct{}{})
	t := &clusterTable{map[string]int32{}, map[string]string{}}
	for _, row := range rows {
		if row.Size > 0 {
			t.size[row.ID] = row.Size
		} else {
			t.split[row.ID] = row.Split
		}
	}
	return t, err
}

func (t *clusterTable) sizeOf(request string) int32 { return max(1, t.size[request]) }

// splitOf is the split of a prompt's records.
func (t *clusterTable) splitOf(recipe *schema.Recipe, prompt string) string {
	if split, ok := t.split[prompt]; ok {
		return split
	}
	return drawSplit(recipe, prompt)
}
