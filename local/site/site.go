package site

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// Options say what is installed.
type Options struct {
	Retort string // the command; absolute
	Local  string // retort-local; absolute
	Dir    string // for data, logs, configuration and recipes; absolute, exists

	Workers      int
	TeacherFlags []string // further flags of `retort-local teacher`
	Limits       string   // of the teacher, as YAML; "" is {concurrency: 64}
	Price        string   // of the teacher, as YAML; "" is {input: 0.2, output: 0.6}
	TeacherMore  string   // further keys of the teacher, as lines of YAML
	ConfigMore   string   // further lines of the configuration
	Env          []string // further variables of workers and commands
	Metrics      bool     // workers serve metrics: Gauges reads them
}

// The names of processes. The workers are Worker(0), Worker(1) and so on.
const (
	Temporal = "temporal"
	S3       = "s3"
	Teacher  = "teacher"
)

// Worker is the name of a worker; the first one has no number.
func Worker(i int) string {
	if i == 0 {
		return "worker"
	}
	return fmt.Sprintf("worker %d", i+1)
}

const accessKey, secretKey = "site", "site-secret"

// Site is a running installation. Its methods are safe for concurrent use.
type Site struct {
	Options
	TeacherURL      string // base URL, with /v1
	TemporalAddress string
	S3Endpoint      string
	Config          string // path of temporal.yaml

	env   []string
	ports map[string]int

	mu      sync.Mutex
	running map[string]*Process // by name, also when they have ended by themselves
	all     []*Process          // also those that were killed
}

// Start starts all processes; on an error none is left.
func Start(ctx context.Context, o Options) (*Site, error) {
	s := &Site{Options: o, running: map[string]*Process{}, ports: map[string]int{}, Config: filepath.Join(o.Dir, "temporal.yaml")}
	if s.Limits == "" {
		s.Limits = "{concurrency: 64}"
	}
	if s.Price == "" {
		s.Price = "{input: 0.2, output: 0.6}"
	}
	if err := s.start(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Site) start(ctx context.Context) error {
	var held []net.Listener // until all are known, so that no port is given twice
	names := []string{Temporal, S3, Teacher}
	for i := 0; s.Metrics && i < s.Workers; i++ {
		names = append(names, Worker(i))
	}
	for _, name := range names {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		held = append(held, l)
		s.ports[name] = l.Addr().(*net.TCPAddr).Port
	}
	for _, l := range held {
		l.Close()
	}
	errs := make(chan error, 3)
	for _, name := range []string{Temporal, S3, Teacher} {
		go func() { errs <- s.StartPart(ctx, name) }()
	}
	if err := errors.Join(<-errs, <-errs, <-errs); err != nil {
		return err
	}
	address := func(name string) string { return "127.0.0.1:" + strconv.Itoa(s.ports[name]) }
	s.TemporalAddress, s.S3Endpoint, s.TeacherURL = address(Temporal), "http://"+address(S3), "http://"+address(Teacher)+"/v1"
	s.env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey, "AWS_REGION=us-east-1")
	s.env = append(s.env, s.Env...)
	if err := s.configure(s.Config, ""); err != nil {
		return err
	}
	for i := range s.Workers {
		if err := s.StartWorker(i); err != nil {
			return err
		}
	}
	return nil
}

// StartPart starts Temporal, S3 or Teacher, at the port that it had, and returns once it answers.
func (s *Site) StartPart(ctx context.Context, name string) error {
	port := strconv.Itoa(s.ports[name])
	switch name {
	case Temporal:
		return s.part(ctx, name, "--dir", filepath.Join(s.Dir, name), "--port", port, "--ui-port=-1")
	case S3:
		return s.part(ctx, name, "--dir", filepath.Join(s.Dir, name), "--port", port, "--access-key", accessKey, "--secret-key", secretKey)
	case Teacher:
		return s.part(ctx, name, append([]string{"--port", port}, s.TeacherFlags...)...)
	}
	return fmt.Errorf("no part is named %q", name)
}

// StartWorker starts worker i, anew where it has ended.
func (s *Site) StartWorker(i int) error {
	config := s.Config
	if s.ports[Worker(i)] != 0 { // one of its own, as no two processes can listen at one address
		config = filepath.Join(s.Dir, fmt.Sprintf("worker-%d.yaml", i+1))
		if err := s.configure(config, fmt.Sprintf("127.0.0.1:%d", s.ports[Worker(i)])); err != nil {
			return err
		}
	}
	_, err := s.launch(Worker(i), s.env, s.Retort, "--config", config, "worker")
	return err
}

// configure writes a configuration, with one teacher named tester.
func (s *Site) configure(file, metrics string) error {
	text := fmt.Sprintf(`temporal: {address: %q, namespace: default, task_queue: retort}
store: {endpoint: %q, region: us-east-1, bucket: retort, path_style: true}
allow: {paths: [%q]}
worker: {pages: 8, index_mb: 256, scratch: %q, metrics: %q}
%steachers:
  - name: tester
    base_url: %s
    model: test-1
    terms: {training: allowed, license: Apache-2.0, source: the test, read_on: 2026-11-01}
    limits: %s
    price: %s
%s`, s.TemporalAddress, s.S3Endpoint, s.Dir, s.Scratch(), metrics, s.ConfigMore, s.TeacherURL, s.Limits, s.Price, s.TeacherMore)
	return os.WriteFile(file, []byte(text), 0o600)
}

// Scratch is the workers' folder for temporary files.
func (s *Site) Scratch() string { return filepath.Join(s.Dir, "scratch") }

// Stop kills every process.
func (s *Site) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all {
		p.Kill()
	}
}

// Process is the one that has a name now, or nil.
func (s *Site) Process(name string) *Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[name]
}

// Processes are all that were ever started, in order.
func (s *Site) Processes() []*Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Process(nil), s.all...)
}
