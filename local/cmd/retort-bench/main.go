// Command retort-bench runs the real command, workers, Temporal, S3 gateway and test teacher, each in a process of its own, over one
// recipe or some at once, and prints what the runs took: rows a second, share of the ideal, CPU seconds of each process, peak memory,
// events of Temporal, requests to S3. Beside it, in the same run, a bare Go loop asks the same teacher the same prompts: the floor.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"github.com/retort-data/retort/local/site"
)

type options struct {
	Retort      string        `default:"bin/retort" help:"The command to measure."`
	Local       string        `default:"bin/retort-local" help:"The command that starts the local stack."`
	Prompts     []int         `default:"6400" help:"Prompts to ask; more than one number runs as many datasets at once."`
	Latency     time.Duration `default:"200ms" help:"The teacher's time to an answer."`
	Concurrency int           `default:"64" help:"Requests at once that the teacher allows."`
	Words       int           `default:"230" help:"Most words of an answer."`
	Checks      string        `default:"" help:"The recipe's checks, as YAML in one line, such as {near: off, exact: off}."`
	Workers     int           `default:"1" help:"Worker processes."`
	RateLimited float64       `help:"Share of requests that the teacher answers with 429."`
	ServerError float64       `help:"Share of requests that the teacher answers with 500."`
	Kill        bool          `help:"Kill the first worker with SIGKILL half-way, and start it again."`
	Join        bool          `help:"Start a further worker at a third of the prompts, and let the first drain at two thirds."`
	NoFloor     bool          `help:"Leave the bare loop out."`
	Keep        bool          `help:"Keep the folder with data and logs."`
}

func (o options) prompts() (n int) {
	for _, k := range o.Prompts {
		n += k
	}
	return n
}

// measured is a measurement in numbers.
type measured struct {
	Prompts     int                `json:"prompts"`
	LatencyMS   float64            `json:"latency_ms"`
	Concurrency int                `json:"concurrency"`
	Workers     int                `json:"workers"`
	WallS       float64            `json:"wall_s"`
	SpanS       float64            `json:"span_s"` // from the first request to the last
	RowsPerS    float64            `json:"rows_per_s"`
	IdealSpan   float64            `json:"ideal_share_span"`
	IdealWall   float64            `json:"ideal_share_wall"`
	CPU         map[string]float64 `json:"cpu_s_per_1000"`
	CPUSum      float64            `json:"cpu_s_per_1000_without_teacher"`
	PeakMB      map[string]float64 `json:"peak_mb"`
	Memory      memory             `json:"worker_memory"`
	Counts      *site.Counts       `json:"counts"`

	EventsPer1000   float64 `json:"temporal_events_per_1000"`
	RequestsPer1000 float64 `json:"s3_requests_per_1000"`
	S3BytesPer      float64 `json:"s3_bytes_in_per_prompt"`

	Repeats int64        `json:"asked_again"`
	Kill    *killed      `json:"kill,omitempty"`
	Thirds  []float64    `json:"rows_per_s_by_third,omitempty"` // with --join: 1 worker, 2, then the second alone
	Runs    []*ran       `json:"runs"`
	Floor   *floorResult `json:"floor,omitempty"`
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Measure whole runs beside a bare loop."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	m, err := measure(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "retort-bench:", err)
		os.Exit(1)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(m); err != nil {
		os.Exit(1)
	}
}

func measure(ctx context.Context, o options) (*measured, error) {
	for _, p := range []*string{&o.Retort, &o.Local} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return nil, err
		}
		*p = abs
	}
	dir, err := os.MkdirTemp("", "retort-bench-*")
	if err != nil {
		return nil, err
	}
	if !o.Keep {
		defer os.RemoveAll(dir)
	} else {
		fmt.Fprintln(os.Stderr, "data in", dir)
	}
	at, err := site.Start(ctx, site.Options{Retort: o.Retort, Local: o.Local, Dir: dir, Workers: o.Workers, Metrics: true,
		Limits: fmt.Sprintf("{concurrency: %d}", o.Concurrency),
		TeacherFlags: []string{"--latency", o.Latency.String(), "--set", fmt.Sprintf(`{"max_words": %d}`, o.Words),
			"--429", fmt.Sprint(o.RateLimited), "--500", fmt.Sprint(o.ServerError)}})
	if err != nil {
		return nil, err
	}
	defer at.Stop()
	m, err := (&bench{at, o}).play(ctx)
	if err == nil && !o.NoFloor {
		m.Floor, err = floor(ctx, at.TeacherURL, o)
	}
	return m, err
}
