package main

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/worker"
	"github.com/retort-data/retort/workflows"
)

// TeachersCmd lists teachers.
type TeachersCmd struct {
	Ping bool `help:"Ask each one whether it answers, on a worker."`
}

// Run prints what the configuration declares; keys are on workers alone.
func (c *TeachersCmd) Run(a *app) error {
	config, err := a.loadConfig()
	if err != nil {
		return err
	}
	if c.Ping {
		return a.ping(config)
	}
	if a.json {
		return a.printJSON(config.Teachers)
	}
	for _, t := range config.Teachers {
		price := "price unknown"
		if t.Price != nil {
			price = fmt.Sprintf("$%g in, $%g out for a million tokens", t.Price.Input, t.Price.Output)
		}
		a.printf("%s: %s %s\n  training %s%s\n  limits: %s; %s\n", t.Name, t.Model, t.Revision, t.Terms.Training, termsText(t.Terms), limitsText(t.Limits.RPM, t.Limits.TPM, t.Limits.Concurrency), price)
	}
	return nil
}

func limitsText(rpm, tpm, concurrency int) string {
	text := fmt.Sprintf("%d at once", concurrency)
	if rpm > 0 {
		text += fmt.Sprintf(", %s requests a minute", number(int64(rpm)))
	}
	if tpm > 0 {
		text += fmt.Sprintf(", %s tokens a minute", number(int64(tpm)))
	}
	return text
}

// ping has a worker ask every teacher; exit 1 where one doesn't answer.
func (a *app) ping(config *schema.Config) error {
	t, err := a.client(a.quiet())
	if err != nil {
		return err
	}
	names := make([]string, len(config.Teachers))
	for i := range config.Teachers {
		names[i] = config.Teachers[i].Name
	}
	w, err := t.ExecuteWorkflow(a.ctx, client.StartWorkflowOptions{ID: "retort/ping/" + activities.NewRunID(time.Now()), TaskQueue: config.Temporal.TaskQueue,
		WorkflowExecutionTimeout: 4 * time.Minute}, workflows.PingName, worker.AskQueue(config.Temporal.TaskQueue), names)
	if err != nil {
		return err
	}
	var got []schema.PingResult
	if err := w.Get(a.ctx, &got); err != nil {
		return &schema.Error{Kind: schema.KindFailed, Code: "ping", Op: "ping teachers", Cause: err, Hint: "Is a worker running? Start one with: retort worker"}
	}
	return a.printPing(got)
}

func (a *app) printPing(got []schema.PingResult) error {
	failed := 0
	for _, p := range got {
		if p.Code != "" {
			failed++
		}
	}
	if a.json {
		if err := a.printJSON(got); err != nil {
			return err
		}
	} else {
		for _, p := range got {
			switch {
			case p.Code != "":
				a.printf("%s: doesn't answer: %s; the worker's log has the whole story\n", p.Name, p.Code)
			case p.Listed:
				a.printf("%s: answers in %d ms, and lists the model\n", p.Name, p.Millis)
			default:
				a.printf("%s: answers in %d ms; it was asked for one token\n", p.Name, p.Millis)
			}
		}
	}
	if failed > 0 {
		return exitStatus(exitFailed)
	}
	return nil
}
