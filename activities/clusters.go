package activities

import (
	"context"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// clusters are a run's sets of near-duplicates: of records, rejected ones included, and of prompts whose admitted records
// are alike, which must stand in the same split.
type clusters struct {
	records dedup.Clusters
	prompts dedup.Clusters
}

// clusters reads the edges of all decisions.
func (r *Rooms) clusters(ctx context.Context, run store.Run, pages int, splits bool) (*clusters, error) {
	c := &clusters{}
	var across []schema.Decision // admitted records that are alike to another prompt's
	err := r.eachDecision(ctx, run, pages, func(d *schema.Decision) {
		for _, earlier := range []string{d.Of, d.Near} {
			if earlier != "" {
				c.records.Join(earlier, d.RequestID)
			}
		}
		if splits && d.Outcome == schema.OutcomeAdmitted && d.Of+d.Near != "" {
			across = append(across, *d)
		}
	})
	if err != nil || len(across) == 0 {
		return c, err
	}
	promptOf := map[string]string{}
	err = r.eachDecision(ctx, run, pages, func(d *schema.Decision) {
		if c.records.Size(d.RequestID) > 1 {
			promptOf[d.RequestID] = d.PromptID
		}
	})
	for i := range across {
		for _, earlier := range []string{across[i].Of, across[i].Near} {
			if p := promptOf[earlier]; p != "" && p != across[i].PromptID {
				c.prompts.Join(p, across[i].PromptID)
			}
		}
	}
	return c, err
}

func (r *Rooms) eachDecision(ctx context.Context, run store.Run, pages int, do func(*schema.Decision)) error {
	for seq := range pages {
		_, decisions, err := r.readDecisions(ctx, run, seq)
		if err != nil {
			return err
		}
		for i := range decisions {
			do(&decisions[i])
		}
	}
	return nil
}

// clusterRow is what Write needs of the clusters: the size for records in one, the split's prompt for prompts in one.
type clusterRow struct {
	ID     string `json:"id"`
	Size   int32  `json:"size,omitempty"`
	Prompt string `json:"prompt,omitempty"`
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
	for _, members := range c.prompts.Members() {
		for _, id := range members {
			if err := l.add(clusterRow{ID: id, Prompt: members[0]}); err != nil {
				return err
			}
		}
	}
	return r.putOnce(ctx, run.Clusters(), l.packed(), func() error { return nil }) // equal by construction
}

// clusterTable is what putClusters wrote.
type clusterTable struct {
	size   map[string]int32
	prompt map[string]string
}

func (r *Rooms) readClusters(ctx context.Context, run store.Run) (*clusterTable, error) {
	rows, err := readTable[clusterRow](ctx, r, run.Clusters(), &struct{}{})
	t := &clusterTable{map[string]int32{}, map[string]string{}}
	for _, row := range rows {
		if row.Size > 0 {
			t.size[row.ID] = row.Size
		} else {
			t.prompt[row.ID] = row.Prompt
		}
	}
	return t, err
}

func (t *clusterTable) sizeOf(request string) int32 { return max(1, t.size[request]) }

// promptFor is the prompt that draws the split of a prompt's records.
func (t *clusterTable) promptFor(prompt string) string {
	if p, ok := t.prompt[prompt]; ok {
		return p
	}
	return prompt
}
