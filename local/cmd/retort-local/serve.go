package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/retort-data/retort/local/stack"
)

// process is what every command that keeps running has.
type process struct {
	ReadyFile string `help:"Write addresses as JSON here once everything answers." placeholder:"FILE" type:"path"`
	Tether    bool   `help:"Stop when standard input ends: ties the life of this process to that of its parent."`
}

// ready is the content of the ready file. Fields of services that don't run
// are left out.
type ready struct {
	PID             int      `json:"pid"`
	TemporalAddress string   `json:"temporal_address,omitempty"`
	Namespace       string   `json:"namespace,omitempty"`
	UIURL           string   `json:"ui_url,omitempty"`
	S3Endpoint      string   `json:"s3_endpoint,omitempty"`
	Region          string   `json:"region,omitempty"`
	Buckets         []string `json:"buckets,omitempty"`
	AccessKey       string   `json:"access_key,omitempty"`
	SecretKey       string   `json:"secret_key,omitempty"`
	BaseURL         string   `json:"base_url,omitempty"` // of a teacher, ending in /v1
	Model           string   `json:"model,omitempty"`
	Config          string   `json:"config,omitempty"`
	Env             string   `json:"env,omitempty"`
}

func readyOf(s *stack.Stack) ready {
	r := ready{
		TemporalAddress: s.TemporalAddress, UIURL: s.UIURL, S3Endpoint: s.S3Endpoint,
		Region: s.Region, Buckets: s.Buckets, AccessKey: s.AccessKey, SecretKey: s.SecretKey,
	}
	if s.TemporalAddress != "" {
		r.Namespace = s.Namespace
	}
	return r
}

// announce writes the ready file, whole or not at all; it holds a secret.
func (p *process) announce(r ready) error {
	if p.ReadyFile == "" {
		return nil
	}
	r.PID = os.Getpid()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(p.ReadyFile, append(text, '\n'), 0o600)
}

func writeWhole(path string, text []byte, mode os.FileMode) error {
	if err := os.WriteFile(path+".new", text, mode); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// until returns a context that ends with the terminal's, and with --tether when
// standard input ends.
func (p *process) until(t *terminal) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.ctx)
	if p.Tether {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	return ctx, cancel
}

// listen opens the wished port of 127.0.0.1, or a free one and says so.
func listen(t *terminal, what string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil || port == 0 {
		return l, err
	}
	l, other := net.Listen("tcp", "127.0.0.1:0")
	if other != nil {
		return nil, err
	}
	t.say("port %d for %s is taken; using %s", port, what, l.Addr())
	return l, nil
}

// serve runs h until ctx ends; started is called once it listens.
func serve(ctx context.Context, l net.Listener, h http.Handler, started func() error) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	err := started()
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-ended:
		}
	}
	// Answers under way may take long on purpose: don't wait for them.
	if closed := server.Close(); err == nil && closed != nil && !errors.Is(closed, net.ErrClosed) {
		err = closed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func baseURL(l net.Listener) string { return fmt.Sprintf("http://%s/v1", l.Addr()) }
