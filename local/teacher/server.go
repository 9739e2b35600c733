package teacher

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/retort-data/retort/local/chat"
)

// Server is the teacher. It is an http.Handler, safe for any number of
// requests at once.
type Server struct {
	corpus  *Corpus
	config  atomic.Pointer[Config]
	counts  *counts
	journal *journal // or nil
	batches batches
	mux     *http.ServeMux
}

// New returns a teacher that behaves as cfg says. With a journal path, what was
// answered before is counted in, and what is answered is appended.
func New(cfg Config, corpus *Corpus, journalPath string) (*Server, error) {
	s := &Server{corpus: corpus, counts: newCounts(), mux: http.NewServeMux()}
	if err := s.Configure(cfg); err != nil {
		return nil, err
	}
	if journalPath != "" {
		var err error
		if s.journal, err = openJournal(journalPath, s.counts.answer); err != nil {
			return nil, err
		}
	}
	s.mux.HandleFunc("GET /v1/models", s.models)
	s.mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, s.Stats()) })
	s.mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) { s.Reset(); sendJSON(w, s.Stats()) })
	s.mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, s.config.Load()) })
	s.mux.HandleFunc("POST /config", s.configure)
	s.batches.routes(s)
	return s, nil
}

// Configure replaces the behaviour for requests that come after it.
func (s *Server) Configure(cfg Config) error {
	if err := cfg.validate(); err != nil {
		return fmt.Errorf("teacher's configuration: %w", err)
	}
	s.config.Store(&cfg)
	return nil
}

// Config returns the behaviour in force.
func (s *Server) Config() Config { return *s.config.Load() }

// Stats returns the counts so far.
func (s *Server) Stats() Stats { return s.counts.snapshot() }

// Reset forgets the counts.
func (s *Server) Reset() { s.counts.reset() }

// Close closes the journal.
func (s *Server) Close() error {
	if s.journal == nil {
		return nil
	}
	return s.journal.close()
}

// ServeHTTP keeps the one hot path out of the multiplexer.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && r.URL.Path == "/v1/chat/completions" {
		s.complete(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Server) complete(w http.ResponseWriter, hr *http.Request) {
	now := time.Now()
	cfg := s.config.Load()
	s.counts.arrive(now)
	defer s.counts.leave()
	r, ok := s.receive(w, hr, cfg)
	if !ok {
		return
	}
	if wait := s.counts.admit(now, cfg.RPM); wait > 0 {
		s.counts.failed("over_limit")
		tooMany(w, int((wait+time.Second-1)/time.Second))
		return
	}
	attempt := s.counts.ask(r.Key)
	if !pause(hr.Context(), cfg.latency(r.Key, attempt)) {
		s.counts.failed("abandoned")
		return
	}
	done, mode := s.corpus.answer(&r, cfg)
	done.ID = "chatcmpl-" + strconv.FormatUint(mix(r.Key, uint64(attempt)), 16)
	done.Created, done.Model, done.Fingerprint = now.Unix(), r.Model, cfg.Fingerprint
	if cfg.ServedModel != "" {
		done.Model = cfg.ServedModel
	}
	if f := cfg.fault(r.Key, attempt); f != "" {
		s.counts.failed(f)
		fail(w, hr, f, cfg, mix(r.Key, streamFault^uint64(attempt)), &done)
		return
	}
	s.send(w, cfg, bill{key: r.Key, mode: mode,
		promptTokens: done.PromptTokens, completionTokens: done.CompletionTokens,
		microUSD: cfg.microUSD(done.PromptTokens, done.CompletionTokens)}, &done)
}

// receive reads and checks a request, or sends why it can't be taken.
func (s *Server) receive(w http.ResponseWriter, hr *http.Request, cfg *Config) (chat.Request, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, hr.Body, chat.MaxBody))
	if err != nil {
		s.counts.failed("bad_request")
		chat.WriteError(w, http.StatusRequestEntityTooLarge, "invalid_request_error", "body", err.Error())
		return chat.Request{}, false
	}
	if !s.authorized(w, hr, cfg) {
		return chat.Request{}, false
	}
	r, err := chat.ParseRequest(body, hr.Header)
	if err != nil {
		s.counts.failed("bad_request")
		chat.WriteError(w, http.StatusBadRequest, "invalid_request_error", "body", err.Error())
		return r, false
	}
	if len(cfg.Models) > 0 && !slices.Contains(cfg.Models, r.Model) {
		s.counts.failed("bad_request")
		chat.WriteError(w, http.StatusNotFound, "invalid_request_error", "model_not_found",
			fmt.Sprintf("The model %q does not exist: there are %s.", r.Model, strings.Join(cfg.Models, ", ")))
		return r, false
	}
	return r, true
}

func (s *Server) authorized(w http.ResponseWriter, hr *http.Request, cfg *Config) bool {
	if cfg.APIKey == "" || strings.TrimPrefix(hr.Header.Get("Authorization"), "Bearer ") == cfg.APIKey {
		return true
	}
	s.counts.failed("unauthorized")
	chat.WriteError(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")
	return false
}

// send counts, journals and sends an answer, in this order: what may have
// reached the asker is never missing from the count.
func (s *Server) send(w http.ResponseWriter, cfg *Config, b bill, done *chat.Completion) {
	if s.journal != nil {
		if err := s.journal.append(b); err != nil {
			s.counts.failed("journal")
			chat.WriteError(w, http.StatusInternalServerError, "server_error", "journal", err.Error())
			return
		}
	}
	s.counts.answer(b)
	chat.WriteCompletion(w, done)
}

func fail(w http.ResponseWriter, hr *http.Request, fault string, cfg *Config, pick uint64, done *chat.Completion) {
	switch fault {
	case "rate_limited":
		tooMany(w, cfg.RetryAfterS)
	case "server_error":
		chat.WriteError(w, http.StatusInternalServerError, "server_error", "internal_error", "The server had an error while processing your request.")
	case "reset":
		part := ""
		if pick%2 == 0 {
			body := chat.AppendCompletion(nil, done)
			part = string(body[:len(body)/2])
		}
		resetConnection(w, part)
	case "garbage":
		garbage(w, pick, chat.AppendCompletion(nil, done))
	case "hang":
		<-hr.Context().Done()
	}
}

// latency is how long the answer takes: uniform around the mean.
func (c *Config) latency(key uint64, attempt uint32) time.Duration {
	if c.LatencyMS == 0 {
		return 0
	}
	ms := c.LatencyMS
	if c.JitterMS > 0 {
		ms += c.JitterMS * (2*unit(key, streamText^uint64(attempt)) - 1)
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// pause waits for d; it is false if the asker left before.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	names := s.config.Load().Models
	if len(names) == 0 {
		names = []string{"honest-1"}
	}
	chat.WriteModels(w, "retort-local", names...)
}

// configure changes only the fields that the body names.
func (s *Server) configure(w http.ResponseWriter, hr *http.Request) {
	cfg := s.Config()
	old := cfg.Modes
	// Decoding writes into slices and maps, and those are in use.
	cfg.Models, cfg.Modes = slices.Clone(cfg.Models), nil
	decoder := json.NewDecoder(io.LimitReader(hr.Body, 1<<20))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&cfg)
	if cfg.Modes == nil {
		cfg.Modes = old
	}
	if err == nil {
		err = s.Configure(cfg)
	}
	if err != nil {
		chat.WriteError(w, http.StatusBadRequest, "invalid_request_error", "config", err.Error())
		return
	}
	sendJSON(w, s.config.Load())
}

func sendJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(v)
}
