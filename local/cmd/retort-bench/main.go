// Command retort-bench runs the real command, worker, Temporal, S3 gateway and test teacher, each in a process of its own, over one
// recipe, and prints what the run took: rows a second, share of the ideal, CPU seconds of each process, peak memory, history.
// Beside it, in the same run, a bare Go loop asks the same teacher the same prompts: the floor.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Retort      string        `default:"bin/retort" help:"The command to measure."`
	Local       string        `default:"bin/retort-local" help:"The command that starts the local stack."`
	Prompts     int           `default:"6400" help:"Prompts to ask."`
	Latency     time.Duration `default:"200ms" help:"The teacher's time to an answer."`
	Concurrency int           `default:"64" help:"Requests at once."`
	Words       int           `default:"230" help:"Most words of an answer."`
	Checks      string        `default:"" help:"The recipe's checks, as YAML in one line, such as {near: off, exact: off}."`
	NoFloor     bool          `help:"Leave the bare loop out."`
	Keep        bool          `help:"Keep the folder with data and logs."`
}

// measured is a run in numbers.
type measured struct {
	Prompts     int                `json:"prompts"`
	LatencyMS   float64            `json:"latency_ms"`
	Concurrency int                `json:"concurrency"`
	WallS       float64            `json:"wall_s"`
	SpanS       float64            `json:"span_s"` // from the first request to the last
	RowsPerS    float64            `json:"rows_per_s"`
	IdealSpan   float64            `json:"ideal_share_span"`
	IdealWall   float64            `json:"ideal_share_wall"`
	CPU         map[string]float64 `json:"cpu_s_per_1000"`
	PeakMB      map[string]float64 `json:"peak_mb"`
	Floor       *floorResult       `json:"floor,omitempty"`
	Final       json.RawMessage    `json:"final_status"`
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Measure a whole run beside a bare loop."))
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
	s, err := startSite(ctx, o, dir)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	m := &measured{Prompts: o.Prompts, LatencyMS: float64(o.Latency) / 1e6, Concurrency: o.Concurrency, CPU: map[string]float64{}, PeakMB: map[string]float64{}}
	before := s.cpu()
	start := time.Now()
	final, err := s.run(ctx, filepath.Join(dir, "bench.yaml"))
	if err != nil {
		return nil, err
	}
	m.WallS = time.Since(start).Seconds()
	m.Final = final
	for name, used := range s.cpu() {
		m.CPU[name] = (used - before[name]) / float64(o.Prompts) * 1000
	}
	for name, p := range s.processes {
		m.PeakMB[name] = p.peakMB()
	}
	stats, err := s.stats(ctx)
	if err != nil {
		return nil, err
	}
	m.SpanS = stats.LastRequest.Sub(stats.FirstRequest).Seconds() + o.Latency.Seconds()
	m.RowsPerS = float64(o.Prompts) / m.WallS
	ideal := float64(o.Prompts) / float64(o.Concurrency) * o.Latency.Seconds()
	m.IdealSpan, m.IdealWall = ideal/m.SpanS, ideal/m.WallS
	if !o.NoFloor {
		m.Floor, err = floor(ctx, s.teacher, o)
	}
	return m, err
}

type teacherStats struct {
	FirstRequest time.Time `json:"first_request"`
	LastRequest  time.Time `json:"last_request"`
	Answered     int64     `json:"answered"`
	Repeats      int64     `json:"repeats"`
}

func (s *site) stats(ctx context.Context) (teacherStats, error) {
	var st teacherStats
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.teacher, "/v1")+"/stats", nil)
	if err != nil {
		return st, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return st, err
	}
	return st, json.Unmarshal(body, &st)
}
