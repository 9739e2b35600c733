package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/teacher"
)

// Key paths of what a recipe reads.
const anchorPath = "anchor.from"

func promptsPath(i int) string { return fmt.Sprintf("prompts[%d].from", i) }

// Scheduler is what a night asks of Temporal.
type Scheduler interface {
	// Alive says whether a workflow of that id is running.
	Alive(ctx context.Context, workflowID string) (bool, error)
	// Searchable are the search attributes of a run that the namespace has; none where that can't be found out.
	Searchable(ctx context.Context) []string
	// Pause pauses a schedule; the note says why. A schedule that is gone is no error.
	Pause(ctx context.Context, scheduleID, note string) error
}

// BeginNight begins a run as `retort run` does: it finds and pins the sources anew, checks the recipe against this worker's
// configuration, and puts what the run begins with. Where another run is in the way it says which, and begins nothing.
func (r *Rooms) BeginNight(ctx context.Context, in schema.NightInput) (schema.Night, error) {
	d := store.NewDataset(r.Store.Bucket(), r.Config.Store.Prefix, in.Dataset)
	run := d.Run(in.Ref().Run)
	night := schema.Night{Dataset: in.Dataset, At: in.At.UTC(), Started: in.Started.UTC(), Outcome: schema.NightBegun, Run: run.ID}
	body, err := r.Store.Get(ctx, d.Setting(in.Setting))
	if err != nil {
		return night, err
	}
	var setting Setting
	if err := decode(d.Setting(in.Setting), body, &setting); err != nil {
		return night, err
	}
	if night.Missed, err = r.putMissed(ctx, d, in, &setting); err != nil {
		return night, err
	}
	switch inTheWay, err := r.inTheWay(ctx, d, in, &night); {
	case err != nil:
		return night, err
	case inTheWay:
		return night, r.putNight(ctx, d, &night)
	}
	b, err := r.nightBeginning(ctx, in, &setting)
	if err != nil {
		return night, err
	}
	if err := b.Begin(ctx, r.Store, run); err != nil {
		return night, err
	}
	night.Probe, night.Program, night.Search = b.Recipe.Schedule.Probe, r.Program, r.Scheduler.Searchable(ctx)
	return night, r.putNight(ctx, d, &night)
}

// inTheWay fills in the run that is held or under way.
func (r *Rooms) inTheWay(ctx context.Context, d store.Dataset, in schema.NightInput, night *schema.Night) (bool, error) {
	last, err := NewestStatus(ctx, r.Store, d)
	if err != nil {
		return false, err
	}
	if last != nil && last.State == schema.StateHeld {
		night.Outcome, night.Run, night.Reason, night.Since = schema.NightHeld, last.Run, last.Reason, last.Updated
		return true, nil
	}
	alive, err := r.Scheduler.Alive(ctx, in.Workflow)
	if err != nil || !alive {
		return false, err
	}
	night.Outcome, night.Run = schema.NightRunning, ""
	if last != nil && !schema.Ended(last.State) {
		night.Run, night.Since = last.Run, last.Started
	}
	return true, nil
}

// nightBeginning makes a checked recipe ready, as the command line does for `retort run`.
func (r *Rooms) nightBeginning(ctx context.Context, in schema.NightInput, setting *Setting) (*Beginning, error) {
	recipe, err := schema.ParseRecipe("recipe.yaml", []byte(setting.Recipe))
	if err != nil {
		return nil, err
	}
	if recipe.Dataset != in.Dataset || recipe.Schedule == nil {
		return nil, broken(in.Setting, fmt.Errorf("it is a setting of %s", recipe.Dataset))
	}
	if err := schema.CheckTeachers(recipe, r.Config).Err(); err != nil {
		return nil, err
	}
	var shape []byte
	if len(setting.Shape) > 0 && !bytes.Equal(setting.Shape, []byte("null")) {
		shape = setting.Shape
		if _, err := teacher.CompileSchema(shape); err != nil {
			return nil, err
		}
	}
	if _, err := NewRecipe(recipe, shape); err != nil {
		return nil, err
	}
	b := &Beginning{Recipe: recipe, Text: []byte(setting.Recipe), Shape: shape, Config: r.Config,
		Begun: Begun{Program: r.Program, At: time.Now().UTC(), New: recipe.Schedule.New, Night: in.At.UTC()}}
	access := &prompt.Access{Config: r.Config, Store: r.Store, Bucket: r.Buckets, Scratch: r.Scratch}
	for i, s := range recipe.Prompts {
		files, err := tonight(ctx, access, recipe, setting, promptsPath(i), s.From)
		if err != nil {
			return nil, err
		}
		b.Sources = append(b.Sources, prompt.Source{Source: s, Index: i, Files: files})
	}
	b.Against, err = ResolveAgainst(ctx, access, recipe, func(path, from string) ([]schema.PinnedFile, error) {
		return tonight(ctx, access, recipe, setting, path, from)
	})
	if err != nil {
		return nil, err
	}
	if recipe.Checks.Contamination.Do != schema.DoOff {
		for i, from := range recipe.Checks.Contamination.Against {
			set := evaluationsSource(from)
			if set.Files, err = tonight(ctx, access, recipe, setting, evaluationsPath(i), from); err != nil {
				return nil, err
			}
			b.Evaluations = append(b.Evaluations, set)
		}
	}
	if ReadsHumanText(recipe) {
		if b.Anchor, err = tonight(ctx, access, recipe, setting, anchorPath, recipe.Anchor.From); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// tonight are the files of a source: objects as they are now, local files as they were sent.
func tonight(ctx context.Context, access *prompt.Access, recipe *schema.Recipe, setting *Setting, path, from string) ([]schema.PinnedFile, error) {
	if files := setting.Local[path]; len(files) > 0 {
		for _, f := range files {
			if !access.MayRead(f) {
				return nil, schema.Faults{recipe.At(path, "may not be read by this worker", "set the schedule anew: retort schedule set RECIPE")}
			}
		}
		return files, nil
	}
	if _, _, ok := schema.SplitS3(from); !ok {
		return nil, schema.Faults{recipe.At(path, "wasn't sent when the schedule was set", "set it anew: retort schedule set RECIPE")}
	}
	return access.Resolve(ctx, recipe, path, from)
}

// EndNight writes what became of a night. A night that failed pauses its schedule: the next one would most likely fail too, for money.
func (r *Rooms) EndNight(ctx context.Context, in schema.EndNight) error {
	d := store.NewDataset(r.Store.Bucket(), r.Config.Store.Prefix, in.Dataset)
	if err := r.putNight(ctx, d, &in.Night); err != nil {
		return err
	}
	countNight(&in.Night)
	if in.Night.Outcome != schema.StateFailed {
		return nil
	}
	return r.Scheduler.Pause(ctx, in.Schedule, fmt.Sprintf("the night of %s failed: %s (run %s)", in.At.UTC().Format(time.RFC3339), in.Night.Reason, in.Night.Run))
}

// putNight overwrites: a night is begun, then ends.
func (r *Rooms) putNight(ctx context.Context, d store.Dataset, n *schema.Night) error {
	body, err := json.MarshalIndent(n, "", " ")
	if err != nil {
		return err
	}
	return r.Store.Put(ctx, d.Night(n.At), body)
}

// putMissed writes down the times since the last night that never started, so that no gap goes unreported.
func (r *Rooms) putMissed(ctx context.Context, d store.Dataset, in schema.NightInput, setting *Setting) (int, error) {
	recipe, err := schema.ParseRecipe("recipe.yaml", []byte(setting.Recipe))
	if err != nil || recipe.Schedule == nil {
		return 0, err
	}
	from := setting.Set
	last, err := LastNights(ctx, r.Store, d, 0)
	if err != nil {
		return 0, err
	}
	for _, at := range last {
		if at.Before(in.At) && at.After(from) {
			from = at
		}
	}
	due := schema.DueBetween(*recipe.Schedule, time.Duration(setting.Every), from, in.At)
	for _, at := range due {
		body, err := json.MarshalIndent(schema.Night{Dataset: in.Dataset, At: at, Outcome: schema.NightMissed}, "", " ")
		if err != nil {
			return 0, err
		}
		if err := put(ctx, r.Store, d.Night(at), body); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// LastNights are the times that nights of a dataset stand under, in order; of all (most 0), or of the newest.
func LastNights(ctx context.Context, s store.Store, d store.Dataset, most int) (times []time.Time, err error) {
	for info, err := range s.List(ctx, d.Nights(), "") {
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(info.Key, d.Nights()), ".json")
		if at, err := time.Parse("20060102T150405Z", name); err == nil {
			times = append(times, at)
		}
	}
	if most > 0 && len(times) > most {
		times = times[len(times)-most:]
	}
	return times, nil
}

// ReadNights reads the newest nights of a dataset, in order of time.
func ReadNights(ctx context.Context, s store.Store, d store.Dataset, most int) ([]schema.Night, error) {
	times, err := LastNights(ctx, s, d, most)
	if err != nil {
		return nil, err
	}
	nights := make([]schema.Night, len(times))
	for i, at := range times {
		body, err := s.Get(ctx, d.Night(at))
		if err != nil {
			return nil, err
		}
		if err := decode(d.Night(at), body, &nights[i]); err != nil {
			return nil, err
		}
	}
	return nights, nil
}
