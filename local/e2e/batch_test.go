package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
)

var batchPrompts = flag.Int("batch-prompts", 300, "prompts of the test of provider batches, in three batches")

// batchTeacher is a teacher that is asked by batches of so many requests, at half the price.
func (l *lab) batchTeacher(requests int) {
	l.configure(64, fmt.Sprintf(`  - name: batcher
    base_url: %s
    model: test-1
    revision: "1"
    terms: {training: allowed, license: Apache-2.0, source: the test, read_on: 2026-11-01}
    batch: true
    limits: {batch_requests: %d}
    price: {input: 0.2, output: 0.6, batch: 0.5}
`, l.url, requests))
}

// batchRecipe asks n questions of it.
func (l *lab) batchRecipe(dataset string, n int, more string) string {
	path := l.questions(dataset, n, more)
	text, err := os.ReadFile(path)
	l.must(err)
	return l.write(dataset+".yaml", strings.Replace(string(text), "{name: tester}", "{name: batcher}", 1))
}

// listed are the batches that the provider has.
func (l *lab) listed() []struct {
	ID       string            `json:"id"`
	Status   string            `json:"status"`
	Metadata map[string]string `json:"metadata"`
} {
	l.t.Helper()
	resp, err := http.Get(l.url + "/batches?limit=100")
	l.must(err)
	defer resp.Body.Close()
	var list struct {
		Data []struct {
			ID       string            `json:"id"`
			Status   string            `json:"status"`
			Metadata map[string]string `json:"metadata"`
		} `json:"data"`
	}
	l.must(json.NewDecoder(resp.Body).Decode(&list))
	return list.Data
}

// Three batches with shuffled lines: the reply to one's creation is lost, one expires half-way, one is cancelled at the provider, and the
// worker is killed meanwhile. All is answered, each answer stands with its own prompt, no batch is bought twice and no answer paid twice.
func TestBatches(t *testing.T) {
	n := *batchPrompts
	cfg := teacher.DefaultConfig()
	cfg.Modes = map[string]float64{"echo": 1} // an answer begins with its prompt
	cfg.BatchMS, cfg.BatchFates = 1500, []string{"lost", "expired", "cancelled"}
	l := newLab(t, cfg)
	l.batchTeacher((n + 2) / 3)
	w := l.startWorker()
	l.ok("run", "--detach", l.batchRecipe("batches", n, "checks: {echo: tag, exact: off, near: off, repetition: off, quality: off}\n"))
	l.wait("a batch", func() bool { return l.teacher.Stats().Batches >= 2 })
	w.kill()
	l.startWorker()
	s := l.finished("batches", schema.StatePublished)
	l.complete("batches", int64(n))
	seen := map[string]bool{}
	for _, b := range l.listed() {
		key := b.Metadata["retort_page"] + "/" + b.Metadata["retort_part"]
		if seen[key] {
			t.Errorf("a second batch of %s", key)
		}
		seen[key] = true
	}
	got := l.teacher.Stats()
	if got.Batches != 5 || got.PaidAgain != 0 || got.Total != got.BatchRequests {
		t.Errorf("%d batches, want 3 and 2 of what was left; %d answers paid again; %d of %d requests by batches", got.Batches, got.PaidAgain, got.BatchRequests, got.Total)
	}
	if b := s.Teachers[0].Batches; b == nil || b.Submitted != 5 || b.Queued+b.Running+b.Finalizing != 0 {
		t.Errorf("status: %+v", b)
	}
	if c := s.Cost.Micros; c < got.BilledMicroUSD || c > got.BilledMicroUSD+int64(n) {
		t.Errorf("cost %d, billed %d", c, got.BilledMicroUSD)
	}
	records := l.records("batches", 1)
	for _, r := range records {
		question, answer := r.Messages[len(r.Messages)-2].Content, r.Messages[len(r.Messages)-1].Content
		if !strings.Contains(answer, question) {
			t.Errorf("the answer to %q is %q", question, answer[:min(80, len(answer))])
		}
	}
	t.Logf("%d prompts, %d batches for 3 pages, %d answers of which %d stand in shards with their own prompts, billed %d, counted %d micro-dollars", n, got.Batches, got.Answered, len(records), got.BilledMicroUSD, s.Cost.Micros)
}

// A cancel reaches the provider, and what its batches had answered is kept and counted.
func TestCancelReachesTheProvider(t *testing.T) {
	cfg := teacher.DefaultConfig()
	cfg.BatchMS = 20_000
	l := newLab(t, cfg)
	l.batchTeacher(100)
	l.startWorker()
	l.ok("run", "--detach", l.batchRecipe("taken", 200, "budget: {usd: 1}\n"))
	l.wait("answers", func() bool { return l.teacher.Stats().Answered > 20 })
	l.wait("the status to show them", func() bool { b := l.status("taken").Teachers[0].Batches; return b != nil && b.Running == 2 })
	if text := l.ok("status", "taken"); !strings.Contains(text, "batches 2 running") {
		t.Errorf("status says\n%s", text)
	}
	l.ok("cancel", "taken")
	s := l.finished("taken", schema.StateCancelled)
	for _, b := range l.listed() {
		if b.Status != "cancelled" {
			t.Errorf("batch %s is %s", b.ID, b.Status)
		}
	}
	got := l.teacher.Stats()
	if decided := s.Counts.Planned - s.Counts.Unasked; !s.Counts.Reconciled() || decided != got.Answered || s.Cost.Micros < got.BilledMicroUSD || s.Cost.Micros > got.BilledMicroUSD+got.Answered {
		t.Errorf("%+v, cost %d; the provider answered %d for %d", s.Counts, s.Cost.Micros, got.Answered, got.BilledMicroUSD)
	}
}

// records reads a version's records.
func (l *lab) records(dataset string, version int) (out []schema.Record) {
	l.t.Helper()
	for _, s := range l.manifest(dataset, version).Shards {
		for rec, err := range schema.ReadRecords(l.object(s.Key)) {
			l.must(err)
			out = append(out, *rec)
		}
	}
	return out
}
