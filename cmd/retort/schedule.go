package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/worker"
	"github.com/retort-data/retort/workflows"
)

// ScheduleCmd is what can be done with schedules.
type ScheduleCmd struct {
	Set    ScheduleSetCmd    `cmd:"" help:"Run a recipe as its schedule says; set again, the new one takes its place."`
	List   ScheduleListCmd   `cmd:"" help:"Schedules, when they run next, and what became of their last nights."`
	Pause  SchedulePauseCmd  `cmd:"" help:"Begin no more nights."`
	Resume ScheduleResumeCmd `cmd:"" help:"Begin nights again."`
	Remove ScheduleRemoveCmd `cmd:"" help:"Remove a schedule; a run under way goes on."`
}

// ScheduleSetCmd sets a schedule.
type ScheduleSetCmd struct {
	Recipe string        `arg:"" help:"Recipe with a schedule." placeholder:"RECIPE"`
	Every  time.Duration `help:"Instead of the recipe's cron: for trying it out." placeholder:"DURATION"`
}

// catchUp is how late a night may begin when Temporal was away at its time: tonight's, not last week's.
const catchUp = time.Hour

// Run checks the recipe whole, keeps it on S3 with the local files that it reads, and makes or changes the schedule.
func (c *ScheduleSetCmd) Run(a *app) error {
	if c.Every != 0 && c.Every < time.Second {
		return &schema.Error{Kind: schema.KindInvalid, Code: "arguments", Op: "schedule", Subject: "--every", Cause: errors.New("is less than a second")}
	}
	b, d, t, err := a.ready(c.Recipe)
	if err != nil {
		return err
	}
	s := b.Recipe.Schedule
	if s == nil {
		return schema.Faults{b.Recipe.At("schedule", "isn't there", `say when it runs, such as schedule: {cron: "0 2 * * *", timezone: Europe/Berlin}`)}
	}
	setting, err := b.Set(a.ctx, a.objects, d, activities.Setting{Every: schema.Duration(c.Every), Set: time.Now().UTC(), Who: userName(), Program: program()})
	if err != nil {
		return err
	}
	if err := a.putSchedule(t, d, a.scheduleOf(d, *s, c.Every, setting)); err != nil {
		return err
	}
	when := s.Cron + ", " + s.Timezone
	if c.Every > 0 {
		when = "every " + c.Every.String()
	}
	if a.json {
		return a.printJSON(map[string]any{"dataset": d.Name, "schedule": workflows.ScheduleID(d.Bucket, d.Prefix, d.Name), "setting": setting})
	}
	a.printf("%s runs by itself: %s. Sources on S3 are found anew each time", d.Name, when)
	if b.ReadsLocal() {
		a.printf("; local files were sent, and stay as they are until it is set again")
	}
	a.printf(".\n  retort schedule list           when it runs next, and what became of its nights\n  retort schedule pause %s     no more nights until resume\n", d.Name)
	return nil
}

func (a *app) scheduleOf(d store.Dataset, s schema.Schedule, every time.Duration, setting string) client.ScheduleOptions {
	queue := a.config.Temporal.TaskQueue
	o := client.ScheduleOptions{ID: workflows.ScheduleID(d.Bucket, d.Prefix, d.Name),
		Action: &client.ScheduleWorkflowAction{ID: workflows.NightID(d.Bucket, d.Prefix, d.Name), Workflow: workflows.NightlyName, TaskQueue: queue, WorkflowTaskTimeout: 10 * time.Second,
			Args: []any{workflows.NightlyInput{Dataset: d.Name, Setting: setting, Workflow: workflows.GenerateID(d.Bucket, d.Prefix, d.Name),
				Schedule: workflows.ScheduleID(d.Bucket, d.Prefix, d.Name), AskQueue: worker.AskQueue(queue), Buffer: s.Overlap == "buffer"}}},
		CatchupWindow: catchUp, PauseOnFailure: true,
		// Each time starts its small workflow, which skips by itself where a run is in the way: so the night says so.
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL}
	if s.Overlap == "buffer" {
		o.Overlap = enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE
	}
	if every > 0 {
		o.Spec = client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}}
		o.CatchupWindow = max(10*time.Second, min(catchUp, every)) // Temporal takes no less than 10 s
	} else {
		o.Spec = client.ScheduleSpec{CronExpressions: []string{s.Cron}, TimeZoneName: s.Timezone}
	}
	return o
}

// putSchedule makes a schedule, or changes the one that is there; paused stays paused.
func (a *app) putSchedule(t client.Client, d store.Dataset, o client.ScheduleOptions) error {
	_, err := t.ScheduleClient().Create(a.ctx, o)
	if err == nil {
		return nil
	}
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return scheduleError("set", d.Name, err)
	}
	err = t.ScheduleClient().GetHandle(a.ctx, o.ID).Update(a.ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			s := in.Description.Schedule
			s.Spec, s.Action = &o.Spec, o.Action
			s.Policy = &client.SchedulePolicies{Overlap: o.Overlap, CatchupWindow: o.CatchupWindow, PauseOnFailure: o.PauseOnFailure}
			return &client.ScheduleUpdate{Schedule: &s}, nil
		}})
	return scheduleError("set", d.Name, err)
}

func scheduleError(op, dataset string, err error) error {
	var gone *serviceerror.NotFound
	switch {
	case err == nil:
		return nil
	case errors.As(err, &gone):
		return &schema.Error{Kind: schema.KindInvalid, Code: "no_schedule", Op: op + " schedule of", Subject: dataset, Cause: errors.New("it has none"), Hint: "Set one with: retort schedule set RECIPE"}
	}
	return &schema.Error{Kind: schema.KindFailed, Code: "schedule", Op: op + " schedule of", Subject: dataset, Cause: err}
}

// SchedulePauseCmd pauses a schedule.
type SchedulePauseCmd struct {
	Dataset string `arg:"" help:"Dataset whose schedule to pause." placeholder:"DATASET"`
	Why     string `help:"Why; it is shown in the list." placeholder:"TEXT"`
}

// Run pauses.
func (c *SchedulePauseCmd) Run(a *app) error {
	note := "paused by " + userName()
	if c.Why != "" {
		note += ": " + c.Why
	}
	return a.handle(c.Dataset, "pause", "The schedule of %s is paused. Go on with: retort schedule resume %s\n", func(ctx context.Context, h client.ScheduleHandle) error {
		return h.Pause(ctx, client.SchedulePauseOptions{Note: note})
	})
}

// ScheduleResumeCmd goes on.
type ScheduleResumeCmd struct {
	Dataset string `arg:"" help:"Dataset whose schedule shall go on." placeholder:"DATASET"`
}

// Run resumes.
func (c *ScheduleResumeCmd) Run(a *app) error {
	return a.handle(c.Dataset, "resume", "The schedule of %s goes on. See: retort schedule list %s\n", func(ctx context.Context, h client.ScheduleHandle) error {
		return h.Unpause(ctx, client.ScheduleUnpauseOptions{Note: "resumed by " + userName()})
	})
}

// ScheduleRemoveCmd removes a schedule.
type ScheduleRemoveCmd struct {
	Dataset string `arg:"" help:"Dataset whose schedule to remove." placeholder:"DATASET"`
}

// Run removes it; what its nights came to stays on S3.
func (c *ScheduleRemoveCmd) Run(a *app) error {
	return a.handle(c.Dataset, "remove", "The schedule of %s is gone. A run under way goes on: retort status %s\n", func(ctx context.Context, h client.ScheduleHandle) error {
		return h.Delete(ctx)
	})
}

func (a *app) handle(dataset, op, done string, do func(context.Context, client.ScheduleHandle) error) error {
	d, err := a.dataset(dataset)
	if err != nil {
		return err
	}
	t, err := a.client(a.quiet())
	if err != nil {
		return err
	}
	if err := do(a.ctx, t.ScheduleClient().GetHandle(a.ctx, workflows.ScheduleID(d.Bucket, d.Prefix, d.Name))); err != nil {
		return scheduleError(op, d.Name, err)
	}
	a.done(d.Name, done)
	return nil
}

// ScheduleListCmd lists schedules.
type ScheduleListCmd struct {
	Dataset string `arg:"" optional:"" help:"Dataset; all of them where it is left out." placeholder:"DATASET"`
	Nights  int    `default:"7" help:"Nights to show of each."`
}

// Listed is a schedule with its last nights.
type Listed struct {
	Dataset string         `json:"dataset"`
	When    string         `json:"when"`
	Paused  bool           `json:"paused"`
	Note    string         `json:"note,omitempty"`
	Next    []time.Time    `json:"next"`
	Missed  int            `json:"missed_catchup"`
	Nights  []schema.Night `json:"nights"`
}

// Run asks Temporal for the schedules, and S3 for what became of their nights.
func (c *ScheduleListCmd) Run(a *app) error {
	s, err := a.store()
	if err != nil {
		return err
	}
	t, err := a.client(a.quiet())
	if err != nil {
		return err
	}
	names := []string{c.Dataset}
	if c.Dataset == "" {
		if names, err = a.scheduled(t); err != nil {
			return err
		}
	}
	all := []Listed{}
	for _, name := range names {
		d, err := a.dataset(name)
		if err != nil {
			return err
		}
		l, err := a.describe(t, d)
		if err != nil {
			return err
		}
		if l.Nights, err = activities.ReadNights(a.ctx, s, d, max(1, c.Nights)); err != nil {
			return err
		}
		all = append(all, l)
	}
	if a.json {
		return a.printJSON(all)
	}
	for i := range all {
		a.printListed(&all[i])
	}
	if len(all) == 0 {
		a.printf("No schedules. Set one with: retort schedule set RECIPE\n")
	}
	return nil
}

// scheduled are the datasets of this store that have a schedule.
func (a *app) scheduled(t client.Client) (names []string, err error) {
	d, err := a.dataset("x")
	if err != nil {
		return nil, err
	}
	before, after, _ := strings.Cut(workflows.ScheduleID(d.Bucket, d.Prefix, "\x00"), "\x00")
	list, err := t.ScheduleClient().List(a.ctx, client.ScheduleListOptions{PageSize: 100})
	if err != nil {
		return nil, err
	}
	for list.HasNext() {
		e, err := list.Next()
		if err != nil {
			return nil, err
		}
		if name, ok := strings.CutPrefix(e.ID, before); ok {
			if name, ok = strings.CutSuffix(name, after); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

func (a *app) describe(t client.Client, d store.Dataset) (Listed, error) {
	got, err := t.ScheduleClient().GetHandle(a.ctx, workflows.ScheduleID(d.Bucket, d.Prefix, d.Name)).Describe(a.ctx)
	if err != nil {
		return Listed{}, scheduleError("describe", d.Name, err)
	}
	l := Listed{Dataset: d.Name, Paused: got.Schedule.State.Paused, Note: got.Schedule.State.Note, Next: got.Info.NextActionTimes, Missed: got.Info.NumActionsMissedCatchupWindow}
	if l.Paused || len(l.Next) > 3 {
		l.Next = l.Next[:min(3, len(l.Next))]
	}
	l.When = whenText(got.Schedule.Spec)
	return l, nil
}

// whenText is a schedule's time as Temporal keeps it.
func whenText(s *client.ScheduleSpec) string {
	parts := slices.Clone(s.CronExpressions)
	for _, c := range s.Calendars {
		parts = append(parts, c.Comment)
	}
	for _, i := range s.Intervals {
		parts = append(parts, "every "+i.Every.String())
	}
	text := strings.Join(parts, ", ")
	if s.TimeZoneName != "" {
		text += " " + s.TimeZoneName
	}
	return strings.TrimSpace(text)
}

func (a *app) printListed(l *Listed) {
	a.printf("%s  %s", l.Dataset, l.When)
	switch {
	case l.Paused:
		a.printf("  PAUSED: %s", l.Note)
	case len(l.Next) > 0:
		a.printf("  next %s", l.Next[0].Local().Format("2006-01-02 15:04:05"))
	}
	a.printf("\n")
	if l.Missed > 0 {
		a.printf("  %d times passed while Temporal was away for longer than it catches up\n", l.Missed)
	}
	for i := range l.Nights {
		a.printf("  %s  %s\n", l.Nights[i].At.Local().Format("2006-01-02 15:04:05"), nightText(&l.Nights[i]))
	}
}

// nightText says what became of a night.
func nightText(n *schema.Night) string {
	text := n.Outcome
	switch n.Outcome {
	case schema.StatePublished:
		text = fmt.Sprintf("published version %d: %s records", n.Version, number(n.Counts.Admitted))
	case schema.NightBegun:
		text = "under way, run " + n.Run
	case schema.NightRunning:
		text = "skipped: already running"
		if n.Run != "" {
			text += ", run " + n.Run
		}
	case schema.NightHeld:
		text = fmt.Sprintf("skipped: run %s is held since %s: %s", n.Run, n.Since.Local().Format("2006-01-02 15:04"), reasonText(&schema.Status{Reason: n.Reason}))
	case schema.NightMissed:
		text = "missed: the schedule was paused, or Temporal away"
	case schema.ProbeChanged:
		text = "skipped"
	case schema.StateNothingNew:
		text = "nothing new: every prompt has an answer in the dataset"
	case schema.StateHeld, schema.StateFailed:
		text += ": " + reasonText(&schema.Status{Reason: n.Reason}) + ", run " + n.Run
	}
	for _, t := range n.Teachers {
		if t.Changed() {
			text += fmt.Sprintf("; teacher %s has changed (%s)", t.Teacher, t.Found)
		}
	}
	if n.Cost != nil && (n.Cost.Micros > 0 || n.Cost.Unknown > 0) {
		text += ", cost " + costText(*n.Cost)
	}
	return text
}
