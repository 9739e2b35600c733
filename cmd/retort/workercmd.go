package main

import (
	"errors"
	"log/slog"
	"time"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/telemetry"
	"github.com/retort-data/retort/worker"
)

// WorkerCmd runs a worker.
type WorkerCmd struct {
	Log   string        `enum:"text,json" default:"text" help:"How the log is written: text or json."`
	Grace time.Duration `default:"30s" help:"How long requests under way are waited for when it is told to stop."`
	Build string        `name:"build-id" env:"RETORT_BUILD_ID" help:"What Worker Versioning calls this build, where worker.deployment is set (default: the program's version)." placeholder:"ID"`
	Wait  time.Duration `default:"1m" help:"How long a Temporal server that can't be reached when the worker starts is waited for."`
}

// logger writes to stderr what may stand in a log.
func (c *WorkerCmd) logger(a *app, config *schema.Config, level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(a.stderr, o)
	if c.Log == "json" {
		h = slog.NewJSONHandler(a.stderr, o)
	}
	return slog.New(activities.NewLogFilter(h, config))
}

// Run works until SIGINT or SIGTERM.
func (c *WorkerCmd) Run(a *app) error {
	config, err := a.loadConfig()
	if err != nil {
		return err
	}
	boundReserve()
	server, err := telemetry.Serve(config.Worker.Metrics)
	if err != nil {
		return err
	}
	defer server.Stop() //nolint:errcheck // it served as long as it could
	a.metrics = server.Handler
	logs := c.logger(a, config, slog.LevelInfo)
	for until := time.Now().Add(c.Wait); ; {
		err := c.work(a, config, logs, server)
		var e *schema.Error
		if a.ctx.Err() != nil || !errors.As(err, &e) || e.Code != "temporal" || time.Now().After(until) {
			return err
		}
		logs.Warn("waiting for Temporal", "until", until.Format(time.TimeOnly), "error", err)
		select {
		case <-a.ctx.Done():
			return err
		case <-time.After(waitPause):
		}
	}
}

// waitPause is the time between two tries to reach Temporal.
const waitPause = time.Second

func (c *WorkerCmd) work(a *app, config *schema.Config, logs *slog.Logger, server *telemetry.Server) error {
	t, err := a.client(c.logger(a, config, slog.LevelWarn))
	if err != nil {
		return err
	}
	return worker.Run(a.ctx, worker.Options{Config: config, Client: t, Log: logs, Program: program(), Build: c.Build, Grace: c.Grace, Health: server})
}
