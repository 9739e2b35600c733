package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Up       upCommand       `cmd:"" help:"Run Temporal, its UI, S3, a teacher and a worker in one process, in the foreground."`
	Temporal temporalCommand `cmd:"" help:"Run Temporal and its UI."`
	S3       s3Command       `cmd:"" name:"s3" help:"Run the S3 gateway."`
	Teacher  teacherCommand  `cmd:"" help:"Run the test teacher, which counts what it is asked and fails as told."`
	Ngram    ngramCommand    `cmd:"" help:"Run the n-gram teacher."`
	Model    modelCommand    `cmd:"" help:"Install (once) and run a small real model."`
	Godocs   godocsCommand   `cmd:"" name:"godocs" help:"Write questions about Go's standard library, with its doc comments, as JSONL."`
}

// Exit statuses.
const (
	exitFailed      = 1
	exitWrong       = 2 // arguments
	exitInterrupted = 130
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c, kong.Name("retort-local"), kong.Writers(stdout, stderr),
		kong.Description("Everything that Retort needs on one machine."),
		kong.UsageOnError(), kong.Exit(func(status int) { exited = status }))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	chosen, err := parser.Parse(args)
	if exited >= 0 { // help was asked for and given
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "retort-local: %v\nTry: retort-local --help\n", err)
		return exitWrong
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() { // a second signal ends the process at once
		<-ctx.Done()
		stop()
	}()
	if err := chosen.Run(&terminal{ctx: ctx, out: stdout, err: stderr}); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(stderr, "retort-local %s: %v\n", chosen.Command(), err)
		return exitFailed
	}
	return 0
}

// terminal is where a command reads its end and writes to people.
type terminal struct {
	ctx context.Context // ends at SIGINT and SIGTERM
	out io.Writer
	err io.Writer
}

func (t *terminal) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }
