package worker

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Options of a worker process.
type Options struct {
	Config  *schema.Config
	Client  client.Client
	Log     *slog.Logger
	Program string
	Build   string                   // of Worker Versioning, where the configuration names a deployment; default: Program
	Health  interface{ Ready(bool) } // told when the worker takes work; nil: nobody
	Grace   time.Duration            // for requests under way when the worker is told to stop; default 30 s
}

// AskQueue is the task queue of the workers' asking part.
func AskQueue(taskQueue string) string { return taskQueue + "-ask" }

// Run works until ctx ends; then it drains: nothing more is sent, answers under way are waited for and journalled.
func Run(ctx context.Context, o Options) error {
	rooms, err := open(ctx, o)
	if err != nil {
		return err
	}
	endScratch, folder, dead, err := scratchFolder(o.Config)
	if err != nil {
		return err
	}
	defer endScratch()
	rooms.Scratch = folder
	defer rooms.Teachers.Close()
	under, err := newNotes(folder, self{rooms.Teachers.Process(), o.Config.Temporal.Address, o.Config.Temporal.Namespace})
	if err != nil {
		return err
	}
	main, ask := Register(rooms, o, under)
	gone := succeed(ctx, o, dead)
	if err := main.Start(); err != nil {
		return startError(o, err)
	}
	defer main.Stop()
	if err := ask.Start(); err != nil {
		return startError(o, err)
	}
	defer ask.Stop()
	go lender{o.Client, o.Config.Temporal.TaskQueue}.announce(ctx, o.Config.Teachers, o.Config.Temporal.Namespace, gone)
	o.Log.Info("worker started", "task_queue", o.Config.Temporal.TaskQueue, "namespace", o.Config.Temporal.Namespace, "store", rooms.Store.Bucket())
	o.ready(true)
	<-ctx.Done()
	o.ready(false)
	o.Log.Info("worker stops: waits for requests under way", "grace", o.Grace)
	return nil
}

func (o Options) ready(yes bool) {
	if o.Health != nil {
		o.Health.Ready(yes)
	}
}

func startError(o Options, err error) error {
	return &schema.Error{Kind: schema.KindFailed, Code: "temporal", Op: "start worker at", Subject: o.Config.Temporal.Address, Cause: err,
		Hint: "Check temporal: in the configuration, and that the server runs (local stack: make up)."}
}

// open makes the rooms of a process.
func open(ctx context.Context, o Options) (*activities.Rooms, error) {
	s, err := store.OpenS3(ctx, o.Config.Store, "")
	if err != nil {
		return nil, err
	}
	if err := store.CheckConditional(ctx, s, o.Config.Store.Prefix); schema.KindOf(err) == schema.KindInvalid {
		return nil, err
	} else if err != nil { // it may come back; each activity says what is wrong with it
		o.Log.Warn("the store can't be checked yet", "error", err)
	}
	rooms := &activities.Rooms{Config: o.Config, Store: s, Teachers: activities.NewTeachers(o.Config, "retort/"+o.Program),
		Program: o.Program, Log: o.Log, Scheduler: scheduler{o.Client, o.Config.Temporal.Namespace},
		Buckets: func(bucket string) (store.Store, error) { return store.OpenS3(ctx, o.Config.Store, bucket) }}
	if err := rooms.ReadSigner(); err != nil {
		return nil, err
	}
	rooms.Tell = func(ctx context.Context, workflow string, w schema.TeacherWait) error {
		return o.Client.SignalWorkflow(ctx, workflow, "", schema.SignalWaits, w)
	}
	rooms.Teachers.Lender, rooms.Teachers.Log = lender{o.Client, o.Config.Temporal.TaskQueue}, o.Log
	return rooms, nil
}

// stickyFor is how long a workflow task waits for the worker that has the workflow in memory: after a kill, that long is lost.
const stickyFor = 2 * time.Second

// Register makes the two workers of a process: one for workflows and what is short, one for Ask. Around all activities come more.
func Register(rooms *activities.Rooms, o Options, more ...interceptor.WorkerInterceptor) (main, ask worker.Worker) {
	if o.Grace == 0 {
		o.Grace = 30 * time.Second
	}
	c := o.Config
	guard := append(more, &activities.Guard{Rooms: rooms})
	main = worker.New(o.Client, c.Temporal.TaskQueue, worker.Options{
		Interceptors:                       guard,
		MaxConcurrentActivityExecutionSize: 2 * runtime.GOMAXPROCS(0),
		MaxConcurrentActivityTaskPollers:   2,
		MaxHeartbeatThrottleInterval:       time.Second,
		StickyScheduleToStartTimeout:       stickyFor,
		WorkerStopTimeout:                  o.Grace,
		DeploymentOptions:                  o.deployment(),
	})
	registerWorkflows(main)
	for name, step := range map[string]any{
		schema.StepPlan: rooms.Plan, schema.StepInspect: rooms.Inspect, schema.StepAdmit: rooms.Admit, schema.StepLayout: rooms.Layout,
		schema.StepWrite: rooms.Write, schema.StepPublish: rooms.Publish, schema.StepTidy: rooms.Tidy, schema.StepStatus: rooms.SaveStatus,
		schema.StepHold: rooms.SaveHeld, schema.StepLoad: rooms.LoadHeld, schema.StepExpire: rooms.ExpireHeld, schema.StepPublished: rooms.Published,
		schema.StepNotify: rooms.Notify, schema.StepBeginNight: rooms.BeginNight, schema.StepEndNight: rooms.EndNight,
		schema.StepRetract: rooms.Retract,
	} {
		main.RegisterActivityWithOptions(step, activity.RegisterOptions{Name: name})
	}
	ask = worker.New(o.Client, AskQueue(c.Temporal.TaskQueue), worker.Options{
		Interceptors:                       guard,
		DisableWorkflowWorker:              true,
		MaxConcurrentActivityExecutionSize: max(c.Worker.Pages, 2*len(c.Teachers)),
		MaxConcurrentActivityTaskPollers:   2,
		MaxHeartbeatThrottleInterval:       time.Second,
		WorkerStopTimeout:                  o.Grace,
		DeploymentOptions:                  o.deployment(),
	})
	ask.RegisterActivityWithOptions(rooms.Ask, activity.RegisterOptions{Name: schema.StepAsk})
	for name, step := range map[string]any{schema.StepSubmit: rooms.SubmitBatch, schema.StepPoll: rooms.PollBatch, schema.StepFetch: rooms.FetchBatch, schema.StepCancel: rooms.CancelBatch} {
		ask.RegisterActivityWithOptions(step, activity.RegisterOptions{Name: name})
	}
	ask.RegisterActivityWithOptions(rooms.Probe, activity.RegisterOptions{Name: schema.StepProbe})
	ask.RegisterActivityWithOptions(rooms.Ping, activity.RegisterOptions{Name: schema.StepPing})
	return main, ask
}
