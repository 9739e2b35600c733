// Command retort-soak runs an installation for an hour, each part a process of its own: runs of several sizes and formats one after the other, a
// schedule, a teacher that fails now and then, and a process killed every minute. It then says whether what the processes use is flat, whether every
// run ended as it should, and what was left behind. The exit status is 0 where all holds.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/retort-data/retort/local/site"
	"github.com/retort-data/retort/local/verdict"
	"github.com/retort-data/retort/store"
)

type options struct {
	Retort  string        `default:"bin/retort" help:"The command." type:"path"`
	Local   string        `default:"bin/retort-local" help:"The command that starts the local stack." type:"path"`
	For     time.Duration `default:"1h" help:"How long runs are begun; the last ones are waited for."`
	Kill    time.Duration `default:"1m" help:"Time between two kills; 0: none." name:"kill-every"`
	Night   time.Duration `default:"30s" help:"Time between two nights of the schedule."`
	Latency time.Duration `default:"100ms" help:"The teacher's time to an answer."`
	Within  time.Duration `default:"5m" help:"A run must end within this."`
	Seed    uint64        `default:"1" help:"Of what is killed."`
	Keep    bool          `help:"Keep the folder with data and logs."`
}

// The teacher: requests at once, and faults as shares of all requests.
const (
	concurrency = 32
	rateLimited = 0.05
	serverError = 0.02
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	var o options
	parser, err := kong.New(&o, kong.Name("retort-soak"), kong.Description("An hour of runs under faults and kills."), kong.Writers(out, errs))
	if err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	if _, err := parser.Parse(args); err != nil {
		fmt.Fprintf(errs, "retort-soak: %v\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := soakFor(ctx, o, out); err != nil {
		if !errors.Is(err, verdict.ErrFails) {
			fmt.Fprintln(errs, "retort-soak:", err)
		}
		return 1
	}
	return 0
}

// soak is a site under load.
type soak struct {
	verdict.Table
	options
	*site.Site
	objects store.Store
	samples samples
	done    tally
}

func soakFor(ctx context.Context, o options, out io.Writer) error {
	for _, p := range []string{o.Retort, o.Local} {
		if _, err := os.Stat(p); err != nil {
			return fmt.Errorf("%s isn't there: make build makes it", filepath.Base(p))
		}
	}
	dir, err := os.MkdirTemp("", "retort-soak-*")
	if err != nil {
		return err
	}
	if !o.Keep {
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	}
	s := &soak{options: o, Table: verdict.Table{Out: out, Began: time.Now()}}
	if o.Keep {
		s.Say("data and logs in %s", dir)
	}
	s.Site, err = site.Start(ctx, site.Options{Retort: o.Retort, Local: o.Local, Dir: dir, Workers: 2, Metrics: true, Limits: fmt.Sprintf("{concurrency: %d}", concurrency),
		TeacherFlags: []string{"--latency", o.Latency.String(), "--retry-after", "1", "--429", fmt.Sprint(rateLimited), "--500", fmt.Sprint(serverError)}})
	if err != nil {
		return err
	}
	defer s.Stop()
	if s.objects, err = s.Objects(ctx); err != nil {
		return err
	}
	if err := s.drive(ctx); err != nil {
		return err
	}
	s.judgeRuns()
	s.judgeFlat()
	if err := s.judgeLeft(ctx); err != nil {
		return err
	}
	return s.Verdict(fmt.Sprintf("%v of runs, %d kills, seed %d", o.For, s.done.kills, o.Seed))
}
