package teacher

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func fmtInt(n int64) string { return strconv.FormatInt(n, 10) }

type service struct {
	*Server
	url string
	t   testing.TB
}

func serve(t testing.TB, change func(*Config), journal string) *service {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg, corpus(t), journal)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); s.Close() })
	return &service{Server: s, url: server.URL, t: t}
}

type reply struct {
	status     int
	body       []byte
	retryAfter string
	err        error
}

func (s *service) ask(prompt string, seed int64) reply {
	body := fmt.Sprintf(`{"model":"m","seed":%d,"messages":[{"role":"user","content":%q}]}`, seed, prompt)
	return s.post("/v1/chat/completions", body)
}

func (s *service) post(path, body string) reply {
	resp, err := http.Post(s.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, text, resp.Header.Get("Retry-After"), err}
}

func TestCounting(t *testing.T) {
	s := serve(t, nil, "")
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			if r := s.ask(fmt.Sprint("q", i%50), int64(i/50)); r.status != 200 {
				t.Errorf("%d %v %s", r.status, r.err, r.body)
			}
		})
	}
	all.Wait()
	for range 3 {
		s.ask("q7", 0)
	}
	got := s.Stats()
	if got.Total != 103 || got.Answered != 103 || got.Prompts != 100 || got.PromptsAnswered != 100 {
		t.Errorf("%+v", got)
	}
	if got.Repeats != 3 || got.PromptsRepeated != 1 || got.PaidAgain != 3 {
		t.Errorf("repeats %d, of %d prompts, paid again %d; want 3, 1, 3", got.Repeats, got.PromptsRepeated, got.PaidAgain)
	}
	if got.InFlight != 0 || got.MaxInFlight < 1 || got.MaxInMinute != 103 || got.FirstRequest.After(got.LastRequest) {
		t.Errorf("%+v", got)
	}
	if want := int64(float64(got.PromptTokens)*.2 + float64(got.CompletionTokens)*.6); got.BilledMicroUSD < want || got.BilledMicroUSD > want+103 {
		t.Errorf("billed %d micro-dollars for %d and %d tokens, want %d and at most one more an answer",
			got.BilledMicroUSD, got.PromptTokens, got.CompletionTokens, want)
	}
	s.post("/reset", "")
	if got := s.Stats(); got.Total != 0 || got.Prompts != 0 || !got.FirstRequest.IsZero() {
		t.Errorf("after reset: %+v", got)
	}
}

func TestAnswerOnTheWire(t *testing.T) {
	s := serve(t, func(c *Config) { c.ServedModel = "m-2026" }, "")
	var got struct {
		ID, Object, Model string
		Fingerprint       string `json:"system_fingerprint"`
		Choices           []struct {
			FinishReason string `json:"finish_reason"`
			Message      struct{ Role, Content string }
		}
		Usage struct {
			Prompt     int `json:"prompt_tokens"`
			Completion int `json:"completion_tokens"`
			Total      int `json:"total_tokens"`
		}
	}
	r := s.post("/v1/chat/completions", `{"model":"m","max_tokens":20,"messages":[{"role":"user","content":"Why?"}]}`)
	if err := json.Unmarshal(r.body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Model != "m-2026" || got.Fingerprint != "fp_honest_1" || got.Choices[0].FinishReason != "length" ||
		got.Choices[0].Message.Role != "assistant" || got.Usage.Completion > 20 ||
		got.Usage.Total != got.Usage.Prompt+got.Usage.Completion {
		t.Errorf("%s", r.body)
	}
}

func TestFaults(t *testing.T) {
	always := func(name string) *service {
		return serve(t, func(c *Config) {
			c.RetryAfterS = 7
			*map[string]*float64{"rate_limited": &c.RateLimited, "server_error": &c.ServerError,
				"reset": &c.Reset, "garbage": &c.Garbage}[name] = 1
		}, "")
	}
	if r := always("rate_limited").ask("q", 0); r.status != 429 || r.retryAfter != "7" {
		t.Errorf("429: %+v", r)
	}
	if r := always("server_error").ask("q", 0); r.status != 500 || !json.Valid(r.body) {
		t.Errorf("500: %+v", r)
	}
	s := always("reset")
	for i := range 20 {
		if r := s.ask("q", int64(i)); r.err == nil {
			t.Errorf("a reset connection gave %d %s", r.status, r.body)
		}
	}
	s = always("garbage")
	for i := range 30 {
		var whole struct {
			Choices []struct{ Message *struct{ Content string } }
		}
		r := s.ask("q", int64(i))
		if err := json.Unmarshal(r.body, &whole); err == nil && len(whole.Choices) > 0 && whole.Choices[0].Message != nil {
			t.Errorf("garbage is a completion: %s", r.body)
		}
	}
	if got := s.Stats(); got.Answered != 0 || got.Errors["garbage"] != 30 || got.BilledMicroUSD != 0 {
		t.Errorf("%+v", got)
	}
}

// A hang ends when the asker leaves, and so does a slow answer, unbilled.
func TestAskersWhoLeave(t *testing.T) {
	for kind, change := range map[string]func(*Config){
		"hang":      func(c *Config) { c.Hang = 1 },
		"abandoned": func(c *Config) { c.LatencyMS = 3_600_000 },
	} {
		s := serve(t, change, "")
		client := http.Client{Timeout: 100 * time.Millisecond}
		body := `{"messages":[{"role":"user","content":"q"}]}`
		if resp, err := client.Post(s.url+"/v1/chat/completions", "application/json", strings.NewReader(body)); err == nil {
			t.Fatalf("%s: answered %s", kind, resp.Status)
		}
		for s.Stats().InFlight > 0 { // until the handler has seen it
			time.Sleep(time.Millisecond)
		}
		if got := s.Stats(); got.Errors[kind] != 1 || got.Answered != 0 || got.BilledMicroUSD != 0 {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := serve(t, func(c *Config) { c.APIKey = "sk-1"; c.Models = []string{"only"} }, "")
	if r := s.ask("q", 0); r.status != 401 {
		t.Errorf("without a key: %d", r.status)
	}
	s.post("/config", `{"api_key":""}`)
	if r := s.ask("q", 0); r.status != 404 || !bytes.Contains(r.body, []byte("only")) {
		t.Errorf("unknown model: %d %s", r.status, r.body)
	}
	if r := s.post("/v1/chat/completions", `{`); r.status != 400 {
		t.Errorf("no JSON: %d", r.status)
	}
	if r := s.post("/config", `{"latency":5}`); r.status != 400 || !bytes.Contains(r.body, []byte("latency")) {
		t.Errorf("unknown field: %d %s", r.status, r.body)
	}
	if r := s.post("/config", `{"modes":{"ecco":0.1},"reset":2}`); r.status != 400 ||
		!bytes.Contains(r.body, []byte("ecco")) || !bytes.Contains(r.body, []byte("reset")) {
		t.Errorf("impossible values: %d %s", r.status, r.body)
	}
}

func TestConfigureChangesOnlyWhatIsNamed(t *testing.T) {
	s := serve(t, func(c *Config) { c.Models = []string{"a"}; c.Modes = map[string]float64{"echo": .5} }, "")
	s.post("/config", `{"latency_ms":3}`)
	if got := s.Config(); got.LatencyMS != 3 || got.Models[0] != "a" || got.Modes["echo"] != .5 {
		t.Errorf("%+v", got)
	}
	s.post("/config", `{"modes":{}}`)
	if got := s.Config(); len(got.Modes) != 0 || got.LatencyMS != 3 {
		t.Errorf("%+v", got)
	}
}

func TestLimit(t *testing.T) {
	s := serve(t, func(c *Config) { c.RPM = 5 }, "")
	limited := 0
	for i := range 8 {
		if r := s.ask("q", int64(i)); r.status == 429 {
			limited++
			if wait, err := strconv.Atoi(r.retryAfter); err != nil || wait < 1 || wait > 60 {
				t.Errorf("Retry-After %q", r.retryAfter)
			}
		}
	}
	if got := s.Stats(); limited != 3 || got.Errors["over_limit"] != 3 || got.MaxInMinute != 8 {
		t.Errorf("%d limited: %+v", limited, got)
	}
}

func TestWindow(t *testing.T) {
	var w window
	for i := range 5000 {
		w.add(int64(i) * int64(time.Second) / 10) // ten a second
	}
	if w.most != 600 {
		t.Errorf("most in a minute %d, want 600", w.most)
	}
	now := int64(4999) * int64(time.Second) / 10
	if free := w.free(now, 600); free != int64(time.Second)/10 {
		t.Errorf("free after %v, want 100ms", time.Duration(free))
	}
	if free := w.free(now, 601); free != 0 {
		t.Errorf("free after %v, want now", time.Duration(free))
	}
}

func TestJournalSurvivesTheTeacher(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	first := serve(t, func(c *Config) { c.Modes = map[string]float64{"echo": .5} }, path)
	for i := range 20 {
		first.ask("q", int64(i))
	}
	was := first.Stats()
	// A kill may cut the last line short.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("00ab\t1")
	f.Close()

	second := serve(t, nil, path)
	got := second.Stats()
	if got.Answered != 20 || got.BilledMicroUSD != was.BilledMicroUSD || got.PromptsAnswered != 20 || got.Modes["echo"] != was.Modes["echo"] {
		t.Errorf("after a restart %+v, was %+v", got, was)
	}
	second.ask("q", 3)
	second.ask("q", 99)
	if got := second.Stats(); got.Repeats != 1 || got.PaidAgain != 1 {
		t.Errorf("%+v", got)
	}
	third := serve(t, nil, path)
	if got := third.Stats(); got.Answered != 22 || got.PaidAgain != 1 {
		t.Errorf("%+v", got)
	}
}

func FuzzParseBill(f *testing.F) {
	f.Add("00000000000000ff\t1\t2\t3\techo\n")
	f.Add("x\t\t\t\t")
	f.Fuzz(func(t *testing.T, line string) { _, _ = parseBill(line) })
}

// FuzzConfigure: whatever is posted, the teacher has a valid configuration.
func FuzzConfigure(f *testing.F) {
	f.Add(`{"modes":{"echo":1e308},"pool":1e-300}`)
	f.Add(`{"min_words":9223372036854775807,"max_words":9223372036854775807}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := &Server{counts: newCounts()}
		if err := s.Configure(DefaultConfig()); err != nil {
			t.Fatal(err)
		}
		s.configure(httptest.NewRecorder(), httptest.NewRequest("POST", "/config", strings.NewReader(body)))
		cfg := s.Config()
		if err := cfg.validate(); err != nil {
			t.Fatal(err)
		}
	})
}
