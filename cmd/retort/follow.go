package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"go.temporal.io/sdk/client"
	"golang.org/x/term"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/workflows"
)

// WatchCmd joins a run.
type WatchCmd struct {
	Dataset string `arg:"" help:"Dataset whose run to follow." placeholder:"DATASET"`
}

// Run follows the newest run of the dataset to its end.
func (c *WatchCmd) Run(a *app) error {
	d, err := a.dataset(c.Dataset)
	if err != nil {
		return err
	}
	s, err := a.store()
	if err != nil {
		return err
	}
	last, err := activities.NewestStatus(a.ctx, s, d)
	if err != nil {
		return err
	}
	if last == nil {
		return noRuns(d)
	}
	t, err := a.client(a.quiet())
	if err != nil {
		return err
	}
	return a.follow(t, d.Run(last.Run))
}

func noRuns(d store.Dataset) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "no_runs", Op: "look up", Subject: d.Name, Cause: errors.New("this dataset has no runs in " + d.Home()), Hint: "Start one with: retort run RECIPE"}
}

// followEvery is how often a run's state is asked for.
const followEvery = 500 * time.Millisecond

// looker sees what is known of a run.
type looker func() (*snapshot, error)

// follow shows a run until it ends; interrupted, it says how to rejoin. The run doesn't depend on who looks.
func (a *app) follow(t client.Client, run store.Run) error {
	look := func() (*snapshot, error) { return a.look(t, run) }
	follow := a.followLines
	if out, ok := a.terminal(); ok {
		follow = func(look looker, ended <-chan struct{}) (*schema.Status, error) {
			return a.followLive(out, look, ended)
		}
	}
	last, err := follow(look, a.awaitEnd(t, run))
	switch {
	case err != nil:
		return err
	case last == nil:
		fmt.Fprintf(a.stderr, "\nThe run goes on. Rejoin it with: retort watch %s\n", run.Name)
		return exitStatus(exitInterrupted)
	}
	return a.conclude(run, last)
}

// followLines prints lines until the run ends (its last status), or the command is interrupted (nil).
func (a *app) followLines(look looker, ended <-chan struct{}) (*schema.Status, error) {
	v := a.newView()
	for {
		snap, err := look()
		switch {
		case a.ctx.Err() != nil:
			return nil, nil
		case err != nil:
			v.trouble(err)
		default:
			if err := v.show(snap); err != nil {
				return nil, err
			}
			if snap.Ended() {
				return &snap.Status, nil
			}
		}
		select {
		case <-a.ctx.Done():
			return nil, nil
		case <-ended:
			ended = nil // one look more, and if its last status can't be read yet, as often as before
		case <-time.After(followEvery):
		}
	}
}

// awaitEnd closes what it returns once the run's workflow has ended, or nobody can tell.
func (a *app) awaitEnd(t client.Client, run store.Run) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t.GetWorkflow(a.ctx, workflows.GenerateID(run.Bucket, run.Prefix, run.Name), "").Get(a.ctx, nil) //nolint:errcheck // what it came to stands in its status
	}()
	return ended
}

// conclude says what a run came to, and returns the exit status that goes with it.
func (a *app) conclude(run store.Run, s *schema.Status) error {
	if !a.json {
		a.concludeText(run, s)
	}
	switch s.State {
	case schema.StateHeld:
		if s.OnBudget {
			return exitStatus(exitBudget)
		}
		return exitStatus(exitHeld)
	case schema.StateFailed:
		if a.problemKind(run, s.Reason) == schema.KindInvalid {
			return exitStatus(exitInvalid)
		}
		return exitStatus(exitFailed)
	case schema.StateCancelled:
		return exitStatus(exitFailed)
	}
	if s.OnBudget {
		return exitStatus(exitBudget)
	}
	return nil
}

func (a *app) problemKind(run store.Run, code string) schema.Kind {
	switch code {
	case "recipe", "no_prompts", "max_generation", "not_allowed":
		return schema.KindInvalid
	}
	return schema.KindFailed
}

func (a *app) concludeText(run store.Run, s *schema.Status) {
	switch s.State {
	case schema.StatePublished:
		a.printf("\nPublished %s version %d: %s records. %s\n", s.Dataset, s.Version, number(s.Counts.Admitted+s.Counts.Human), run.URI(run.Manifest(s.Version)))
		a.warn(run, s.Version)
		a.printf("  retort files %s@%d     its shards\n  retort verify %s@%d    reads and checks them all\n", s.Dataset, s.Version, s.Dataset, s.Version)
	case schema.StateNothing:
		a.printf("\nNothing was admitted, so nothing was published. The rejects stand in %s\n", run.URI(run.Home()+"rejected/"))
	case schema.StateNothingNew:
		a.printf("\nNothing new: the dataset has an answer to each of %s prompts, so nobody was asked.\n", number(s.Answered))
	case schema.StateHeld:
		a.printf("\nHeld: %s\n%s", reasonText(s), a.problemText(run, s.Reason))
		a.printf("  retort release %s --why TEXT   goes on where it stopped\n  retort cancel %s               ends it for good; what was paid for is kept\n", s.Dataset, s.Dataset)
	case schema.StateCancelled:
		a.printf("\nCancelled. %s answers were paid for and stand in %s\n", number(s.Asked), run.URI(run.Home()+"answers/"))
	case schema.StateFailed:
		a.printf("\nFailed: %s\n%s", reasonText(s), a.problemText(run, s.Reason))
	}
}

// warn prints what the manifest warns of.
func (a *app) warn(run store.Run, version int) {
	m, err := activities.LoadManifest(a.ctx, a.objects, run.Dataset, version)
	if err != nil {
		return
	}
	for _, w := range m.Warnings {
		a.printf("  warning: %s\n", w)
	}
}

// problemText is the full text of what stopped a run.
func (a *app) problemText(run store.Run, code string) string {
	body, err := a.objects.Get(a.ctx, run.Problem(code))
	var p activities.Problem
	if err != nil || json.Unmarshal(body, &p) != nil {
		return ""
	}
	return a.hang(p.Message)
}

// hang indents text by two; on a terminal lines are broken between words, under the indent.
func (a *app) hang(text string) string {
	width := 0
	if out, ok := a.terminal(); ok {
		width, _, _ = term.GetSize(int(out.Fd()))
	}
	return hangIn(text, width)
}

// hangIn is hang in a width; 0 has no bound.
func hangIn(text string, width int) string {
	var b strings.Builder
	for _, line := range strings.Split(printable(text), "\n") {
		bare := strings.TrimLeft(line, " ")
		indent := "  " + line[:len(line)-len(bare)]
		if width > len(indent)+20 {
			bare = strings.ReplaceAll(ansi.Wordwrap(bare, width-len(indent)-1, " "), "\n", "\n"+indent)
		}
		b.WriteString(indent + bare + "\n")
	}
	return b.String()
}
