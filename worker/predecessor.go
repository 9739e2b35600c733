package worker

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/retort-data/retort/schema"
)

// A worker notes in its folder what it has under way. Who starts after it was killed, and so finds the folder while nobody holds its lock, tells
// Temporal that these attempts are over: they are given out again at once, instead of when heartbeats have been missed for long enough. The
// lock is the system's: it ends with the process alone, so no attempt of a living one is touched. An attempt that was given out again
// meanwhile has another number, and Temporal refuses to end it.

// self is a file that says who a worker is.
type self struct {
	Process   string `json:"process"` // as leases of teachers name it
	Address   string `json:"address"` // of Temporal
	Namespace string `json:"namespace"`
}

// attempt is an activity under way.
type attempt struct {
	Workflow string `json:"workflow"`
	Run      string `json:"run"`
	Token    []byte `json:"token"`
}

// predecessor is a worker that was killed, with what it had under way.
type predecessor struct {
	self
	attempts []attempt
}

const (
	selfName      = "worker.json"
	attemptPrefix = "attempt-"
)

// notes keeps what a process has under way in its folder; an interceptor around every activity.
type notes struct {
	interceptor.WorkerInterceptorBase
	folder string
	n      atomic.Int64
}

// newNotes begins a process's notes.
func newNotes(folder string, s self) (*notes, error) {
	b, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, selfName), b, 0o600)
	}
	return &notes{folder: folder}, err
}

// InterceptActivity notes an attempt for as long as it is under way.
func (n *notes) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &noted{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: next}, notes: n}
}

type noted struct {
	interceptor.ActivityInboundInterceptorBase
	notes *notes
}

func (n *noted) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	info := activity.GetInfo(ctx)
	file := filepath.Join(n.notes.folder, attemptPrefix+strconv.FormatInt(n.notes.n.Add(1), 10))
	if b, err := json.Marshal(attempt{info.WorkflowExecution.ID, info.WorkflowExecution.RunID, info.TaskToken}); err == nil {
		os.WriteFile(file, b, 0o600) //nolint:errcheck // without it, a successor waits for the heartbeat
		defer os.Remove(file)        //nolint:errcheck // an attempt that is over can't be ended again
	}
	return n.Next.ExecuteActivity(ctx, in)
}

// readPredecessor reads the notes in a folder that nobody uses any more; what was cut off in the middle is left out.
func readPredecessor(folder string) (p predecessor, ok bool) {
	if !readJSON(filepath.Join(folder, selfName), &p.self) {
		return p, false
	}
	files, _ := filepath.Glob(filepath.Join(folder, attemptPrefix+"*"))
	for _, f := range files {
		var a attempt
		if readJSON(f, &a) {
			p.attempts = append(p.attempts, a)
		}
	}
	return p, true
}

func readJSON(file string, into any) bool {
	b, err := os.ReadFile(file)
	return err == nil && json.Unmarshal(b, into) == nil
}

// errGone is what ends a killed worker's attempt: the next begins at once.
var errGone = temporal.NewApplicationErrorWithOptions("worker_gone", string(schema.KindRetry), temporal.ApplicationErrorOptions{NextRetryDelay: time.Millisecond})

// succeedWithin bounds what a worker does for its predecessors before it starts: Temporal would give their work out by itself.
const succeedWithin = 5 * time.Second

// succeed ends what predecessors of the same Temporal had under way, and returns the names of their processes.
func succeed(ctx context.Context, o Options, of []predecessor) (processes []string) {
	ctx, cancel := context.WithTimeout(ctx, succeedWithin)
	defer cancel()
	t := o.Config.Temporal
	unstuck := map[string]bool{}
	for _, p := range of {
		if p.Address != t.Address || p.Namespace != t.Namespace {
			continue
		}
		processes = append(processes, p.Process)
		for _, a := range p.attempts {
			if !unstuck[a.Workflow] {
				unstick(ctx, o.Client, t.Namespace, a.Workflow)
				unstuck[a.Workflow] = true
			}
			var over *serviceerror.NotFound
			if err := o.Client.CompleteActivity(ctx, a.Token, nil, errGone); err != nil && !errors.As(err, &over) {
				o.Log.Warn("a killed worker's step couldn't be given out again; Temporal does so once its heartbeat is missed", "workflow", a.Workflow, "error", err)
			}
		}
		o.Log.Info("a worker that was killed is succeeded", "process", p.Process, "steps", len(p.attempts))
	}
	return processes
}

// unstick lets a workflow's next task go to any worker: else it would wait for the killed one for a while.
func unstick(ctx context.Context, c client.Client, namespace, workflow string) {
	_, _ = c.WorkflowService().ResetStickyTaskQueue(ctx, &workflowservice.ResetStickyTaskQueueRequest{Namespace: namespace,
		Execution: &commonpb.WorkflowExecution{WorkflowId: workflow}}) // it may have ended
}
