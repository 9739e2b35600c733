package workflows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// world is what activities would find outside: journals, final answers and decisions, as they behave by contract. It outlives
// histories, as S3 does.
type world struct {
	plan schema.PlanResult
	// onAsk runs before a page is asked; it may signal, block, or answer for the activity (handled).
	onAsk func(env *testsuite.TestWorkflowEnvironment, in schema.AskInput) (got schema.PageCounts, err error, handled bool)
	// answers says what becomes of a page's i-th request; nil: all are answered.
	answers func(page schema.PageRef, i int) (fails bool)
	// rejects says how many of a page's answers are rejected, by reason.
	rejects func(page schema.PageRef, answered int64) map[string]int64
	verdict func(in schema.AdmitInput) schema.GateVerdict
	inspect func(page schema.PageRef) error
	// each runs on the workflow's own thread after every activity.
	each func(env *testsuite.TestWorkflowEnvironment, name string)
	// start is called with the environment of every history before it runs.
	start func(env *testsuite.TestWorkflowEnvironment)
	// write runs when a file is written.
	write func(env *testsuite.TestWorkflowEnvironment, in schema.WriteInput) error
	// planned and decided run before Plan and Admit.
	planned func() error
	publish func() error
	refuse  func(in schema.AdmitInput) error // before a page is decided
	decided func(env *testsuite.TestWorkflowEnvironment, in schema.AdmitInput)
	// batch says what a page's batch comes to: answers and the status it ends with, after so many polls.
	batch func(page schema.PageRef, round, requests int) (answered int, status string, polls int)
	// slow, where it returns true, lets the decision of a page wait until answer is called.
	slow func(in schema.AdmitInput, answer func()) bool

	mu        sync.Mutex
	journals  map[schema.PageRef]int
	finals    map[schema.PageRef]schema.PageCounts
	leases    map[schema.PageRef]schema.AskInput
	asks      []schema.AskInput
	admits    []schema.AdmitInput
	readied   []schema.PageRef
	told      []string // events
	version   int      // that Published says the run has become
	wrote     int
	steps     []string
	inputs    map[string]schema.PageRef // activity id → page
	published []schema.PublishInput
	held      map[int]json.RawMessage
	saved     schema.Status
	saving    int
	flying    int
	mostFly   int
	behind    int
	mostBack  int
	faults    []string
	renewals  int
	batches   map[string]*fakeBatch
	gaveUp    int
}

func newWorld(pages ...int) *world {
	w := &world{journals: map[schema.PageRef]int{}, finals: map[schema.PageRef]schema.PageCounts{}, leases: map[schema.PageRef]schema.AskInput{},
		held: map[int]json.RawMessage{}}
	w.plan.Policy = schema.Policy{Failed: 1, BudgetMicros: -1, BudgetRequests: -1}
	for i, n := range pages {
		w.plan.Teachers = append(w.plan.Teachers, schema.PlannedTeacher{Name: fmt.Sprintf("teacher-%d", i), Pages: n, Requests: int64(n * pageOf), WorstMicros: 3})
		w.plan.Requests += int64(n * pageOf)
	}
	w.plan.Prompts = w.plan.Requests
	return w
}

// pageOf is the number of requests of a page in these tests.
const pageOf = 10

func (w *world) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// ask does what Ask promises: it journals, obeys the lease, and puts final answers once.
func (w *world) ask(in schema.AskInput) (schema.PageCounts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if final, ok := w.finals[in.Page]; ok {
		return final, nil
	}
	t := w.plan.Teachers[in.Page.Teacher]
	if !in.Close {
		w.leases[in.Page] = in
		w.checkLeases()
		for w.journals[in.Page] < pageOf {
			n := int64(w.journals[in.Page] + 1)
			if in.LeaseMicros >= 0 && n*t.WorstMicros > in.LeaseMicros || in.LeaseRequests >= 0 && n > in.LeaseRequests {
				got := w.counts(in.Page)
				got.Stopped = "budget"
				w.settle(in.Page, got)
				return got, nil
			}
			w.journals[in.Page]++
		}
	}
	got := w.counts(in.Page)
	w.finals[in.Page] = got
	w.settle(in.Page, got)
	return got, nil
}

func (w *world) settle(page schema.PageRef, got schema.PageCounts) {
	if l, ok := w.leases[page]; ok {
		l.LeaseMicros, l.LeaseRequests = got.CostMicros, got.Calls
		w.leases[page] = l
	}
}

// checkLeases holds what pages may spend at this moment, and have spent, against the cap.
func (w *world) checkLeases() {
	var micros, calls int64
	for _, l := range w.leases {
		micros, calls = micros+l.LeaseMicros, calls+l.LeaseRequests
	}
	if p := w.plan.Policy; p.BudgetMicros >= 0 && micros > p.BudgetMicros || p.BudgetRequests >= 0 && calls > p.BudgetRequests {
		w.fault("leases of %d micro-dollars and %d calls pass the cap of %d and %d", micros, calls, p.BudgetMicros, p.BudgetRequests)
	}
}

func (w *world) counts(page schema.PageRef) schema.PageCounts {
	n := w.journals[page]
	got := schema.PageCounts{Requests: pageOf, Unasked: int64(pageOf - n), Calls: int64(n), CostMicros: int64(n) * w.plan.Teachers[page.Teacher].WorstMicros}
	for i := range n {
		if w.answers != nil && w.answers(page, i) {
			if got.Failed == nil {
				got.Failed = map[string]int64{}
			}
			got.Failed["http_500"]++
		} else {
			got.Answered++
		}
	}
	return got
}

func (w *world) admit(in schema.AdmitInput) (schema.AdmitResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.behind--
	if want := fmt.Sprintf("root-%d", in.Seq); in.Seq > 0 && in.Root != want || in.Seq == 0 && in.Root != "" {
		w.fault("page %v is decided on root %q, want %q", in.Page, in.Root, want)
	}
	if in.Seq != len(w.admits) {
		w.fault("page %v is decided as number %d after %d others", in.Page, in.Seq, len(w.admits))
	}
	for _, before := range w.admits {
		if before.Page == in.Page {
			w.fault("page %v is decided twice", in.Page)
		}
	}
	w.admits = append(w.admits, in)
	final := w.finals[in.Page]
	got := schema.AdmitResult{Root: fmt.Sprintf("root-%d", in.Seq+1), Admitted: final.Answered, Unasked: final.Unasked, Rejected: map[string]int64{},
		Verdict: schema.GateVerdict{State: "none"}}
	for _, n := range final.Failed {
		got.Failed += n
	}
	if w.rejects != nil {
		for reason, n := range w.rejects(in.Page, final.Answered) {
			got.Rejected[reason] += n
			got.Admitted -= n
		}
	}
	if in.RowsLeft >= 0 && got.Admitted > in.RowsLeft {
		got.Rejected["surplus"] += got.Admitted - in.RowsLeft
		got.Admitted = in.RowsLeft
	}
	if w.verdict != nil {
		got.Verdict = w.verdict(in)
	}
	return got, nil
}

// register puts the world's activities into an environment.
func (w *world) register(env *testsuite.TestWorkflowEnvironment) {
	for name, fn := range map[string]any{
		schema.StepPlan: func(context.Context, schema.RunRef) (schema.PlanResult, error) {
			if w.planned != nil {
				if err := w.planned(); err != nil {
					return schema.PlanResult{}, err
				}
			}
			return w.plan, nil
		},
		schema.StepAsk: func(_ context.Context, in schema.AskInput) (schema.PageCounts, error) {
			w.mu.Lock()
			w.asks = append(w.asks, in)
			w.flying, w.behind = w.flying+1, w.behind+1
			w.mostFly, w.mostBack = max(w.mostFly, w.flying), max(w.mostBack, w.behind)
			w.mu.Unlock()
			got, err := w.hooked(env, in)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.flying--
			if err != nil || got.Stopped != "" {
				w.behind--
			}
			return got, err
		},
		schema.StepSubmit: w.submitBatch, schema.StepPoll: w.pollBatch, schema.StepFetch: w.fetchBatch, schema.StepCancel: w.cancelBatch,
		schema.StepInspect: func(_ context.Context, in schema.AskInput) error {
			if w.inspect != nil {
				return w.inspect(in.Page)
			}
			return nil
		},
		schema.StepAdmit: func(ctx context.Context, in schema.AdmitInput) (schema.AdmitResult, error) {
			token := activity.GetInfo(ctx).TaskToken
			if w.slow != nil && w.slow(in, func() {
				got, err := w.admit(in)
				_ = env.CompleteActivity(token, got, err)
			}) {
				return schema.AdmitResult{}, activity.ErrResultPending
			}
			if w.refuse != nil {
				if err := w.refuse(in); err != nil {
					return schema.AdmitResult{}, err
				}
			}
			if w.decided != nil {
				w.decided(env, in)
			}
			return w.admit(in)
		},
		schema.StepPublished: func(context.Context, schema.RunRef) (schema.PublishResult, error) {
			return schema.PublishResult{Version: w.version}, nil
		},
		schema.StepNotify: func(_ context.Context, in schema.NotifyInput) ([]int, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told = append(w.told, in.Event.Event)
			return nil, nil
		},
		schema.StepLayout: func(context.Context, schema.LayoutInput) (schema.LayoutResult, error) {
			return schema.LayoutResult{Shards: 5, Rejects: 1}, nil
		},
		schema.StepWrite: func(_ context.Context, in schema.WriteInput) error {
			w.mu.Lock()
			w.wrote++
			w.mu.Unlock()
			if w.write != nil {
				return w.write(env, in)
			}
			return nil
		},
		schema.StepPublish: func(_ context.Context, in schema.PublishInput) (schema.PublishResult, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.publish != nil {
				if err := w.publish(); err != nil {
					return schema.PublishResult{}, err
				}
			}
			w.published = append(w.published, in)
			return schema.PublishResult{Version: 1}, nil
		},
		schema.StepTidy: func(context.Context, schema.RunRef) error { return nil },
		schema.StepStatus: func(_ context.Context, s schema.Status) error {
			w.mu.Lock()
			if w.saving++; w.saving > 1 {
				w.fault("%s is saved beside another status, which may overwrite it", s.State)
			}
			w.mu.Unlock()
			runtime.Gosched()
			w.mu.Lock()
			defer w.mu.Unlock()
			w.saving--
			w.saved = s
			return nil
		},
		schema.StepHold: func(_ context.Context, in schema.HeldInput, state json.RawMessage) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.held[in.Number] = state
			return nil
		},
		schema.StepLoad: func(_ context.Context, in schema.HeldInput) (json.RawMessage, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.held[in.Number], nil
		},
	} {
		env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	// The listener runs in the order in which the history has completions.
	env.SetOnActivityCompletedListener(func(info *activity.Info, result converter.EncodedValue, err error) {
		name := info.ActivityType.Name
		w.mu.Lock()
		if w.steps = append(w.steps, name); err == nil && name == schema.StepInspect {
			w.readied = append(w.readied, w.inputs[info.ActivityID])
		}
		w.mu.Unlock()
		if w.each != nil {
			w.each(env, name)
		}
	})
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
		var in schema.AskInput
		if info.ActivityType.Name == schema.StepInspect && args.Get(&in) == nil {
			w.mu.Lock()
			w.inputs[info.ActivityID] = in.Page
			w.mu.Unlock()
		}
	})
}

func (w *world) hooked(env *testsuite.TestWorkflowEnvironment, in schema.AskInput) (schema.PageCounts, error) {
	if w.onAsk != nil {
		if got, err, handled := w.onAsk(env, in); handled {
			return got, err
		}
	}
	return w.ask(in)
}

// faulty is the error of an activity as the guard hands it out: kind and code.
func faulty(kind schema.Kind, code string) error {
	return temporal.NewApplicationErrorWithOptions(code, string(kind), temporal.ApplicationErrorOptions{NonRetryable: kind != schema.KindRetry})
}

var quiet = log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))

// run runs Generate over as many histories as it takes.
func (w *world) run(t testing.TB, in GenerateInput) (schema.Status, error) {
	t.Helper()
	in.RunRef, in.AskQueue = schema.RunRef{Dataset: "d", Run: "r1"}, "q-ask"
	for range 100 {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(quiet)
		env := suite.NewTestWorkflowEnvironment()
		env.SetTestTimeout(60 * time.Second) // real time without any progress
		env.RegisterWorkflowWithOptions(Generate, workflow.RegisterOptions{Name: GenerateName})
		env.RegisterWorkflowWithOptions(Notify, workflow.RegisterOptions{Name: NotifyName})
		env.RegisterWorkflowWithOptions(Expire, workflow.RegisterOptions{Name: ExpireName})
		w.inputs = map[string]schema.PageRef{}
		w.flying, w.behind, w.saving = 0, 0, 0
		w.register(env)
		if w.start != nil {
			w.start(env)
		}
		env.ExecuteWorkflow(GenerateName, in)
		err := env.GetWorkflowError()
		var renew *workflow.ContinueAsNewError
		if errors.As(err, &renew) {
			w.renewals++
			in = GenerateInput{}
			if err := converter.GetDefaultDataConverter().FromPayloads(renew.Input, &in); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var status schema.Status
		if err == nil {
			err = env.GetWorkflowResult(&status)
		} else {
			status = w.saved
		}
		for _, f := range w.faults {
			t.Error(f)
		}
		return status, err
	}
	t.Fatal("it continues as new for ever")
	return schema.Status{}, nil
}

// mustEnd runs to an end and holds the state and the sum of counts.
func (w *world) mustEnd(t testing.TB, in GenerateInput, state string) schema.Status {
	t.Helper()
	got, err := w.run(t, in)
	if err != nil && state != schema.StateFailed {
		t.Fatal(err)
	}
	if got.State != state {
		t.Fatalf("state %s (%s %s), want %s", got.State, got.Reason, got.Subject, state)
	}
	if !got.Counts.Reconciled() {
		t.Fatalf("counts don't add up: %+v", got.Counts)
	}
	return got
}
