package main

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
	"strconv"
	"strings"
	"syscall"
	"time"
)

// site is an installation of processes.
type site struct {
	o         options
	dir       string
	processes map[string]*process // those that run, by name
	all       map[string]*process // also those that were killed
	teacher   string              // base URL
	temporal  string              // host:port
	s3        string              // endpoint
	env       []string
}

type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// ready is what retort-local writes once a part answers.
type ready map[string]any

func startSite(ctx context.Context, o options, dir string) (*site, error) {
	s := &site{o: o, dir: dir, processes: map[string]*process{}, all: map[string]*process{}}
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
	teacher, err := s.part(ctx, "teacher", "--port", "0", "--latency", s.o.Latency.String(), "--set", fmt.Sprintf(`{"max_words": %d}`, s.o.Words),
		"--429", fmt.Sprint(s.o.RateLimited), "--500", fmt.Sprint(s.o.ServerError))
	if err != nil {
		return err
	}
	s.teacher = text(teacher, "base_url", "url")
	if s.teacher == "" {
		return fmt.Errorf("the teacher said %v, without its address", teacher)
	}
	s.env = append(os.Environ(), "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench-secret", "AWS_REGION=us-east-1")
	s.temporal, s.s3 = text(temporal, "temporal_address", "address"), text(s3, "s3_endpoint", "endpoint")
	if err := s.files(); err != nil {
		return err
	}
	for i := range s.o.Workers {
		if err := s.startWorker(i); err != nil {
			return err
		}
	}
	return nil
}

// startWorker starts worker i: "worker" is the first, so that a run with one reads as it always did.
func (s *site) startWorker(i int) error {
	return s.start(workerName(i), s.o.Retort, "--config", filepath.Join(s.dir, "temporal.yaml"), "worker")
}

func workerName(i int) string {
	if i == 0 {
		return "worker"
	}
	return fmt.Sprintf("worker %d", i+1)
}

func text(r ready, keys ...string) string {
	for _, k := range keys {
		if v, ok := r[k].(string); ok {
			return v
		}
	}
	return ""
}

// files writes the configuration.
func (s *site) files() error {
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
`, s.temporal, s.s3, s.dir, s.teacher, s.o.Concurrency, filepath.Join(s.dir, "scratch"))
	return os.WriteFile(filepath.Join(s.dir, "temporal.yaml"), []byte(config), 0o600)
}

// recipe writes the recipe and the questions of a dataset, and returns the recipe's file.
func (s *site) recipe(dataset string, prompts int) (string, error) {
	recipe := fmt.Sprintf(`dataset: %[1]s
license: cc-by-4.0
prompts: [{from: %[1]s.jsonl, license: cc-by-4.0, origin: human}]
messages: [{role: user, content: "{{.question}}"}]
teachers: [{name: tester}]
sampling: {temperature: 0.8, max_tokens: 400}
`, dataset)
	if s.o.Checks != "" {
		recipe += "checks: " + s.o.Checks + "\n"
	}
	rows, err := os.Create(filepath.Join(s.dir, dataset+".jsonl"))
	if err != nil {
		return "", err
	}
	defer rows.Close()
	buffered := bufio.NewWriter(rows)
	for i := range prompts {
		fmt.Fprintf(buffered, "{\"question\": \"What is to be said of thing number %d, and why does it matter to those who use it?\"}\n", i)
	}
	if err := buffered.Flush(); err != nil {
		return "", err
	}
	file := filepath.Join(s.dir, dataset+".yaml")
	return file, os.WriteFile(file, []byte(recipe), 0o600)
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
	log, err := os.OpenFile(filepath.Join(s.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	if before := s.processes[name]; before != nil {
		s.all[name+" before"] = before
	}
	s.processes[name], s.all[name] = p, p
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

// run runs the recipe to its end and returns the last status; each status before it goes to heard.
func (s *site) run(ctx context.Context, recipe string, heard func(json.RawMessage)) (json.RawMessage, error) {
	cmd := exec.CommandContext(ctx, s.o.Retort, "--config", filepath.Join(s.dir, "temporal.yaml"), "--json", "run", recipe)
	cmd.Env, cmd.Stderr = s.env, os.Stderr
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
		heard(last)
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		return nil, fmt.Errorf("run %s: %w\n%s", recipe, err, last)
	}
	return last, nil
}

// clockTicks of /proc are hundredths of a second on Linux.
const clockTicks = 100

// cpuSeconds is what the process has used so far, or did until it ended.
func (p *process) cpuSeconds() float64 {
	select {
	case <-p.ended:
		return (p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()).Seconds()
	default:
	}
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
	select {
	case <-p.ended:
		usage, _ := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
		return float64(usage.Maxrss) / 1024
	default:
	}
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
