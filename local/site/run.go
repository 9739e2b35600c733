package site

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Recipe writes a recipe over n questions and returns its path; more are further lines of it.
func (s *Site) Recipe(dataset string, n int, more string) (string, error) {
	recipe := fmt.Sprintf(`dataset: %[1]s
license: cc-by-4.0
prompts: [{from: %[1]s.jsonl, license: cc-by-4.0, origin: human}]
messages: [{role: user, content: "{{.question}}"}]
teachers: [{name: tester}]
sampling: {temperature: 0.8, max_tokens: 400}
%[2]s`, dataset, more)
	rows, err := os.Create(filepath.Join(s.Dir, dataset+".jsonl"))
	if err != nil {
		return "", err
	}
	defer rows.Close()
	buffered := bufio.NewWriter(rows)
	for i := range n {
		fmt.Fprintf(buffered, "{\"question\": \"What is to be said of thing number %d, and why does it matter to those who use it?\"}\n", i)
	}
	if err := buffered.Flush(); err != nil {
		return "", err
	}
	file := filepath.Join(s.Dir, dataset+".yaml")
	return file, os.WriteFile(file, []byte(recipe), 0o600)
}

// Command is `retort ARGS` over the site's configuration.
func (s *Site) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.Retort, append([]string{"--config", s.Config}, args...)...)
	cmd.Env = s.env
	return cmd
}

// Run runs a recipe to its end and returns the last status; each status also goes to heard, which may be nil.
func (s *Site) Run(ctx context.Context, recipe string, heard func(json.RawMessage)) (json.RawMessage, error) {
	cmd := s.Command(ctx, "--json", "run", recipe)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var last json.RawMessage
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		last = bytes.Clone(lines.Bytes())
		if heard != nil {
			heard(last)
		}
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		return last, fmt.Errorf("run %s: %w\n%s%s", recipe, err, errs.Bytes(), last)
	}
	return last, nil
}
