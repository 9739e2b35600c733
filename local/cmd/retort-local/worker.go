package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/payload"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/telemetry"
	"github.com/retort-data/retort/worker"
)

// runWorker runs Retort's worker with the configuration at path until ctx ends,
// then drains it. It logs to a file. Tests replace it.
var runWorker = func(ctx context.Context, path, logPath string) error {
	config, err := schema.LoadConfig(path)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	logs := slog.New(activities.NewLogFilter(slog.NewTextHandler(file, nil), config))
	warnings := slog.New(activities.NewLogFilter(slog.NewTextHandler(file, &slog.HandlerOptions{Level: slog.LevelWarn}), config))
	traces, err := telemetry.StartTraces(ctx, "retort-worker", program())
	if err != nil {
		return err
	}
	defer traces.Stop()
	o := client.Options{HostPort: config.Temporal.Address, Namespace: config.Temporal.Namespace, Logger: sdklog.NewStructuredLogger(warnings)}
	traces.Intercept(&o)
	if _, err := payload.Apply(&o, config); err != nil {
		return err
	}
	c, err := client.DialContext(ctx, o)
	if ctx.Err() != nil { // told to stop before it was connected
		return nil
	}
	if err != nil {
		return fmt.Errorf("reach Temporal at %s: %w", config.Temporal.Address, err)
	}
	defer c.Close()
	return worker.Run(ctx, worker.Options{Config: config, Client: c, Log: logs, Program: program()})
}

// program is the version of this build, as it enters manifests.
func program() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}
