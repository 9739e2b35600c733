package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/retort-data/retort/schema"
)

// heldState is what of a held run's state says why.
type heldState struct {
	Status schema.Status `json:"status"`
	Seq    int           `json:"seq"`
}

// explainRejects keeps, for a run that is held because its checks turn nearly all away, how many by which check, and an answer for
// each: nothing of the run is published, so there are no files of rejects to look at.
func (r *Rooms) explainRejects(ctx context.Context, ref schema.RunRef, state json.RawMessage) error {
	var held heldState
	if err := json.Unmarshal(state, &held); err != nil || held.Status.Reason != "rejected" {
		return nil //nolint:nilerr // a state is whatever the workflow says; it is kept as it is
	}
	c := held.Status.Counts
	answers := c.Planned - c.Unasked - c.Failed
	examples := map[string]*Decided{}
	for seq := held.Seq - 1; seq >= max(0, held.Seq-mostSearched) && len(examples) < len(c.Rejected); seq-- {
		_, rows, err := r.Decided(ctx, ref, seq)
		if err != nil {
			return err
		}
		for i := range rows {
			if d := &rows[i]; d.Decision.Outcome == schema.OutcomeRejected && examples[d.Decision.Reason] == nil {
				examples[d.Decision.Reason] = d
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d answers were turned away:", c.RejectedTotal(), answers)
	for _, reason := range sortedKeys(c.Rejected) {
		fmt.Fprintf(&b, "\n  %-12s %d", reason, c.Rejected[reason])
		if d := examples[reason]; d != nil {
			fmt.Fprintf(&b, ", such as: %s", shorten(d.Response.Text))
			b.WriteString(whyRejected(d))
		}
	}
	run := r.run(ref)
	body, err := json.MarshalIndent(Problem{Step: schema.StepAdmit, Code: "rejected", Message: b.String(), Attempt: 1, At: time.Now().UTC()}, "", " ")
	if err != nil {
		return err
	}
	return r.Store.Put(ctx, run.Problem("rejected"), body)
}

// whyRejected names the signal that decided.
func whyRejected(d *Decided) string {
	f := d.Inspection.Dropped()
	switch {
	case f == nil || f.Check != d.Decision.Reason:
		return ""
	case f.Match != "":
		return fmt.Sprintf("\n               (%q)", f.Match)
	case f.Signal != "":
		return fmt.Sprintf("\n               (%s %.3g, limit %.3g)", f.Signal, f.Value, f.Limit)
	}
	return ""
}
