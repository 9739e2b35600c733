package workflows

import (
	"errors"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// GenerateName is the registered name of Generate.
const GenerateName = "Generate"

// GenerateID is the workflow id of a dataset: one at a time.
func GenerateID(bucket, prefix, dataset string) string {
	return "retort/" + strings.Trim(bucket+"/"+strings.Trim(prefix, "/"), "/") + "/" + dataset
}

// PreviewID is the workflow id of a preview: beside the dataset's runs, as it publishes nothing.
func PreviewID(bucket, prefix, dataset, run string) string {
	return GenerateID(bucket, prefix, dataset) + "/preview/" + run
}

// GenerateInput starts a run, continues one as new, or continues a held one that was released.
type GenerateInput struct {
	schema.RunRef
	AskQueue string   `json:"ask_queue"`          // task queue of the workers that ask
	Program  string   `json:"program,omitempty"`  // version of Retort that started it
	State    *State   `json:"state,omitempty"`    // carried over continue-as-new
	Preview  bool     `json:"preview,omitempty"`  // end once all is decided: nothing is written or published
	Search   []string `json:"search,omitempty"`   // search attributes that the namespace has
	Released int      `json:"released,omitempty"` // number of the held state to go on from; 0: none
}

// State is all that a run knows between two histories. It holds counts and references alone.
type State struct {
	Status   schema.Status      `json:"status"`
	Plan     *schema.PlanResult `json:"plan,omitempty"`
	Next     []int              `json:"next"`            // per teacher: the first page that was never asked
	Redo     []schema.PageRef   `json:"redo,omitempty"`  // asked in part: their journals go on
	Asked    []schema.PageRef   `json:"asked,omitempty"` // asked whole and counted, not decided: a hold came between
	Seq      int                `json:"seq"`
	Root     string             `json:"root"`
	Gate     string             `json:"gate,omitempty"`
	Released int                `json:"released,omitempty"` // holds of the gate that a person let pass
	Spent    int64              `json:"spent"`              // micro-dollars of pages that are done
	Calls    int64              `json:"calls"`
	Bytes    int64              `json:"bytes"`
	Holds    int                `json:"holds,omitempty"` // how often the run was held
	Leases   []Lease            `json:"leases,omitempty"`
	Batches  []*Batch           `json:"batches,omitempty"` // at their providers
	Paused   bool               `json:"paused,omitempty"`
	Waived   []string           `json:"waived,omitempty"` // reasons for which the run was held and a person released it
}

// Generate runs a recipe from plan to published version, or until it is held, cancelled or has failed.
func Generate(ctx workflow.Context, in GenerateInput) (schema.Status, error) {
	g, err := newGeneration(ctx, in)
	if err != nil {
		return schema.Status{}, err
	}
	if err := g.load(); err != nil {
		return g.end(schema.StateFailed, err)
	}
	if g.Plan == nil {
		if err := g.plan(); err != nil {
			return g.endFor(err)
		}
	}
	if g.Plan.Requests == 0 {
		return g.end(schema.StateNothingNew, nil)
	}
	switch err := g.askAll(); {
	case errors.Is(err, errContinue):
		return schema.Status{}, g.continueAsNew()
	case err != nil:
		return g.endFor(err)
	}
	if in.Preview {
		return g.Status, nil
	}
	if err := g.finish(); err != nil {
		return g.endFor(err)
	}
	g.tellEnd()
	return g.Status, nil
}

// generation is a run in one history.
type generation struct {
	State
	ctx     workflow.Context
	in      GenerateInput
	signals signals
	window  window
	saved   int64 // unix seconds of the last status on S3
	saving  workflow.Future
	heard   bool             // of a worker's wait, since the last status on S3
	indexed string           // state that search attributes say
	stops   workflow.Version // whether cancel and pause are obeyed while files are written; 0: not asked yet
}

func newGeneration(ctx workflow.Context, in GenerateInput) (*generation, error) {
	// A cancel by Temporal's own tools ends a run like our signal: what was paid for is still taken together.
	own, _ := workflow.NewDisconnectedContext(ctx)
	g := &generation{ctx: own, in: in}
	if in.State != nil {
		g.State = *in.State
	} else {
		g.Status = schema.Status{Dataset: in.Dataset, Run: in.Run, State: schema.StatePlanning, Started: workflow.Now(ctx),
			Generator: in.Program, Counts: schema.Counts{Rejected: map[string]int64{}}, Gate: schema.GateVerdict{State: "none"}}
	}
	g.window.init()
	g.signals.init(ctx, own)
	g.signals.wait = g.waits
	err := workflow.SetQueryHandler(ctx, schema.QueryStatus, func() (schema.Status, error) { return g.Status, nil })
	return g, err
}

// load takes up the state of a held run that was released.
func (g *generation) load() error {
	if g.in.Released == 0 || g.in.State != nil {
		return nil
	}
	var kept State
	err := workflow.ExecuteActivity(light(g.ctx), schema.StepLoad, schema.HeldInput{RunRef: g.in.RunRef, Number: g.in.Released}).Get(g.ctx, &kept)
	if err != nil {
		return err
	}
	g.State = kept
	if g.Status.Reason == "gate" {
		g.State.Released++ // no waiver: the gate begins anew, and may hold again
	} else {
		g.Waived = append(g.Waived, g.Status.Reason)
	}
	g.Status.State, g.Status.Reason, g.Status.Subject = schema.StateAsking, "", ""
	for i := range g.Status.Teachers {
		g.Status.Teachers[i].Stopped, g.Status.Teachers[i].Waits = "", nil
	}
	return nil
}

func (g *generation) plan() error {
	g.save(true)
	var plan schema.PlanResult
	if err := workflow.ExecuteActivity(long(g.ctx), schema.StepPlan, g.in.RunRef).Get(g.ctx, &plan); err != nil {
		return err
	}
	g.Plan = &plan
	g.Next = make([]int, len(plan.Teachers))
	s := &g.Status
	s.State, s.Prompts, s.Repeats, s.Alike, s.Answered = schema.StateAsking, plan.Prompts, plan.Repeats, plan.Alike, plan.Answered
	s.Counts.Planned, s.Counts.Unasked = plan.Requests, plan.Requests
	s.Budget = max(plan.Policy.BudgetMicros, 0)
	s.Reuse, s.Rows = plan.Reuse, plan.Policy.Rows
	for _, t := range plan.Teachers {
		s.Pages.Total += t.Pages
		s.Teachers = append(s.Teachers, schema.TeacherStatus{Name: t.Name, Pages: schema.Progress{Total: t.Pages}, Requests: t.Requests, Reusable: t.Reusable})
	}
	g.save(true)
	return nil
}

// continueAsNew carries the state over; signals that came meanwhile are in it.
func (g *generation) continueAsNew() error {
	if g.saving != nil {
		_ = g.saving.Get(g.ctx, nil) // else it might overwrite what the next history saves
	}
	g.signals.drain()
	g.Paused = g.signals.paused
	in := g.in
	in.Released = 0
	in.State = &g.State
	if g.signals.cancelled {
		in.State.Status.State = schema.StateCancelling
	}
	return workflow.NewContinueAsNewError(g.ctx, GenerateName, in)
}

// errContinue asks for a fresh history.
var errContinue = errors.New("continue as new")

// verdict ends a run before its time.
type verdict struct {
	state, reason, subject string
}

func (v *verdict) Error() string { return v.state + ": " + v.reason }

// endFor ends the run as err says: held, cancelled or failed.
func (g *generation) endFor(err error) (schema.Status, error) {
	var v *verdict
	if errors.As(err, &v) {
		if v.state == schema.StateHeld {
			return g.hold(v)
		}
		g.Status.Reason, g.Status.Subject = v.reason, v.subject
		return g.end(v.state, nil)
	}
	if kind, code := codeOf(err); kind == schema.KindHold {
		return g.hold(&verdict{schema.StateHeld, code, ""})
	}
	return g.end(schema.StateFailed, err)
}

// end writes the last status. A failed run's workflow fails too, so that Temporal's own tools see it.
func (g *generation) end(state string, err error) (schema.Status, error) {
	g.Status.State = state
	if err != nil {
		_, g.Status.Reason = codeOf(err)
	}
	g.save(true)
	g.tellEnd()
	if state == schema.StateFailed {
		return g.Status, temporal.NewNonRetryableApplicationError(g.Status.Reason, string(schema.KindFailed), nil)
	}
	return g.Status, nil
}

// hold puts the state on S3, so that a person's release can start where the run stopped.
func (g *generation) hold(v *verdict) (schema.Status, error) {
	g.Holds++
	g.waitsOver()
	g.Status.State, g.Status.Reason, g.Status.Subject, g.Status.HeldAs = schema.StateHeld, v.reason, v.subject, g.Holds
	in := schema.HeldInput{RunRef: g.in.RunRef, Number: g.Holds}
	if err := workflow.ExecuteActivity(light(g.ctx), schema.StepHold, in, g.State).Get(g.ctx, nil); err != nil {
		return g.end(schema.StateFailed, err)
	}
	g.expire()
	return g.end(schema.StateHeld, nil)
}

// codeOf reads what activities put into an error: its kind as the type, its code as the message.
func codeOf(err error) (schema.Kind, string) {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return schema.Kind(app.Type()), app.Message()
	}
	if temporal.IsCanceledError(err) {
		return schema.KindFailed, "cancelled"
	}
	if temporal.IsTimeoutError(err) {
		return schema.KindFailed, "timed_out" // a step took longer than any should
	}
	return schema.KindFailed, "internal"
}
