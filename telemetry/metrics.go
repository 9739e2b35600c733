package telemetry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/schema"
)

// Server serves /metrics, /healthz and /readyz of a worker.
type Server struct {
	// Handler takes the Temporal SDK's own metrics; nil where nothing is measured.
	Handler client.MetricsHandler
	Address string // where it listens
	http    *http.Server
	ready   atomic.Bool
}

// Serve listens at an address; where it is "" nothing is served.
func Serve(address string) (*Server, error) {
	s := &Server{}
	if address == "" {
		return s, nil
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &schema.Error{Kind: schema.KindInvalid, Code: "metrics", Op: "listen at", Subject: address, Cause: err, Hint: "worker.metrics must be an address of this machine with a free port; each worker of a machine needs its own."}
	}
	s.Handler, s.Address = Default.Handler(), ln.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		measureProcess(Default)
		Default.Write(w) //nolint:errcheck // whoever asks is gone
	})
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }) //nolint:errcheck // the same
	mux.HandleFunc("/readyz", s.readyz)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go s.http.Serve(ln) //nolint:errcheck // ends with Stop
	return s, nil
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if !s.ready.Load() {
		http.Error(w, "starting, or draining", http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ready\n")) //nolint:errcheck // whoever asks is gone
}

// Ready says whether the worker takes work.
func (s *Server) Ready(yes bool) { s.ready.Store(yes) }

// Stop ends listening.
func (s *Server) Stop() error {
	if s.http == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.http.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return s.http.Close()
}
