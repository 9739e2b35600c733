package teacher

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/retort-data/retort/local/chat"
)

// batches is OpenAI's Batch API: a file of requests is uploaded, answered some
// time later, and fetched. It lives in memory. Answers are counted and billed,
// at Config.BatchPrice, when they are made; a cancelled batch keeps those.
type batches struct {
	mu    sync.Mutex
	files map[string][]byte
	list  []*batch // oldest first
}

// batch is one batch; its exported fields are what is sent.
type batch struct {
	ID         string         `json:"id"`
	Object     string         `json:"object"`
	Endpoint   string         `json:"endpoint"`
	Input      string         `json:"input_file_id"`
	Window     string         `json:"completion_window"`
	Status     string         `json:"status"` // validating, in_progress, completed, failed, expired, cancelled
	Output     *string        `json:"output_file_id"`
	ErrorFile  *string        `json:"error_file_id"`
	CreatedAt  int64          `json:"created_at"`
	ExpiresAt  int64          `json:"expires_at"`
	Counts     batchCounts    `json:"request_counts"`
	Metadata   map[string]any `json:"metadata"`
	Errors     *batchErrors   `json:"errors"`
	lines      []batchLine
	fate       string
	out, wrong bytes.Buffer
	cancel     chan struct{}
}

type batchCounts struct {
	Total     int `json:"total"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
}

type batchErrors struct {
	Data []batchError `json:"data"`
}

type batchError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    int    `json:"line"`
}

type batchLine struct {
	CustomID string          `json:"custom_id"`
	Method   string          `json:"method"`
	URL      string          `json:"url"`
	Body     json.RawMessage `json:"body"`
}

// routes adds the endpoints to s.
func (b *batches) routes(s *Server) {
	b.files = map[string][]byte{}
	for pattern, handle := range map[string]func(*Server, http.ResponseWriter, *http.Request){
		"POST /v1/files":               b.upload,
		"GET /v1/files/{id}/content":   b.content,
		"POST /v1/batches":             b.create,
		"GET /v1/batches":              b.page,
		"GET /v1/batches/{id}":         b.state,
		"POST /v1/batches/{id}/cancel": b.stop,
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if s.authorized(w, r, s.config.Load()) {
				handle(s, w, r)
			}
		})
	}
}

func (b *batches) upload(_ *Server, w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 256<<20)
	file, _, err := r.FormFile("file")
	if err == nil && r.FormValue("purpose") != "batch" {
		err = fmt.Errorf("purpose must be batch")
	}
	var content []byte
	if err == nil {
		content, err = io.ReadAll(file)
	}
	if err != nil {
		chat.WriteError(w, http.StatusBadRequest, "invalid_request_error", "file", err.Error())
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	sendJSON(w, map[string]any{"object": "file", "purpose": "batch", "bytes": len(content), "id": b.store(content)})
}

// store keeps a file and returns its id; the lock is held.
func (b *batches) store(content []byte) string {
	id := fmt.Sprintf("file-%06d", len(b.files)+1)
	b.files[id] = content
	return id
}

func (b *batches) content(_ *Server, w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	content, ok := b.files[r.PathValue("id")]
	b.mu.Unlock()
	if !ok {
		notFound(w, "file", r.PathValue("id"))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(content)
}

func (b *batches) create(s *Server, w http.ResponseWriter, r *http.Request) {
	made := &batch{Object: "batch", Status: "validating", CreatedAt: time.Now().Unix(), cancel: make(chan struct{})}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(made); err != nil {
		chat.WriteError(w, http.StatusBadRequest, "invalid_request_error", "body", err.Error())
		return
	}
	made.ExpiresAt = made.CreatedAt + 24*3600
	cfg := s.config.Load()
	b.mu.Lock()
	defer b.mu.Unlock()
	content, ok := b.files[made.Input]
	if !ok {
		notFound(w, "file", made.Input)
		return
	}
	number := len(b.list) + 1
	made.ID = fmt.Sprintf("batch_%06d", number)
	b.list = append(b.list, made)
	s.counts.batch()
	if number <= len(cfg.BatchFates) {
		made.fate = cfg.BatchFates[number-1]
	}
	if made.validate(content) {
		go b.work(s, made)
	}
	// The batch exists, but whoever made it doesn't hear of it.
	if made.fate == "lost" || unit(uint64(number), streamFault) < cfg.BatchLost {
		resetConnection(w, "")
		return
	}
	sendJSON(w, made)
}

// validate reads the input's lines, or fails the batch as a whole.
func (made *batch) validate(content []byte) bool {
	scanner := bufio.NewScanner(bytes.NewReader(content))
	scanner.Buffer(nil, len(content)+1)
	seen := map[string]bool{}
	for n := 1; scanner.Scan(); n++ {
		var line batchLine
		err := json.Unmarshal(scanner.Bytes(), &line)
		switch {
		case err != nil:
		case line.Method != http.MethodPost || line.URL != "/v1/chat/completions":
			err = fmt.Errorf("method and url must be POST /v1/chat/completions")
		case line.CustomID == "" || seen[line.CustomID]:
			err = fmt.Errorf("custom_id %q is missing or occurs twice", line.CustomID)
		}
		if err != nil {
			made.Status = "failed"
			made.Errors = &batchErrors{Data: []batchError{{Code: "invalid_line", Message: err.Error(), Line: n}}}
			return false
		}
		seen[line.CustomID] = true
		made.lines = append(made.lines, line)
	}
	made.Counts.Total = len(made.lines)
	return true
}

// work answers the lines spread over Config.BatchMS, in an order of its own.
func (b *batches) work(s *Server, made *batch) {
	cfg := s.config.Load()
	slices.SortFunc(made.lines, func(x, y batchLine) int {
		return cmp.Compare(mix(keyOfID(x.CustomID), streamMode), mix(keyOfID(y.CustomID), streamMode))
	})
	total := time.Duration(cfg.BatchMS * float64(time.Millisecond))
	start, status := time.Now(), "completed"
	b.mu.Lock()
	made.Status = "in_progress"
	b.mu.Unlock()
	for i, line := range made.lines {
		if (made.fate == "expired" || made.fate == "cancelled") && i >= len(made.lines)/2 {
			status = made.fate
			break
		}
		if unit(keyOfID(line.CustomID)^uint64(len(made.ID)), streamFault+7) < cfg.BatchExpired {
			status = "expired"
			continue
		}
		due := start.Add(total * time.Duration(i+1) / time.Duration(len(made.lines)))
		select {
		case <-made.cancel:
			status = "cancelled"
		case <-time.After(time.Until(due)):
		}
		if status == "cancelled" {
			break
		}
		s.answerLine(b, made, line, cfg)
	}
	if len(made.lines) == 0 {
		time.Sleep(total)
	}
	b.finish(made, status)
}

// answerLine writes the line of one request, or none where the drawn fault is
// one of the network.
func (s *Server) answerLine(b *batches, made *batch, line batchLine, cfg *Config) {
	r, err := chat.ParseRequest(line.Body, http.Header{})
	if err != nil {
		b.reply(made, line.CustomID, http.StatusBadRequest, []byte(`{"error":{"code":"body","message":"bad request"}}`))
		return
	}
	attempt := s.counts.askInBatch(r.Key)
	switch fault := cfg.fault(r.Key, attempt); fault {
	case "":
	case "reset", "hang":
		s.counts.failed(fault)
		return
	case "garbage":
		s.counts.failed(fault)
		b.mu.Lock()
		defer b.mu.Unlock()
		made.out.WriteString("{\"custom_id\":\"" + line.CustomID + "\",\"resp\n")
		return
	default:
		s.counts.failed(fault)
		status := map[string]int{"rate_limited": http.StatusTooManyRequests}[fault]
		b.reply(made, line.CustomID, cmp.Or(status, http.StatusInternalServerError), []byte(`{"error":{"code":"`+fault+`","message":"failed"}}`))
		return
	}
	done, mode := s.corpus.answer(&r, cfg)
	done.ID, done.Created, done.Model, done.Fingerprint = "chatcmpl-"+strconv.FormatUint(r.Key, 16), time.Now().Unix(), cmp.Or(cfg.ServedModel, r.Model), cfg.Fingerprint
	bill := bill{key: r.Key, mode: mode, promptTokens: done.PromptTokens, completionTokens: done.CompletionTokens,
		microUSD: cfg.batchMicroUSD(done.PromptTokens, done.CompletionTokens)}
	if s.journal != nil {
		if err := s.journal.append(bill); err != nil {
			s.counts.failed("journal")
			return
		}
	}
	s.counts.answer(bill)
	b.reply(made, line.CustomID, http.StatusOK, chat.AppendCompletion(nil, &done))
}

// reply appends a line to the output, or to the errors.
func (b *batches) reply(made *batch, customID string, status int, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	to := &made.out
	if status == http.StatusOK {
		made.Counts.Completed++
	} else {
		made.Counts.Failed++
		to = &made.wrong
	}
	line := append([]byte(nil), `{"custom_id":`...)
	line = chat.AppendString(line, customID)
	line = fmt.Appendf(line, `,"error":null,"response":{"status_code":%d,"body":`, status)
	to.Write(append(append(line, body...), "}}\n"...))
}

func (b *batches) finish(made *batch, status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	made.Status = status
	if made.out.Len() > 0 {
		id := b.store(bytes.Clone(made.out.Bytes()))
		made.Output = &id
	}
	if made.wrong.Len() > 0 {
		id := b.store(bytes.Clone(made.wrong.Bytes()))
		made.ErrorFile = &id
	}
}

// page lists batches, newest first.
func (b *batches) page(_ *Server, w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), "20"))
	if err != nil || limit < 1 || limit > 100 {
		chat.WriteError(w, http.StatusBadRequest, "invalid_request_error", "limit", "limit must be 1 to 100")
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	list := slices.Clone(b.list)
	slices.Reverse(list)
	if after := r.URL.Query().Get("after"); after != "" {
		i := slices.IndexFunc(list, func(x *batch) bool { return x.ID == after })
		list = list[i+1:]
	}
	n := min(limit, len(list))
	sendJSON(w, map[string]any{"object": "list", "data": list[:n], "has_more": n < len(list)})
}

func (b *batches) state(_ *Server, w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if made := b.find(r.PathValue("id")); made != nil {
		sendJSON(w, made)
		return
	}
	notFound(w, "batch", r.PathValue("id"))
}

func (b *batches) stop(_ *Server, w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	made := b.find(r.PathValue("id"))
	if made == nil {
		notFound(w, "batch", r.PathValue("id"))
		return
	}
	if made.Status == "in_progress" || made.Status == "validating" {
		made.Status = "cancelling"
		close(made.cancel)
	}
	sendJSON(w, made)
}

func (b *batches) find(id string) *batch {
	if i := slices.IndexFunc(b.list, func(x *batch) bool { return x.ID == id }); i >= 0 {
		return b.list[i]
	}
	return nil
}

func keyOfID(id string) uint64 {
	key := uint64(len(id))
	for _, c := range []byte(id) {
		key = mix(key, uint64(c))
	}
	return key
}

func notFound(w http.ResponseWriter, what, id string) {
	chat.WriteError(w, http.StatusNotFound, "invalid_request_error", "not_found", fmt.Sprintf("No such %s: %s", what, strings.ToValidUTF8(id, "?")))
}
