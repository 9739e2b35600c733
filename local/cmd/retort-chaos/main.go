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

	"github.com/retort-data/retort/local/verdict"
)

type commands struct {
	Retort string `default:"bin/retort" help:"The command to hold to its word." type:"path"`
	Local  string `default:"bin/retort-local" help:"The command that starts the local stack." type:"path"`
	Seed   uint64 `default:"1" help:"Of every choice."`
	Keep   bool   `help:"Keep the folder with data and logs."`

	Kills  killsCommand  `cmd:"" help:"One run under faults and kills, then one under the same faults without."`
	Rate   rateCommand   `cmd:"" help:"One limit over workers and datasets."`
	Budget budgetCommand `cmd:"" help:"The cap holds."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("retort-chaos"), kong.Description("Kills, limits and budgets, with real processes."), kong.Writers(out, errs))
	if err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errs, "retort-chaos: %v\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := chosen.Run(&trial{commands: &c, ctx: ctx, Table: verdict.Table{Out: out, Began: time.Now()}}); err != nil {
		if !errors.Is(err, verdict.ErrFails) {
			fmt.Fprintln(errs, "retort-chaos:", err)
		}
		return 1
	}
	return 0
}

// trial is one call of the command.
type trial struct {
	*commands
	verdict.Table
	ctx context.Context
}

// verdict is the last line.
func (t *trial) verdict(what string) error {
	return t.Verdict(fmt.Sprintf("%s, seed %d", what, t.Seed))
}

// folder is where a site has its data; done removes it.
func (t *trial) folder() (dir string, done func(), err error) {
	dir, err = os.MkdirTemp("", "retort-chaos-*")
	if err != nil {
		return "", nil, err
	}
	if t.Keep {
		t.Say("data and logs in %s", dir)
		return dir, func() {}, nil
	}
	return dir, func() { os.RemoveAll(dir) }, nil //nolint:errcheck // a temporary folder
}

func (t *trial) programs() error {
	for _, p := range []string{t.Retort, t.Local} {
		if _, err := os.Stat(p); err != nil {
			return fmt.Errorf("%s isn't there: make build makes it", filepath.Base(p))
		}
	}
	return nil
}
