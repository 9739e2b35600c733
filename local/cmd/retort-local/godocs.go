package main

import (
	"fmt"
	"os"

	"github.com/retort-data/retort/local/godocs"
)

type godocsCommand struct {
	Output   string `short:"o" help:"The file to write." default:"go-docs.jsonl" type:"path"`
	Limit    int    `help:"Only so many, chosen by --seed."`
	Seed     uint64 `help:"Seed of the choice." default:"1"`
	MinWords int    `help:"Leave out comments shorter than this." default:"20"`
	Goroot   string `help:"Go's source; default what the go command says." type:"existingdir"`
}

func (c *godocsCommand) Run(t *terminal) error {
	rows, err := godocs.Read(c.Goroot, c.MinWords)
	if err != nil {
		return err
	}
	rows = godocs.Sample(rows, c.Limit, c.Seed)
	f, err := os.Create(c.Output + ".new")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := godocs.Write(f, rows); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", c.Output, err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), c.Output); err != nil {
		return err
	}
	t.say("%d questions with human answers (%s) in %s", len(rows), godocs.License, c.Output)
	return nil
}
