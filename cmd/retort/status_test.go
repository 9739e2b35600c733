package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// desk is an app over a store in memory.
func desk(t *testing.T) (*app, *bytes.Buffer) {
	var out bytes.Buffer
	config := &schema.Config{Store: schema.StoreConfig{Bucket: "bucket", Prefix: "p"}}
	return &app{ctx: t.Context(), stdout: &out, stderr: &bytes.Buffer{}, config: config, objects: store.NewMemory("bucket")}, &out
}

// has puts a run's status.
func has(t *testing.T, a *app, dataset, run, state, reason string) {
	t.Helper()
	s := &schema.Status{Dataset: dataset, Run: run, State: state, Reason: reason, HeldAs: 1, Updated: time.Now(),
		Counts: schema.Counts{Planned: 10, Unasked: 10, Rejected: map[string]int64{}}}
	if err := a.putStatus(store.NewDataset("bucket", "p", dataset), s); err != nil {
		t.Fatal(err)
	}
}

func TestStatus(t *testing.T) {
	a, out := desk(t)
	if err := (&StatusCmd{}).Run(a); err != nil || !strings.Contains(out.String(), "No runs yet") {
		t.Errorf("of an empty store: %v, %q", err, out)
	}
	if err := (&StatusCmd{Dataset: "d"}).Run(a); schema.KindOf(err) != schema.KindInvalid {
		t.Errorf("of no dataset: %v", err)
	}
	has(t, a, "d", "01a", schema.StatePublished, "")
	has(t, a, "d", "01b", schema.StateHeld, "gate")
	has(t, a, "team/deep", "01c", schema.StateAsking, "")
	if err := a.objects.Put(t.Context(), "p/d/_runs/01z/recipe.yaml", nil); err != nil { // begun, and nobody has taken it up
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cmd  StatusCmd
		want []string
	}{
		"the newest of all":    {StatusCmd{}, []string{"01b", "01c"}},
		"the newest of one":    {StatusCmd{Dataset: "d"}, []string{"01b"}},
		"all of one":           {StatusCmd{Dataset: "d", All: true}, []string{"01b", "01a"}},
		"a dataset in folders": {StatusCmd{Dataset: "team/deep"}, []string{"01c"}},
	} {
		t.Run(name, func(t *testing.T) {
			a.json = true
			defer func() { a.json = false }()
			out.Reset()
			if err := c.cmd.Run(a); err != nil {
				t.Fatal(err)
			}
			var got []schema.Status
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			var runs []string
			for _, s := range got {
				runs = append(runs, s.Run)
			}
			if strings.Join(runs, " ") != strings.Join(c.want, " ") {
				t.Errorf("runs %v, want %v", runs, c.want)
			}
		})
	}
	out.Reset()
	if err := (&StatusCmd{Dataset: "d"}).Run(a); err != nil || !strings.Contains(out.String(), "answers degrade") {
		t.Errorf("%v, %q: the reason isn't explained", err, out)
	}
}

// A held run must be released or cancelled before another may start.
func TestHeldRunBlocksTheNext(t *testing.T) {
	a, out := desk(t)
	d := store.NewDataset("bucket", "p", "d")
	if err := a.mayStart(d); err != nil {
		t.Errorf("the first run: %v", err)
	}
	has(t, a, "d", "01a", schema.StateHeld, "teacher_blocked")
	err := a.mayStart(d)
	if schema.KindOf(err) != schema.KindHold || !strings.Contains(err.Error(), "retort release d") {
		t.Errorf("after a held one: %v", err)
	}
	if err := (&CancelCmd{Dataset: "d"}).Run(a); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "was cancelled") {
		t.Errorf("it says %q", out)
	}
	if err := a.mayStart(d); err != nil {
		t.Errorf("after it was cancelled: %v", err)
	}
	if err := (&ReleaseCmd{Dataset: "d", Why: "x"}).Run(a); schema.KindOf(err) != schema.KindInvalid {
		t.Errorf("a cancelled run was released: %v", err)
	}
}

// What isn't there is said, with the way to what is.
func TestVersionsOfNothing(t *testing.T) {
	a, out := desk(t)
	for _, arg := range []string{"d", "d@1", "d@99"} {
		for name, err := range map[string]error{"files": (&FilesCmd{Dataset: arg}).Run(a), "verify": (&VerifyCmd{Dataset: arg}).Run(a)} {
			var e *schema.Error
			if !errors.As(err, &e) || e.Code != "no_version" || e.Kind != schema.KindInvalid || e.Hint == "" {
				t.Errorf("%s %s: %v", name, arg, err)
			}
		}
	}
	if err := (&VersionsCmd{Dataset: "d"}).Run(a); err != nil || !strings.Contains(out.String(), "no version yet") {
		t.Errorf("versions: %v, %q", err, out)
	}
	for _, name := range []string{"", "../d", "D D", "_runs"} {
		if err := (&VersionsCmd{Dataset: name}).Run(a); schema.KindOf(err) != schema.KindInvalid {
			t.Errorf("a dataset named %q: %v", name, err)
		}
	}
}
