package llm

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed server.py
var serverScript string

// Options of a running model. The zero value is usable.
type Options struct {
	Port int // 0: a free one
	// Threads of the model; default 1. More than there are free cores make it
	// many times slower: threads wait for each other by spinning. SmolLM2 on two
	// busy cores wrote 61 tokens/s with one thread and 6 with two.
	Threads int
	// Parallel requests are computed side by side; default 4. One thread does
	// not gain by it (75 tokens/s at 1; 61, 68 and 87 at 4, 8 and 16, on a busy
	// machine; BenchmarkParallel), but short answers don't wait for long ones.
	Parallel int
	// Context is the tokens of a prompt with its answer; default 2048.
	Context int
	// LogPath takes what the server prints; default the environment's server.log.
	LogPath string
}

// Server is a running model.
type Server struct {
	URL   string // base URL of the OpenAI-compatible API, ending in /v1
	Model string

	command *exec.Cmd
	stdin   io.Closer
	log     *os.File
	ended   chan struct{}
	err     error
}

// Start runs the model and returns when it answers. ctx bounds the start alone.
func (in *Installed) Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults(in)
	log, err := os.Create(o.LogPath)
	if err != nil {
		return nil, &UnavailableError{"open the model's log", "choose another directory", err}
	}
	s := &Server{Model: in.Model.Name, log: log, ended: make(chan struct{})}
	address, err := s.launch(in, o)
	if err == nil {
		s.URL = address + "/v1"
		err = s.awaitReady(ctx, address)
	}
	if err != nil {
		s.Stop()
		return nil, &UnavailableError{"start " + in.Model.Name, "see " + o.LogPath, err}
	}
	return s, nil
}

func (o Options) withDefaults(in *Installed) Options {
	if o.Threads <= 0 {
		o.Threads = 1
	}
	if o.Parallel <= 0 {
		o.Parallel = 4
	}
	if o.Context <= 0 {
		o.Context = 2048
	}
	if o.LogPath == "" {
		home := filepath.Dir(filepath.Dir(filepath.Dir(in.python)))
		o.LogPath = filepath.Join(home, "server.log")
	}
	return o
}

// launch starts the child and reads the address it prints.
func (s *Server) launch(in *Installed, o Options) (address string, err error) {
	settings, err := json.Marshal(map[string]any{
		"path": in.file, "name": in.Model.Name, "port": o.Port,
		"threads": o.Threads, "parallel": o.Parallel, "context": o.Context,
	})
	if err != nil {
		return "", err
	}
	s.command = exec.Command(in.python, "-c", serverScript)
	s.command.Stderr = s.log
	s.command.Env = append(os.Environ(), "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1")
	stdin, err := s.command.StdinPipe()
	if err != nil {
		return "", err
	}
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := s.command.Start(); err != nil {
		return "", err
	}
	s.stdin = stdin
	// A child that died at once can't take its settings; the read below tells.
	_, _ = stdin.Write(append(settings, '\n'))
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadBytes('\n')
	go func() {
		_, _ = io.Copy(s.log, lines)
		s.err = s.command.Wait()
		close(s.ended)
	}()
	if err != nil {
		return "", errors.New("the model's process ended while loading")
	}
	var hello struct{ Address string }
	if err := json.Unmarshal(line, &hello); err != nil {
		return "", fmt.Errorf("the model's process printed %q", line)
	}
	return hello.Address, nil
}

// awaitReady asks until loading is over; until then the server answers 503.
func (s *Server) awaitReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/health", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not become ready: %w", ctx.Err())
		case <-s.ended:
			return errors.New("it ended before it was ready")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Ended is closed when the model's process has ended, wanted or not.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Stop ends the model's process and waits for it.
func (s *Server) Stop() {
	if s.stdin != nil {
		s.stdin.Close()
		select {
		case <-s.ended:
		case <-time.After(5 * time.Second):
			_ = s.command.Process.Kill()
			<-s.ended
		}
	}
	s.log.Close()
}
