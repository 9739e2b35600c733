package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// site is an installation of processes.
type site struct {
	o         options
	dir       string
	processes map[string]*process
	teacher   string // base URL
	env       []string
}

type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// ready is what retort-local writes once a part answers.
type ready map[string]any

func startSite(ctx context.Context, o options, dir string) (*site, error) {
	s := &site{o: o, dir: dir, processes: map[string]*process{}}
	if err := s.startAll(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *site) startAll(ctx context.Context) error {
	temporal, err := s.part(ctx, "temporal", "--dir", filepath.Join(s.dir, "temporal"), "--port", "0", "--ui-port=-1")
	if err != nil {
		return err
	}
	s3, err := s.part(ctx, "s3", "--dir", filepath.Join(s.dir, "s3"), "--port", "0", "--access-key", "bench", "--secret-key", "bench-secret")
	if err != nil {
		return err
	}
	teacher, err := s.part(ctx, "teacher", "--port", "0", "--latency", s.o.Latency.String(), "--set", fmt.Sprintf(`{"max_words": %d}`, s.o.Words))
	if err != nil {
		return err
	}
	s.teacher = text(teacher, "base_url", "url")
	if s.teacher == "" {
		return fmt.Errorf("the teacher said %v, without its address", teacher)
	}
	s.env = append(os.Environ(), "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench-secret", "AWS_REGION=us-east-1")
	if err := s.files(text(temporal, "temporal_address", "address"), text(s3, "s3_endpoint", "endpoint")); err != nil {
		return err
	}
	return s.start("worker", s.o.Retort, "--config", filepath.Join(s.dir, "temporal.yaml"), "worker")
}

func text(r ready, keys ...string) string {
	for _, k := range keys {
		if v, ok := r[k].(string); ok {
			return v
		}
	}
	return ""
}

// files writes configuration, questions and recipe.
func (s *site) files(temporal, s3 string) error {
	config := fmt.Sprintf(`temporal: {address: %q, namespace: default, task_queue: retort}
store: {endpoint: %q, region: us-east-1, bucket: retort, path_style: true}
allow: {paths: [%q]}
teachers:
  - name: tester
    base_url: %s
    model: test-1
    terms: {training: allowed, license: Apache-2.0, source: the bench, read_on: 2026-11-01}
    limits: {concurrency: %d}
    price: {input: 0.2, output: 0.6}
worker: {pages: 8, index_mb: 256, scratch: %q}
`, temporal, s3, s.dir, s.teacher, s.o.Concurrency, filepath.Join(s.dir, "scratch"))
	recipe := `dataset: bench
license: cc-by-4.0
prompts: [{from: bench.jsonl, license: cc-by-4.0, origin: human}]
messages: [{role: user, content: "{{.question}}"}]
teachers: [{name: tester}]
sampling: {temperature: 0.8, max_tokens: 400}
`
	if s.o.Checks != "" {
		recipe += "checks: " + s.o.Checks + "\n"
	}
	var rows bytes.Buffer
	for i := range s.o.Prompts {
		fmt.Fprintf(&rows, "{\"question\": \"What is to be said of thing number %d, and why does it matter to those who use it?\"}\n", i)
	}
	for name, body := range map[string][]byte{"temporal.yaml": []byte(config), "bench.yaml": []byte(recipe), "bench.jsonl": rows.Bytes()} {
		if err := os.WriteFile(filepath.Join(s.dir, name), body, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// part starts a part of the local stack and waits until it answers.
func (s *site) part(ctx context.Context, name string, args ...string) (ready, error) {
	file := filepath.Join(s.dir, name+".ready")
	if err := s.start(name, s.o.Local, append([]string{name, "--ready-file", file}, args...)...); err != nil {
		return nil, err
	}
	for {
		body, err := os.ReadFile(file)
		var r ready
		if err == nil && json.Unmarshal(body, &r) == nil {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.processes[name].ended:
			log, err := os.ReadFile(filepath.Join(s.dir, name+".log"))
			return nil, errors.Join(fmt.Errorf("%s ended:\n%s", name, log), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *site) start(name, program string, args ...string) error {
	log, err := os.Create(filepath.Join(s.dir, name+".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{cmd, make(chan struct{})}
	s.processes[name] = p
	go func() {
		cmd.Wait() //nolint:errcheck // kills are meant
		close(p.ended)
	}()
	return nil
}

func (s *site) stop() {
	for _, p := range s.processes {
		p.cmd.Process.Kill() //nolint:errcheck // may be gone
		<-p.ended
	}
}

// run runs the recipe to its end and returns the last status.
func (s *site) run(ctx context.Context, recipe string) (json.RawMessage, error) {
	cmd := exec.CommandContext(ctx, s.o.Retort, "--config", filepath.Join(s.dir, "temporal.yaml"), "--json", "run", recipe)
	cmd.Env, cmd.Stderr = s.env, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run: %w\n%s", err, out)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return lines[len(lines)-1], nil
}

// cpu is what each process has used, in seconds.
func (s *site) cpu() map[string]float64 {
	used := map[string]float64{}
	for name, p := range s.processes {
		used[name] = p.cpuSeconds()
	}
	return used
}

// clockTicks of /proc are hundredths of a second on Linux.
const clockTicks = 100

func (p *process) cpuSeconds() float64 {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(body), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / clockTicks
}

func (p *process) peakMB() float64 {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(body)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseFloat(strings.Fields(kb)[0], 64)
			return n / 1024
		}
	}
	return 0
}
