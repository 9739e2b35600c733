package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Every command of the reference is there, with the flags that it names.
func TestCommandsParse(t *testing.T) {
	for line, want := range map[string]string{
		"check r.yaml":                         "check <recipe>",
		"check --schema":                       "check",
		"check r.yaml --json":                  "check <recipe>",
		"--config c.yaml check r.yaml":         "check <recipe>",
		"preview r.yaml -n 5":                  "preview <recipe>",
		"preview r.yaml":                       "preview <recipe>",
		"run r.yaml":                           "run <recipe>",
		"run r.yaml --detach":                  "run <recipe>",
		"watch d":                              "watch <dataset>",
		"status":                               "status",
		"status d --all":                       "status <dataset>",
		"pause d":                              "pause <dataset>",
		"resume d":                             "resume <dataset>",
		"cancel d":                             "cancel <dataset>",
		"release d --why because":              "release <dataset>",
		"release d --why because --who me":     "release <dataset>",
		"versions d":                           "versions <dataset>",
		"files d@3 --split test":               "files <dataset>",
		"verify d@3":                           "verify <dataset>",
		"verify d@3 --key k.pem":               "verify <dataset>",
		"verify --proof p.json --key k.pem":    "verify",
		"prove d@3 0123 -o p.json":             "prove <dataset> <record>",
		"keygen -o team":                       "keygen",
		"attest d@1 --student s --key k":       "attest <dataset>",
		"retract d --source a --why w":         "retract <dataset>",
		"gc d --yes":                           "gc <dataset>",
		"diff d 1 2 --quick":                   "diff <dataset> <from> <to>",
		"export d@1 --split test -o x.jsonl":   "export <dataset>",
		"teachers":                             "teachers",
		"worker --grace 5s --config c.yaml":    "worker",
		"status team/d --config c.yaml --json": "status <dataset>",
	} {
		var cli CLI
		parser, err := kong.New(&cli, kong.Vars{"version": "test"})
		if err != nil {
			t.Fatal(err)
		}
		k, err := parser.Parse(strings.Fields(line))
		if err != nil {
			t.Errorf("retort %s: %v", line, err)
			continue
		}
		if k.Command() != want {
			t.Errorf("retort %s is %q, want %q", line, k.Command(), want)
		}
	}
}

// What is wrong on the command line is said on stderr, with status 2; help and version go to stdout, with status 0.
func TestArguments(t *testing.T) {
	t.Setenv("RETORT_CONFIG", "")
	t.Chdir(t.TempDir())
	for line, c := range map[string]struct {
		status      int
		out, errors string
	}{
		"--help":                     {0, "release", ""},
		"run --help":                 {0, "--detach", ""},
		"--version":                  {0, program(), ""},
		"":                           {2, "", "expected one of"},
		"frobnicate":                 {2, "", "unexpected argument frobnicate"},
		"run":                        {2, "", "<recipe>"},
		"run r.yaml --nope":          {2, "", "unknown flag --nope"},
		"release d":                  {2, "", "--why"},
		"preview r.yaml -n many":     {2, "", "-n"},
		"preview r.yaml -n 0":        {2, "", "not between 1 and 1000"},
		"check":                      {2, "", "no recipe given"},
		"check r.yaml":               {2, "", "temporal.yaml"},
		"status --config nope.yaml":  {2, "", "there is no such file"},
		"verify Not/A@Version@Twice": {2, "", "retort:"},
	} {
		t.Run(line, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := run(strings.Fields(line), &out, &errs); got != c.status {
				t.Errorf("status %d, want %d; stderr: %s", got, c.status, &errs)
			}
			if !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.errors) {
				t.Errorf("stdout %q, stderr %q; want %q and %q", &out, &errs, c.out, c.errors)
			}
			if c.status != 0 && out.Len() > 0 {
				t.Errorf("an error on stdout: %q", &out)
			}
		})
	}
}

func TestExitStatuses(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"done":        {t.Context(), nil, 0},
		"failed":      {t.Context(), errors.New("x"), 1},
		"s3 is away":  {t.Context(), &schema.Error{Kind: schema.KindRetry, Op: "get"}, 1},
		"no way":      {t.Context(), &schema.Error{Kind: schema.KindFailed, Op: "get"}, 1},
		"a recipe":    {t.Context(), schema.Faults{{What: "x"}}, 2},
		"arguments":   {t.Context(), &schema.Error{Kind: schema.KindInvalid, Op: "x"}, 2},
		"held":        {t.Context(), &schema.Error{Kind: schema.KindHold, Op: "x"}, 3},
		"budget":      {t.Context(), &schema.Error{Kind: schema.KindBudget, Op: "x"}, 4},
		"interrupted": {ended, errors.Join(errors.New("x"), context.Canceled), 130},
		"a timeout":   {t.Context(), context.Canceled, 1}, // nobody has interrupted us
		"said":        {t.Context(), exitStatus(3), 3},
	} {
		t.Run(name, func(t *testing.T) {
			var errs bytes.Buffer
			a := &app{ctx: c.ctx, stdout: &bytes.Buffer{}, stderr: &errs}
			if got := a.explain(c.err); got != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
			silent := c.err == nil || c.want == exitInterrupted || name == "said"
			if silent != (errs.Len() == 0) {
				t.Errorf("stderr %q", &errs)
			}
		})
	}
}

// The status of a run that was followed says how it ended.
func TestExitStatusOfARun(t *testing.T) {
	for name, c := range map[string]struct {
		status schema.Status
		want   int
		text   string
	}{
		"published":            {schema.Status{State: schema.StatePublished, Version: 3}, 0, "version 3"},
		"published, on budget": {schema.Status{State: schema.StatePublished, Version: 3, OnBudget: true}, 4, "version 3"},
		"nothing":              {schema.Status{State: schema.StateNothing}, 0, "Nothing was admitted"},
		"held":                 {schema.Status{State: schema.StateHeld, Reason: "gate"}, 3, "retort release"},
		"held, budget":         {schema.Status{State: schema.StateHeld, Reason: "budget", OnBudget: true}, 4, "budget is used up"},
		"cancelled":            {schema.Status{State: schema.StateCancelled}, 1, "Cancelled"},
		"failed":               {schema.Status{State: schema.StateFailed, Reason: "object_broken"}, 1, "damaged"},
		"failed, the recipe's": {schema.Status{State: schema.StateFailed, Reason: "no_prompts"}, 2, "no prompts"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			a := &app{ctx: t.Context(), stdout: &out, stderr: &bytes.Buffer{}, objects: store.NewMemory("bucket")}
			got := a.explain(a.conclude(store.NewDataset("bucket", "", "d").Run("r"), &c.status))
			if got != c.want || !strings.Contains(out.String(), c.text) {
				t.Errorf("status %d, want %d; said %q, want %q", got, c.want, &out, c.text)
			}
		})
	}
}
