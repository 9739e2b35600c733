package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/payload"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/telemetry"
)

// app is what the commands share; configuration, store and Temporal are opened when first asked for.
type app struct {
	ctx        context.Context
	stdout     io.Writer
	stderr     io.Writer
	json       bool
	configFile string

	config   *schema.Config
	payloads converter.DataConverter // of temporal
	objects  store.Store
	temporal client.Client
	metrics  client.MetricsHandler
	command  string // as a trace names it
	traces   *telemetry.Traces
	traced   func(status int) // ends the command's span
}

func (a *app) close() {
	if a.temporal != nil {
		a.temporal.Close()
	}
	a.traces.Stop()
}

// trace starts tracing where the environment asks for it; a worker has no trace of its own, but is part of those of runs.
func (a *app) trace() (err error) {
	if a.traces != nil {
		return nil
	}
	service := "retort"
	if a.command == workerCommand {
		service = "retort-worker"
	}
	if a.traces, err = telemetry.StartTraces(a.ctx, service, program()); err != nil || a.command == workerCommand {
		return err
	}
	a.ctx, a.traced = telemetry.StartCommand(a.ctx, a.command)
	return nil
}

// workerCommand is the command that stays.
const workerCommand = "worker"

// printf writes people's text, with control sequences of whatever a model wrote taken out.
func (a *app) printf(format string, args ...any) {
	fmt.Fprint(a.stdout, printable(fmt.Sprintf(format, args...)))
}

// printJSON writes one JSON document.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printable takes out control characters, so that what a model wrote can't steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= 0x20 && r != 0x7f && (r < 0x80 || r > 0x9f) && (r < 0x202a || r > 0x202e) && (r < 0x2066 || r > 0x2069) {
			return r
		}
		return '\uFFFD'
	}, s)
}

func (a *app) configPath() string {
	if a.configFile != "" {
		return a.configFile
	}
	if env := os.Getenv("RETORT_CONFIG"); env != "" {
		return env
	}
	return "temporal.yaml"
}

// loadConfig reads the configuration.
func (a *app) loadConfig() (*schema.Config, error) {
	if a.config != nil {
		return a.config, nil
	}
	path := a.configPath()
	c, err := schema.LoadConfig(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &schema.Error{Kind: schema.KindInvalid, Code: "config", Op: "read configuration", Subject: path, Cause: errors.New("there is no such file"),
			Hint: "Name it by --config or RETORT_CONFIG (local stack: source .retort/env), or start from the repository's temporal.yaml."}
	}
	if err != nil {
		return nil, err
	}
	a.config = c
	return c, nil
}

// store opens the bucket of the configuration.
func (a *app) store() (store.Store, error) {
	if a.objects != nil {
		return a.objects, nil
	}
	c, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	s, err := store.OpenS3(a.ctx, c.Store, "")
	if err != nil {
		return nil, err
	}
	a.objects = s
	return s, nil
}

func (a *app) bucket(name string) (store.Store, error) {
	return store.OpenS3(a.ctx, a.config.Store, name)
}

func (a *app) dataset(name string) (store.Dataset, error) {
	if err := schema.CheckDataset(name); err != nil {
		return store.Dataset{}, err
	}
	c, err := a.loadConfig()
	if err != nil {
		return store.Dataset{}, err
	}
	return store.NewDataset(c.Store.Bucket, c.Store.Prefix, name), nil
}

// dialFor bounds the first connection to Temporal.
const dialFor = 10 * time.Second

// client connects to Temporal; TEMPORAL_* variables win over the configuration.
func (a *app) client(logs *slog.Logger) (client.Client, error) {
	if a.temporal != nil {
		return a.temporal, nil
	}
	c, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, &schema.Error{Kind: schema.KindInvalid, Code: "temporal_env", Op: "read TEMPORAL_* variables", Cause: err}
	}
	if o.HostPort == "" {
		o.HostPort = c.Temporal.Address
	}
	if o.Namespace == "" || o.Namespace == "default" {
		o.Namespace = c.Temporal.Namespace
	}
	if err := a.trace(); err != nil {
		return nil, err
	}
	a.traces.Intercept(&o)
	if a.payloads, err = payload.Apply(&o, c); err != nil {
		return nil, err
	}
	if a.metrics != nil {
		o.MetricsHandler = a.metrics
	}
	o.Logger = log.NewStructuredLogger(logs)
	ctx, cancel := context.WithTimeout(a.ctx, dialFor)
	defer cancel()
	t, err := client.DialContext(ctx, o)
	if err != nil {
		return nil, &schema.Error{Kind: schema.KindFailed, Code: "temporal", Op: "connect to Temporal at", Subject: o.HostPort, Cause: err,
			Hint: "Check temporal: in " + a.configPath() + " and that the server runs (local stack: make up)."}
	}
	c.Temporal.Address, c.Temporal.Namespace = o.HostPort, o.Namespace
	a.temporal = t
	return t, nil
}

// quiet is the logger of commands that people look at: warnings and errors of the SDK go to stderr.
func (a *app) quiet() *slog.Logger {
	return slog.New(activities.NewLogFilter(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelError}), a.config))
}
