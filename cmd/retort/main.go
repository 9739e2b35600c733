package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/retort-data/retort/schema"
)

// Exit statuses; scripts rely on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitInvalid     = 2
	exitHeld        = 3
	exitBudget      = 4
	exitInterrupted = 130
)

// CLI is the command line.
type CLI struct {
	Config  string           `help:"Configuration (default: $$RETORT_CONFIG, else temporal.yaml)." placeholder:"FILE"`
	JSON    bool             `name:"json" help:"Print one JSON document on stdout (run and watch: one a line)."`
	Version kong.VersionFlag `help:"Print the version and end."`

	Check    CheckCmd    `cmd:"" help:"Validate a recipe against sources and teachers; estimate tokens and cost."`
	Preview  PreviewCmd  `cmd:"" help:"Ask a few prompts on a worker; print records, signals and decisions; publish nothing."`
	Run      RunCmd      `cmd:"" help:"Start a run and follow it."`
	Watch    WatchCmd    `cmd:"" help:"Join a run that is under way."`
	Status   StatusCmd   `cmd:"" help:"Runs and their counts; also without a worker."`
	Pause    PauseCmd    `cmd:"" help:"Start no more pages; what is in flight is finished."`
	Resume   ResumeCmd   `cmd:"" help:"Go on after a pause."`
	Cancel   CancelCmd   `cmd:"" help:"End a run; what was paid for is kept."`
	Release  ReleaseCmd  `cmd:"" help:"Let a held run go on; who, when and why enter the manifest."`
	Schedule ScheduleCmd `cmd:"" help:"Run a recipe by itself, as its schedule says."`
	Versions VersionsCmd `cmd:"" help:"Versions of a dataset."`
	Files    FilesCmd    `cmd:"" help:"Shard URIs of a version, one a line."`
	Diff     DiffCmd     `cmd:"" help:"What changed from one version to another: records, signals, teachers, cost, rejects."`
	Export   ExportCmd   `cmd:"" help:"Write a version as JSONL."`
	Report   ReportCmd   `cmd:"" help:"Write the HTML report of a version: one file, without a network."`
	Show     ShowCmd     `cmd:"" help:"Print some records of a version, or rejects with why."`
	Verify   VerifyCmd   `cmd:"" help:"Read every shard of a version again and hold it against the manifest and its signature; or check a proof."`
	Prove    ProveCmd    `cmd:"" help:"Prove that a record stands in a version, with its whole lineage, to somebody without the store."`
	Attest   AttestCmd   `cmd:"" help:"Sign, as a trainer, which shards of a version a student consumed."`
	Retract  RetractCmd  `cmd:"" help:"Publish a version without a source or single records; versions and students that had them are named."`
	GC       GCCmd       `cmd:"" name:"gc" help:"Mark what no version and no open or held run needs; with --yes remove what was marked for a day."`
	Keygen   KeygenCmd   `cmd:"" help:"Make a pair of keys: the private one signs versions, the public one checks them."`
	Inspect  InspectCmd  `cmd:"" help:"The checks, duplicates and gate over files that exist already; no Temporal, no teacher."`
	Rejudge  RejudgeCmd  `cmd:"" help:"The paid answers of a run decided again under other checks, with what would change."`
	Doctor   DoctorCmd   `cmd:"" help:"Look at an installation: connections, rights, clock, teachers, disk; each with the mend."`
	Teachers TeachersCmd `cmd:"" help:"Configured teachers, their terms, limits and prices."`
	Worker   WorkerCmd   `cmd:"" help:"Run a worker until told to stop; drains on SIGTERM."`
}

// program is the version of this build.
func program() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// exitStatus ends a command with a status after all was said.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run is the program without the process, for tests.
func run(args []string, stdout, stderr io.Writer) (status int) {
	return runWith(args, stdout, stderr, func(*app) {})
}

// runWith lets tests give the commands a store.
func runWith(args []string, stdout, stderr io.Writer, prepare func(*app)) (status int) {
	var cli CLI
	ended := -1
	parser, err := kong.New(&cli, kong.Name("retort"), kong.Description("Datasets from teacher models: durable, provable, and no photocopy of a photocopy."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { ended = code }), kong.Vars{"version": program()},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(stderr, "retort:", err)
		return exitFailed
	}
	k, err := parser.Parse(args)
	if ended >= 0 {
		return ended
	}
	if err != nil {
		fmt.Fprintf(stderr, "retort: %v\n  See retort --help.\n", err)
		return exitInvalid
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{ctx: ctx, stdout: stdout, stderr: stderr, json: cli.JSON, configFile: cli.Config}
	defer a.close()
	a.command = commandName(k.Command())
	prepare(a)
	status = a.explain(k.Run(a))
	if a.traced != nil {
		a.traced(status)
	}
	return status
}

// commandName is a command without its arguments: those are people's.
func commandName(usage string) string {
	name, _, _ := strings.Cut(usage, " <")
	return name
}

// explain prints an error for a person and returns the exit status that goes with it.
func (a *app) explain(err error) int {
	var status exitStatus
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, context.Canceled) && a.ctx.Err() != nil:
		return exitInterrupted
	}
	fmt.Fprintln(a.stderr, "retort:", printable(err.Error()))
	switch schema.KindOf(err) {
	case schema.KindInvalid:
		return exitInvalid
	case schema.KindHold:
		return exitHeld
	case schema.KindBudget:
		return exitBudget
	}
	return exitFailed
}
