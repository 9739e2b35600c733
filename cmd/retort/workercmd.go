package main

import (
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
