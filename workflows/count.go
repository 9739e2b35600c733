package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// askMost bounds one Ask; a page is some seconds of work, but a limit of a few requests a minute may stretch it.
const askMost = 24 * time.Hour

// fewest is the number of decided records from which shares say anything; fewestRejected suffices for what turns nearly all away: of a
// teacher of whose answers half are turned away, more than 27 of 30 are once in 200,000 runs.
const (
	fewest         = 100
	fewestRejected = 30
)

// stoppedBy says whether an activity that was told to stop has done no more than that. The server tries such a one no further: where its
// worker died or drained meanwhile, what comes is a timeout or a fault that would have been tried again.
func stoppedBy(err error) bool {
	kind, _ := codeOf(err)
	return temporal.IsCanceledError(err) || temporal.IsTimeoutError(err) || kind == schema.KindRetry
}

// mostServed bounds the names of a teacher in the status.
const mostServed = 16

// countAsked adds what a page cost.
func (g *generation) countAsked(page schema.PageRef, got schema.PageCounts) {
	s, t := &g.Status, &g.Status.Teachers[page.Teacher]
	g.Spent += got.CostMicros
	g.Calls += got.Calls
	s.Asked += got.Requests - got.Unasked
	t.Answered += got.Answered
	t.Reused += got.Reused
	s.Reused += got.Reused
	for _, digest := range got.Served {
		if !slices.Contains(t.Served, digest) && len(t.Served) < mostServed {
			t.Served = append(t.Served, digest)
		}
	}
	for _, code := range workflow.DeterministicKeys(got.Failed) {
		if t.Failed == nil {
			t.Failed = map[string]int64{}
		}
		t.Failed[code] += got.Failed[code]
	}
	for _, c := range []*schema.Cost{&s.Cost, &t.Cost} {
		c.Micros += got.CostMicros
		c.Unknown += got.CostUnknown
	}
	for _, n := range []*schema.Tokens{&s.Tokens, &t.Tokens} {
		n.Input += got.InputTokens
		n.Output += got.OutputTokens
	}
	if got.FirstAt > 0 && (s.FirstAt == 0 || got.FirstAt < s.FirstAt) {
		s.FirstAt = got.FirstAt
	}
	s.LastAt = max(s.LastAt, got.LastAt)
}

// admitted adds what was decided of a page, and holds the run where a bound is passed.
func (g *generation) admitted(page schema.PageRef, got schema.AdmitResult) {
	g.Seq++
	g.Root, g.Gate = got.Root, got.Gate
	g.Bytes += got.Bytes
	c := &g.Status.Counts
	c.Admitted += got.Admitted
	c.Failed += got.Failed
	for _, reason := range workflow.DeterministicKeys(got.Rejected) {
		c.Rejected[reason] += got.Rejected[reason]
	}
	c.Unasked = c.Planned - c.Admitted - c.RejectedTotal() - c.Failed
	g.Status.Pages.Done++
	t := &g.Status.Teachers[page.Teacher]
	t.Pages.Done++
	t.Admitted += got.Admitted
	g.Status.Gate = got.Verdict
	g.judge()
}

// waived says whether a person has seen this reason and let the run go on.
func (g *generation) waived(reason string) bool { return slices.Contains(g.Waived, reason) }

// judge holds a run that can't end well any more.
func (g *generation) judge() {
	c, p := g.Status.Counts, g.Plan.Policy
	decided := c.Planned - c.Unasked
	duplicates := c.Rejected["exact"] + c.Rejected["near"]
	rejected := c.RejectedTotal() - duplicates - c.Rejected[schema.ReasonSurplus]
	switch {
	case g.Status.Gate.State == "hold":
		g.halt(&verdict{schema.StateHeld, "gate", g.Status.Gate.Account}, false)
	case float64(c.Failed) > p.Failed*float64(c.Planned) && !g.waived("failed"):
		g.halt(&verdict{schema.StateHeld, "failed", ""}, false)
	case decided >= fewestRejected && p.MostRejected > 0 && float64(rejected) > p.MostRejected*float64(decided-c.Failed) && !g.waived("rejected"):
		g.halt(&verdict{schema.StateHeld, "rejected", ""}, false)
	case decided >= fewest && p.MostDuplicates > 0 && float64(duplicates) > p.MostDuplicates*float64(c.Planned) && !g.waived("duplicates"):
		g.halt(&verdict{schema.StateHeld, "duplicates", ""}, false)
	}
}

// saveEvery bounds how often the status goes to S3 while pages come in.
const saveEvery = 5

// save puts the status on S3: at every change of state, else now and then. One at a time, so that none overwrites a later one. A
// status that can't be saved doesn't stop a run.
func (g *generation) save(now bool) {
	at := workflow.Now(g.ctx)
	g.Status.Updated = at
	g.Status.ForgetWaits(at)
	g.Status.Figure()
	if g.in.Preview {
		return
	}
	g.index()
	under := g.saving != nil && !g.saving.IsReady()
	if !now && (under || at.Unix()-g.saved < saveEvery) {
		return
	}
	if under {
		_ = g.saving.Get(g.ctx, nil)
	}
	g.saved, g.heard = at.Unix(), false
	ctx := workflow.WithActivityOptions(g.ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second, ScheduleToCloseTimeout: time.Minute,
		RetryPolicy: retries})
	g.saving = workflow.ExecuteActivity(ctx, schema.StepStatus, g.Status)
	if schema.Ended(g.Status.State) {
		if err := g.saving.Get(g.ctx, nil); err != nil {
			workflow.GetLogger(g.ctx).Warn("the last status could not be saved", "run", g.in.Run)
		}
	}
}
