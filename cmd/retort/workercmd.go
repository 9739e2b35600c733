package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/retort-data/retort/worker"
)

// WorkerCmd runs a worker.
type WorkerCmd struct {
	Grace time.Duration `default:"30s" help:"How long requests under way are waited for when it is told to stop."`
}

// collectAt makes the collector run when the heap has grown by half: a worker's memory is bounded by pages and index, and
// twice as much as lives is more than a small machine should need. GOGC wins.
const collectAt = 50

// Run works until SIGINT or SIGTERM.
func (c *WorkerCmd) Run(a *app) error {
	config, err := a.loadConfig()
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	logs := slog.New(slog.NewTextHandler(a.stderr, nil))
	t, err := a.client(slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	return worker.Run(a.ctx, worker.Options{Config: config, Client: t, Log: logs, Program: program(), Grace: c.Grace})
}

// TeachersCmd lists teachers.
type TeachersCmd struct{}

// Run prints what the configuration declares; keys are on workers alone.
func (c *TeachersCmd) Run(a *app) error {
	config, err := a.loadConfig()
	if err != nil {
		return err
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
