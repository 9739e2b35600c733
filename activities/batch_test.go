package activities

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/retort-data/retort/schema"
)

// provider is a Batch API whose batches are done at once; an early line is left out, lines are in reverse.
type provider struct {
	mu      sync.Mutex
	files   map[string][]byte
	batches []map[string]any
	lose    func(n int) bool                   // the reply to the n-th creation, from 1, is lost
	fate    func(page string, part string) int // lines that are answered; -1: all
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	switch {
	case path == "files":
		file, _, err := r.FormFile("file")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body, _ := io.ReadAll(file)
		send(w, map[string]any{"id": p.store(body)})
	case strings.HasPrefix(path, "files/"):
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(p.files[strings.Split(path, "/")[1]]) //nolint:errcheck // a client that is gone
	case path == "batches" && r.Method == http.MethodPost:
		b := map[string]any{}
		json.NewDecoder(r.Body).Decode(&b) //nolint:errcheck // a test's own client
		p.work(b)
		if p.lose != nil && p.lose(len(p.batches)) {
			panic(http.ErrAbortHandler)
		}
		send(w, b)
	case path == "batches":
		list := slices.Clone(p.batches)
		slices.Reverse(list)
		send(w, map[string]any{"data": list, "has_more": false})
	default:
		for _, b := range p.batches {
			if b["id"] == strings.Split(path, "/")[1] {
				if strings.HasSuffix(path, "/cancel") {
					b["status"] = "cancelled"
				}
				send(w, b)
				return
			}
		}
		http.NotFound(w, r)
	}
}

func send(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value) //nolint:errcheck // a client that is gone
}

func (p *provider) store(body []byte) string {
	id := fmt.Sprintf("file-%d", len(p.files)+1)
	p.files[id] = body
	return id
}

// work answers a batch.
func (p *provider) work(b map[string]any) {
	var out [][]byte
	lines := bufio.NewScanner(bytes.NewReader(p.files[b["input_file_id"].(string)]))
	for lines.Scan() {
		var line struct {
			CustomID string `json:"custom_id"`
			Body     struct{ Messages []schema.Message }
		}
		json.Unmarshal(lines.Bytes(), &line) //nolint:errcheck // a test's own client
		body, _ := json.Marshal(map[string]any{"model": "m-2026", "choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": essay(line.Body.Messages[0].Content)},
			"finish_reason": "stop"}}, "usage": map[string]any{"prompt_tokens": 10, "completion_tokens": 50}})
		out = append(out, fmt.Appendf(nil, `{"custom_id":%q,"response":{"status_code":200,"body":%s}}`, line.CustomID, body))
	}
	slices.Reverse(out)
	meta := b["metadata"].(map[string]any)
	b["status"] = "completed"
	if n := p.fate(meta["retort_page"].(string), meta["retort_part"].(string)); n >= 0 {
		out, b["status"] = out[:min(n, len(out))], "expired"
	}
	if len(out) > 0 {
		b["output_file_id"] = p.store(append(bytes.Join(out, []byte("\n")), '\n'))
	}
	b["id"], b["created_at"] = fmt.Sprintf("batch_%03d", len(p.batches)), len(p.batches)
	p.batches = append(p.batches, b)
}

// newBatchLab begins a run whose teacher is asked by batches of ten at half the price; page 1's first batch answers four.
func newBatchLab(t testing.TB, more string) (*lab, *provider) {
	l := newLab(t, more)
	p := &provider{files: map[string][]byte{}, fate: func(page, part string) int {
		if page == "00-000001" && part == "1" {
			return 4
		}
		return -1
	}}
	l.provider = p
	teach := &l.config.Teachers[0]
	teach.Batch, teach.Limits.BatchRequests, teach.Price.Batch = true, 10, 0.5
	l.begin("r2")
	return l, p
}

// byBatches brings a page to its end as the workflow does; each step is tried until it succeeds.
func (f *flow) byBatches(in schema.AskInput) (counts schema.PageCounts) {
	f.l.t.Helper()
	for {
		b := schema.BatchInput{AskInput: in}
		var submitted schema.BatchSubmitted
		f.try(func(ctx context.Context, r *Rooms) (err error) { submitted, err = r.SubmitBatch(ctx, b); return err })
		if submitted.Counts != nil {
			return *submitted.Counts
		}
		b.ID, b.Round = submitted.ID, submitted.Round
		f.try(func(ctx context.Context, r *Rooms) error { _, err := r.PollBatch(ctx, b); return err })
		f.try(func(ctx context.Context, r *Rooms) error { _, err := r.FetchBatch(ctx, b); return err })
	}
}

// A run by batches is killed before every single write, every single write's reply is lost, and so is the reply to every creation of a
// batch: what comes out is the same to the byte, and no batch is bought twice.
func TestEveryWriteOfBatchesMayFail(t *testing.T) {
	whole, p := newBatchLab(t, "")
	counting := &breaking{Store: whole.store}
	unbroken := whole.flow(whole.rooms(counting))
	unbroken.whole()
	if c := unbroken.publish.Counts; c.Admitted != prompts || len(p.batches) != 6 {
		t.Fatalf("%+v after %d batches, want 6: five pages, one of them in two", c, len(p.batches))
	}
	want := outcome(whole)
	for _, lost := range []bool{false, true} {
		for n := 1; n <= counting.writes; n++ {
			t.Run(fmt.Sprintf("lost=%v/write %d", lost, n), func(t *testing.T) {
				l, p := newBatchLab(t, "")
				b := &breaking{Store: l.store, at: n, lost: lost}
				broken, healthy := l.rooms(b), l.rooms(l.store)
				(&flow{l: l, rooms: func() *Rooms {
					if b.dead {
						return healthy
					}
					return broken
				}}).whole()
				if got := outcome(l); !maps.Equal(got, want) {
					t.Error("the outcome differs from the run without a fault")
				}
				p.once(t, 6)
			})
		}
	}
}

// once holds the number of batches, and that each was bought once.
func (p *provider) once(t testing.TB, want int) {
	t.Helper()
	seen := map[string]bool{}
	for _, b := range p.batches {
		key := fmt.Sprint(b["metadata"])
		if seen[key] {
			t.Errorf("a second batch of %s", key)
		}
		seen[key] = true
	}
	if len(p.batches) != want {
		t.Errorf("%d batches, want %d", len(p.batches), want)
	}
}

// The reply to a batch's creation is lost and the worker dies with it: the next one finds the batch.
func TestLostReplyBuysNoBatchTwice(t *testing.T) {
	l, p := newBatchLab(t, "")
	_, err := l.rooms(l.store).Plan(t.Context(), l.ref)
	l.must(err)
	ctx, die := context.WithCancel(t.Context())
	p.lose = func(n int) bool { // within the first creation
		if n == 1 {
			die()
		}
		return n == 1
	}
	in := schema.BatchInput{AskInput: l.unbounded(0)}
	if _, err := l.rooms(l.store).SubmitBatch(ctx, in); err == nil {
		t.Fatal("a worker that died had an answer")
	}
	for range 2 {
		got, err := l.rooms(l.store).SubmitBatch(t.Context(), in)
		l.must(err)
		if got.ID != "batch_000" || got.Round != 1 || got.Requests != 10 {
			t.Errorf("%+v", got)
		}
	}
	p.once(t, 1)
}

// A batch is leased whole before it is submitted, at the price for batches, and settled by what it used.
func TestBatchLease(t *testing.T) {
	l, p := newBatchLab(t, "")
	r := l.rooms(l.store)
	plan, err := r.Plan(t.Context(), l.ref)
	l.must(err)
	worst := plan.Teachers[0].WorstMicros
	in := schema.BatchInput{AskInput: l.unbounded(0)}
	in.LeaseMicros = 4*worst + worst/2
	got, err := r.SubmitBatch(t.Context(), in)
	l.must(err)
	if got.Requests != 4 {
		t.Fatalf("%d requests of at most %d micro-dollars for a lease of %d", got.Requests, worst, in.LeaseMicros)
	}
	in.ID, in.Round = got.ID, got.Round
	fetched, err := r.FetchBatch(t.Context(), in)
	l.must(err)
	if fetched.Answered != 4 || fetched.Missing != 0 {
		t.Errorf("%+v", fetched)
	}
	in.LeaseMicros = 4 * 55 // 10 tokens in at 1, 50 out at 2, half of it
	if got, err = r.SubmitBatch(t.Context(), in); err != nil || got.Counts == nil || got.Counts.Stopped != "budget" || got.Counts.CostMicros != 4*55 || got.Counts.Calls != 4 {
		t.Errorf("%+v %v, %+v", got, err, got.Counts)
	}
	p.once(t, 1)
}

// A batch that the provider has lost is charged at its worst, and what it had is submitted again; at the end the rest fails.
func TestLostBatch(t *testing.T) {
	l, p := newBatchLab(t, "")
	r := l.rooms(l.store)
	plan, err := r.Plan(t.Context(), l.ref)
	l.must(err)
	in := schema.BatchInput{AskInput: l.unbounded(0)}
	got, err := r.SubmitBatch(t.Context(), in)
	l.must(err)
	p.batches = nil
	in.ID, in.Round = got.ID, got.Round
	if state, err := r.PollBatch(t.Context(), in); err != nil || state.Status != schema.BatchLost || state.Phase != schema.BatchDone {
		t.Fatalf("%+v %v", state, err)
	}
	if fetched, err := r.FetchBatch(t.Context(), in); err != nil || fetched.Missing != 10 {
		t.Fatalf("%+v %v", fetched, err)
	}
	in.GiveUp = true
	got, err = r.SubmitBatch(t.Context(), in)
	l.must(err)
	if c := got.Counts; c == nil || c.Failed["not_run"] != 10 || c.CostMicros > 10*plan.Teachers[0].WorstMicros || c.CostMicros < 9*plan.Teachers[0].WorstMicros {
		t.Errorf("%+v, worst of a request %d", c, plan.Teachers[0].WorstMicros)
	}
}

// Two workers at the same batch submit and fetch at once: one batch, each answer once.
func TestTwoWorkersAtABatch(t *testing.T) {
	l, p := newBatchLab(t, "")
	_, err := l.rooms(l.store).Plan(t.Context(), l.ref)
	l.must(err)
	f := l.flow(l.rooms(l.store))
	both := make([]schema.PageCounts, 2)
	var wait sync.WaitGroup
	for i := range both {
		wait.Go(func() { both[i] = f.byBatches(l.unbounded(1)) })
	}
	wait.Wait()
	if both[0].Answered != 10 || both[0].Answered != both[1].Answered || both[0].CostMicros != 10*55 || both[1].CostMicros != 10*55 {
		t.Errorf("%+v and %+v", both[0], both[1])
	}
	open := 0
	for _, b := range p.batches {
		if b["status"] != "cancelled" {
			open++
		}
	}
	if open != 2 {
		t.Errorf("%d batches stay for a page of two", open)
	}
}
