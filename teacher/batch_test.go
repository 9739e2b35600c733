package teacher

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/retort-data/retort/schema"
)

// batchServer is a provider's Batch API with its habits: shuffled lines, doubled lines, expiries, lost replies.
type batchServer struct {
	t *testing.T

	mu       sync.Mutex
	files    map[string]string
	batches  []map[string]any // oldest first
	lose     int              // creations whose reply is lost
	fate     func(batch int, id string) string
	creating func() // called within a creation, before it is seen by others
	pageSize int
}

func newBatchServer(t *testing.T) *batchServer {
	return &batchServer{t: t, files: map[string]string{}, pageSize: 2, fate: func(int, string) string { return "answer" }}
}

func (s *batchServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	switch {
	case r.Method == "POST" && path == "files":
		s.upload(w, r)
	case r.Method == "POST" && path == "batches":
		s.create(w, r)
	case r.Method == "GET" && path == "batches":
		s.list(w, r.URL.Query().Get("after"))
	case strings.HasSuffix(path, "/cancel"):
		b := s.batch(strings.Split(path, "/")[1])
		b["status"] = "cancelled"
		json.NewEncoder(w).Encode(b)
	case strings.HasPrefix(path, "batches/"):
		json.NewEncoder(w).Encode(s.batch(strings.TrimPrefix(path, "batches/")))
	case strings.HasSuffix(path, "/content"):
		w.Header().Set("Content-Type", "application/octet-stream")
		io.WriteString(w, s.files[strings.Split(path, "/")[1]])
	default:
		http.NotFound(w, r)
	}
}

func (s *batchServer) upload(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 30); err != nil || r.FormValue("purpose") != "batch" {
		s.t.Errorf("upload: %v, purpose %q", err, r.FormValue("purpose"))
	}
	file, _, err := r.FormFile("file")
	if err != nil {
		s.t.Error(err)
		return
	}
	content, _ := io.ReadAll(file)
	id := fmt.Sprintf("file-%d", len(s.files))
	s.files[id] = string(content)
	json.NewEncoder(w).Encode(map[string]any{"id": id, "bytes": len(content)})
}

func (s *batchServer) create(w http.ResponseWriter, r *http.Request) {
	var req map[string]any
	json.NewDecoder(r.Body).Decode(&req)
	if s.creating != nil {
		s.creating()
	}
	s.add(req)
	if s.lose > 0 {
		s.lose--
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
		return
	}
	json.NewEncoder(w).Encode(s.batches[len(s.batches)-1])
}

func (s *batchServer) add(req map[string]any) {
	n := len(s.batches)
	s.batches = append(s.batches, map[string]any{"id": fmt.Sprintf("batch_%03d", n), "status": "validating", "created_at": 1000 + n,
		"input_file_id": req["input_file_id"], "metadata": req["metadata"]})
}

func (s *batchServer) batch(id string) map[string]any {
	for _, b := range s.batches {
		if b["id"] == id {
			return b
		}
	}
	s.t.Errorf("no batch %q", id)
	return map[string]any{}
}

// list answers newest first, some at a time.
func (s *batchServer) list(w http.ResponseWriter, after string) {
	newest := slices.Clone(s.batches)
	slices.Reverse(newest)
	if after != "" {
		for i, b := range newest {
			if b["id"] == after {
				newest = newest[i+1:]
				break
			}
		}
	}
	n := min(s.pageSize, len(newest))
	json.NewEncoder(w).Encode(map[string]any{"data": newest[:n], "has_more": n < len(newest)})
}

// run answers each line of a batch by its fate: answer, twice, lose, refuse, overload, expire.
func (s *batchServer) run(id, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.batch(id)
	var output, errors []string
	lines := bufio.NewScanner(strings.NewReader(s.files[b["input_file_id"].(string)]))
	lines.Buffer(nil, 1<<20)
	for n := slices.Index(s.ids(), id); lines.Scan(); {
		var line struct {
			CustomID string `json:"custom_id"`
			Body     struct {
				Messages []schema.Message `json:"messages"`
			} `json:"body"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			s.t.Error(err)
		}
		ok := fmt.Sprintf(`{"custom_id":%q,"response":{"status_code":200,"body":%s},"error":null}`, line.CustomID, oneLine(completion("re: "+line.Body.Messages[0].Content)))
		switch s.fate(n, line.CustomID) {
		case "answer":
			output = append(output, ok)
		case "twice":
			output = append(output, ok, ok)
		case "refuse":
			errors = append(errors, fmt.Sprintf(`{"custom_id":%q,"response":{"status_code":400,"body":{"error":{"message":"bad"}}}}`, line.CustomID))
		case "overload":
			errors = append(errors, fmt.Sprintf(`{"custom_id":%q,"response":{"status_code":503,"body":{"error":{"message":"busy"}}}}`, line.CustomID))
		case "expire":
			errors = append(errors, fmt.Sprintf(`{"custom_id":%q,"response":null,"error":{"code":"batch_expired","message":"late"}}`, line.CustomID))
		}
	}
	rand.Shuffle(len(output), func(i, j int) { output[i], output[j] = output[j], output[i] })
	output = append(output, `{"custom_id":"of another"}`, `{"custom_id":"cut`)
	b["status"], b["output_file_id"], b["error_file_id"] = status, "out-"+id, "err-"+id
	s.files["out-"+id], s.files["err-"+id] = strings.Join(output, "\n")+"\n", strings.Join(errors, "\n")
}

func (s *batchServer) ids() (ids []string) {
	for _, b := range s.batches {
		ids = append(ids, b["id"].(string))
	}
	return ids
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "") }

func batchAsks(n int) []Ask {
	asks := make([]Ask, n)
	for i := range asks {
		asks[i] = Ask{RequestID: fmt.Sprintf("r%05d", i), Messages: []schema.Message{{Role: "user", Content: fmt.Sprintf("Question %d", i)}}}
	}
	return asks
}

// 3,000 requests in three batches with shuffles, doubled lines, an expiry, a cancel and a lost reply: each answer
// comes to its own request, and no batch is bought twice.
func TestBatchesToTheEnd(t *testing.T) {
	s := newBatchServer(t)
	s.fate = func(batch int, id string) string {
		n := 0
		fmt.Sscanf(id, "r%d", &n)
		switch {
		case batch == 1 && n%2 == 0, batch == 2 && n%3 == 0:
			return "expire"
		case batch == 0 && n%10 == 0:
			return "lose"
		case batch == 0 && n%10 == 1:
			return "overload"
		case n%100 == 7:
			return "refuse"
		case n%50 == 3:
			return "twice"
		}
		return "answer"
	}
	c := newTest(t, s.ServeHTTP, func(teach *schema.Teacher, _ *Options) {
		teach.Price = &schema.Price{Input: 1, Output: 2, Batch: 0.5}
	})
	pages, err := c.cutBatches(batchAsks(3000), 1000, MaxBatchBytes)
	if err != nil || len(pages) != 3 {
		t.Fatalf("%d batches, %v", len(pages), err)
	}
	answers := map[string]schema.Response{}
	status := []string{"completed", "expired", "cancelled"}
	for page, asks := range pages {
		for part := 0; len(asks) > 0; part++ {
			s.lose = 1
			state, err := c.SubmitBatch(context.Background(), BatchKey{Run: "run1", Page: schema.PageRef{Number: page}, Part: part}, asks)
			if err != nil {
				t.Fatal(err)
			}
			final := "completed"
			if part == 0 {
				final = status[page]
			}
			s.run(state.ID, final)
			if state, err = c.PollBatch(context.Background(), state.ID); err != nil || state.Phase != schema.BatchDone || state.Status != final {
				t.Fatalf("%+v %v", state, err)
			}
			result, err := c.FetchBatch(context.Background(), state, asks, func(r schema.Response) error {
				if _, ok := answers[r.RequestID]; ok {
					t.Errorf("%s was handed on twice", r.RequestID)
				}
				answers[r.RequestID] = r
				return nil
			})
			if err != nil || result.Unknown != 1 || result.Broken != 1 {
				t.Fatalf("%+v %v", result, err)
			}
			if result.Answered+result.Failed+len(result.Missing) != len(asks) {
				t.Errorf("%d answered, %d failed, %d missing of %d", result.Answered, result.Failed, len(result.Missing), len(asks))
			}
			asks = left(asks, result.Missing)
		}
	}
	failed := 0
	for id, r := range answers {
		if r.Failed() {
			failed++
			if r.FailCode != CodeBadRequest || *r.CostMicros != 0 {
				t.Errorf("%+v", r)
			}
			continue
		}
		n := 0
		fmt.Sscanf(id, "r%d", &n)
		if r.Text != fmt.Sprintf("re: Question %d", n) || *r.CostMicros != 10 {
			t.Errorf("%s: %q, cost %d", id, r.Text, *r.CostMicros)
		}
	}
	if len(answers) != 3000 || failed != 30 {
		t.Errorf("%d responses, %d failed", len(answers), failed)
	}
	seen := map[string]bool{}
	for _, b := range s.batches {
		key := fmt.Sprint(b["metadata"])
		if seen[key] {
			t.Errorf("a second batch of %s", key)
		}
		seen[key] = true
	}
}

func left(asks []Ask, missing []Missing) (rest []Ask) {
	ids := map[string]bool{}
	for _, m := range missing {
		ids[m.RequestID] = true
	}
	for _, a := range asks {
		if ids[a.RequestID] {
			rest = append(rest, a)
		}
	}
	return rest
}

func TestSubmitFindsWhatExists(t *testing.T) {
	s := newBatchServer(t)
	c := newTest(t, s.ServeHTTP, nil)
	for page := range 7 { // more than a list's page
		if _, err := c.SubmitBatch(context.Background(), BatchKey{Run: "a", Page: schema.PageRef{Number: page}}, batchAsks(1)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := c.SubmitBatch(context.Background(), BatchKey{Run: "a"}, batchAsks(1))
	if err != nil || again.ID != "batch_000" || len(s.batches) != 7 {
		t.Errorf("%+v %v, %d batches", again, err, len(s.batches))
	}
}

// Another worker creates a batch of the same key in the same moment: the older stays, the younger is cancelled.
func TestTwoWorkersSubmit(t *testing.T) {
	s := newBatchServer(t)
	key := BatchKey{Run: "a", Page: schema.PageRef{Teacher: 1, Number: 4}}
	s.creating = func() { s.add(map[string]any{"input_file_id": "file-x", "metadata": key.metadata()}) }
	c := newTest(t, s.ServeHTTP, nil)
	state, err := c.SubmitBatch(context.Background(), key, batchAsks(1))
	if err != nil || state.ID != "batch_000" || s.batches[1]["status"] != "cancelled" || s.batches[0]["status"] == "cancelled" {
		t.Errorf("%+v %v, %v", state, err, s.batches)
	}
}

func TestBatchFaults(t *testing.T) {
	key := BatchKey{Run: "a"}
	t.Run("401 blocks", func(t *testing.T) {
		c := newTest(t, answer(401, "application/json", `{}`), nil)
		_, err := c.SubmitBatch(context.Background(), key, batchAsks(1))
		if schema.KindOf(err) != schema.KindHold {
			t.Error(err)
		}
		if _, err := c.Ask(context.Background(), hello()); schema.KindOf(err) != schema.KindHold {
			t.Errorf("asked after a block: %v", err)
		}
	})
	t.Run("a lost batch fails", func(t *testing.T) {
		c := newTest(t, answer(404, "application/json", `{}`), nil)
		if _, err := c.PollBatch(context.Background(), "batch_1"); schema.KindOf(err) != schema.KindFailed {
			t.Error(err)
		}
	})
	t.Run("overload may pass", func(t *testing.T) {
		c := newTest(t, answer(503, "", ""), func(_ *schema.Teacher, o *Options) { o.MaxAttempts = 2 })
		if _, err := c.PollBatch(context.Background(), "batch_1"); schema.KindOf(err) != schema.KindRetry || err == nil {
			t.Error(err)
		}
	})
	t.Run("ids stay in their path", func(t *testing.T) {
		c := newTest(t, func(http.ResponseWriter, *http.Request) { t.Error("a call was made") }, nil)
		for _, id := range []string{"", "../files", "a/b", "a?b", ".."} {
			if _, err := c.PollBatch(context.Background(), id); err == nil {
				t.Errorf("%q was taken", id)
			}
			if _, err := c.FetchBatch(context.Background(), BatchState{Output: id + "/"}, nil, nil); err == nil {
				t.Errorf("file %q was taken", id)
			}
		}
	})
	t.Run("a cut file is an error", func(t *testing.T) {
		c := newTest(t, hijacked(func(conn net.Conn) {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"custom_id\":")
		}), nil)
		if _, err := c.FetchBatch(context.Background(), BatchState{Output: "file-1"}, batchAsks(1), nil); schema.KindOf(err) != schema.KindRetry || err == nil {
			t.Error(err)
		}
	})
}

func TestCutBatches(t *testing.T) {
	c := newTest(t, good(""), nil)
	asks := batchAsks(100)
	line, err := c.batchLine(&asks[0])
	if err != nil {
		t.Fatal(err)
	}
	cut, err := c.cutBatches(asks, 1000, 10*(len(line)+3))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, b := range cut {
		size := 0
		for i := range b {
			line, _ := c.batchLine(&b[i])
			size += len(line) + 1
			if b[i].RequestID != asks[n].RequestID {
				t.Errorf("%s in the place of %s", b[i].RequestID, asks[n].RequestID)
			}
			n++
		}
		if size > 10*(len(line)+3) {
			t.Errorf("a batch of %d bytes", size)
		}
	}
	if n != 100 || len(cut) > 11 {
		t.Errorf("%d requests in %d batches", n, len(cut))
	}
	if _, err := c.cutBatches(asks, 10, 20); schema.KindOf(err) != schema.KindInvalid {
		t.Errorf("a request larger than a batch: %v", err)
	}
}

func FuzzBatchLine(f *testing.F) {
	for _, s := range []string{`{"custom_id":"r1","response":{"status_code":200,"body":` + oneLine(completion("x")) + `}}`, `{"custom_id":"r1","error":{"code":"batch_expired"}}`,
		`{"custom_id":"r1","response":{"status_code":429,"body":null}}`, `{"custom_id":"r1"}`, `null`, `{"custom_id":"r1","response":{"status_code":200,"body":"x"}}`} {
		f.Add([]byte(s))
	}
	c, err := New(testTeacher("http://x.test"), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		a := hello()
		n := 0
		j := &join{client: c, open: map[string]*Ask{"r1": &a}, known: map[string]bool{"r1": true}, faults: map[string]*fault{}}
		j.emit = func(r schema.Response) error {
			n++
			if r.RequestID != "r1" || *r.CostMicros < 0 || len(r.FailDetail) > maxDetail {
				t.Errorf("%+v", r)
			}
			return nil
		}
		for range 2 {
			if err := j.line(line); err != nil {
				t.Fatal(err)
			}
		}
		if n > 1 || n != j.result.Answered+j.result.Failed {
			t.Errorf("handed on %d times: %+v", n, j.result)
		}
	})
}
