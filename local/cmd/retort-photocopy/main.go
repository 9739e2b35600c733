// Command retort-photocopy shows what training on one's own output does to a dataset, with Retort's gate and without: it runs
// package photocopy on a local stack of its own, prints a table, and writes a plot.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/retort-data/retort/local/llm"
	"github.com/retort-data/retort/local/photocopy"
	"github.com/retort-data/retort/local/stack"
)

type options struct {
	Retort      string  `default:"bin/retort" help:"The command that runs the recipes." type:"path"`
	Dir         string  `default:".retort/photocopy" help:"Where data and results stand; what an earlier demonstration left there is deleted." type:"path"`
	Answers     int     `default:"2000" help:"Answers a generation."`
	Generations int     `default:"6"`
	Temperature float64 `default:"0.8"`
	Budget      int     `default:"25000" help:"Words that every text is measured at."`
	Seed        uint64  `default:"1"`

	LLM     bool   `name:"llm" help:"A real small model rewrites its own answers instead."`
	Models  string `default:".retort/model" help:"With --llm: where it is installed." type:"path"`
	Records int    `default:"500" help:"With --llm: answers that are copied."`
	Copies  int    `default:"3" help:"With --llm."`
	Tokens  int    `default:"80" help:"With --llm: most tokens of an answer."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Six generations of a student that is trained on its own answers: replaced, half human, and half human with checks and gate."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "retort-photocopy:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, o options) (err error) {
	if err := clear(o.Dir); err != nil {
		return err
	}
	s, err := stack.Start(ctx, stack.Options{Dir: filepath.Join(o.Dir, "stack"), Only: []stack.Service{stack.Temporal, stack.S3}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": s.AccessKey, "AWS_SECRET_ACCESS_KEY": s.SecretKey, "AWS_REGION": s.Region, "AWS_ENDPOINT_URL_S3": s.S3Endpoint,
		"TEMPORAL_ADDRESS": s.TemporalAddress, "TEMPORAL_NAMESPACE": s.Namespace, "TEMPORAL_API_KEY": "", "AWS_PROFILE": "", "AWS_SESSION_TOKEN": ""} {
		if v == "" {
			err = os.Unsetenv(k)
		} else {
			err = os.Setenv(k, v)
		}
		if err != nil {
			return err
		}
	}
	site := &photocopy.Site{Stack: s, Binary: o.Retort, Dir: o.Dir}
	if o.LLM {
		return rewrite(ctx, site, o)
	}
	result, err := photocopy.Run(ctx, site, photocopy.Options{Answers: o.Answers, Generations: o.Generations,
		Temperature: o.Temperature, Budget: o.Budget, Seed: o.Seed, Log: os.Stdout})
	if err != nil {
		return err
	}
	if err := write(o.Dir, result); err != nil {
		return err
	}
	fmt.Printf("\n%s\nPlot:    %s\nFigures: %s\n", result.Table(), filepath.Join(o.Dir, "photocopy.html"), filepath.Join(o.Dir, "photocopy.json"))
	for _, c := range result.Claims() {
		if !c.Holds {
			return errors.New("not everything that it is to show was shown")
		}
	}
	return nil
}

// rewrite lets the real model copy itself.
func rewrite(ctx context.Context, site *photocopy.Site, o options) error {
	installed, err := llm.Install(ctx, o.Models, llm.SmolLM2, os.Stdout)
	if err != nil {
		return err
	}
	model, err := installed.Start(ctx, llm.Options{Parallel: 16, Context: 768}) // 87 tokens/s on one thread; 61 at 4
	if err != nil {
		return err
	}
	defer model.Stop()
	result, err := photocopy.Rewrite(ctx, site, photocopy.RewriteOptions{Records: o.Records, Copies: o.Copies, Tokens: o.Tokens, Seed: o.Seed,
		URL: model.URL, Model: model.Model, License: installed.Model.License, Log: os.Stdout})
	if result == nil {
		return err
	}
	figures, jsonErr := json.MarshalIndent(result, "", " ")
	file := filepath.Join(o.Dir, "photocopy-llm.json")
	fmt.Printf("\n%s\nFigures: %s\nTexts:   %s\n", result.Table(), file, filepath.Join(o.Dir, "copy-*.jsonl"))
	return errors.Join(err, jsonErr, os.WriteFile(file, figures, 0o644))
}

// mark stands in a folder that a demonstration made, so that no other folder is ever deleted.
const mark = "made-by-retort-photocopy"

func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, mark)); err != nil {
			return fmt.Errorf("%s isn't empty, and no earlier demonstration made it: name another folder with --dir", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	} else if err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, mark), nil, 0o644)
}

func write(dir string, r *photocopy.Result) error {
	figures, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "photocopy.json"), figures, 0o644),
		os.WriteFile(filepath.Join(dir, "photocopy.txt"), []byte(r.Table()), 0o644),
		os.WriteFile(filepath.Join(dir, "photocopy.html"), []byte(r.Page()), 0o644))
}
