package activities

import (
	"cmp"
	"context"
	"slices"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// clusterReporter describes the largest clusters of a run.
type clusterReporter struct {
	run     store.Run
	all     *dedup.Clusters
	report  schema.ClusterReport
	of      map[string]int            // member of a described cluster → its place in Largest
	shown   map[string]int            // member that is listed → its place among the cluster's members
	sampled map[int]map[string]string // page → requests whose texts are wanted, later the texts
}

// putClusterReport says what of the run is alike, with samples for people.
func (r *Rooms) putClusterReport(ctx context.Context, run store.Run, pages int, c *clusters) error {
	b := &clusterReporter{run: run, all: &c.records, of: map[string]int{}, shown: map[string]int{}, sampled: map[int]map[string]string{}}
	b.report.Format = schema.ClusterFormat
	b.choose(c.records.Members())
	if err := r.eachDecision(ctx, run, pages, b.count); err != nil {
		return err
	}
	for seq, texts := range b.sampled {
		if err := r.sampleTexts(ctx, run, seq, texts); err != nil {
			return err
		}
	}
	for i := range b.report.Largest {
		b.finish(&b.report.Largest[i])
	}
	return r.putJSON(ctx, run.LargestClusters(), b.report, nil) // equal by construction
}

// choose lists the members of the largest clusters.
func (b *clusterReporter) choose(all [][]string) {
	b.report.Clusters = int64(len(all))
	slices.SortStableFunc(all, func(x, y []string) int { return cmp.Compare(len(y), len(x)) })
	largest := all[:min(len(all), schema.MostClusters)]
	for i, members := range largest {
		shown := members[:min(len(members), schema.MostClusterMembers)]
		b.report.Largest = append(b.report.Largest, schema.Cluster{Size: len(members), Earlier: len(members), Members: make([]schema.ClusterMember, len(shown))})
		for _, id := range members {
			b.of[id] = i
		}
		for at, id := range shown {
			b.shown[id] = at
			b.report.Largest[i].Members[at].ID = id // that of the record, where it is one of the run: see count
		}
	}
}

// count enters a decision.
func (b *clusterReporter) count(seq int, d *schema.Decision) {
	if d.Outcome == schema.OutcomeFailed {
		return
	}
	b.report.Answers++
	if b.all.Size(d.RequestID) > 1 {
		b.report.Alike++
	}
	i, ok := b.of[d.RequestID]
	if !ok {
		return
	}
	c := &b.report.Largest[i]
	c.Earlier--
	if d.Outcome == schema.OutcomeAdmitted {
		c.Admitted++
	} else {
		c.Rejected++
	}
	at, ok := b.shown[d.RequestID]
	if !ok {
		return
	}
	c.Members[at] = schema.ClusterMember{ID: schema.RecordID(b.run.ID, d.RequestID), PromptID: d.PromptID, Outcome: d.Outcome, Reason: d.Reason}
	if len(c.Samples) < schema.MostClusterSamples {
		c.Samples = append(c.Samples, schema.ClusterSample{ID: d.RequestID})
		if b.sampled[seq] == nil {
			b.sampled[seq] = map[string]string{}
		}
		b.sampled[seq][d.RequestID] = ""
	}
}

// sampleTexts reads the texts of a page's samples.
func (r *Rooms) sampleTexts(ctx context.Context, run store.Run, seq int, texts map[string]string) error {
	head, _, err := r.readDecisions(ctx, run, seq)
	if err != nil {
		return err
	}
	_, answers, err := r.readAnswers(ctx, run, head.Page)
	for i := range answers {
		if _, wanted := texts[answers[i].RequestID]; wanted {
			texts[answers[i].RequestID] = shortenTo(answers[i].Text, schema.MostSampleRunes)
		}
	}
	return err
}

// finish puts the samples' texts in.
func (b *clusterReporter) finish(c *schema.Cluster) {
	for i := range c.Samples {
		s := &c.Samples[i]
		for _, texts := range b.sampled {
			if text, ok := texts[s.ID]; ok {
				s.Text = text
			}
		}
		s.ID = schema.RecordID(b.run.ID, s.ID)
	}
}
