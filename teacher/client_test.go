package teacher

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
)

const testKey = "sk-test-0123456789abcdef"

func ptr[T any](v T) *T { return &v }

// completion is a chat completion with an answer and usage.
func completion(text string) string {
	content, _ := json.Marshal(text)
	return fmt.Sprintf(`{"id":"c1","object":"chat.completion","created":1,"model":"served-1","system_fingerprint":"fp1",
"choices":[{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":"stop"}],
"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}}`, content)
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func testTeacher(url string) schema.Teacher {
	return schema.Teacher{Name: "t", BaseURL: url + "/v1", Model: "m", Limits: schema.Limits{Concurrency: 64},
		Price: &schema.Price{Input: 1, Output: 2}, Timeout: schema.Duration(5 * time.Second)}
}

// newTest returns a client of a server with that handler, with backoffs of microseconds.
func newTest(t testing.TB, h http.HandlerFunc, change func(*schema.Teacher, *Options)) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	teach, o := testTeacher(srv.URL), Options{Key: testKey, Backoff: time.Microsecond, MostBackoff: time.Millisecond}
	if change != nil {
		change(&teach, &o)
	}
	c, err := New(teach, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func hello() Ask {
	return Ask{RequestID: "r1", Messages: []schema.Message{{Role: "user", Content: "Hello"}}, Seed: ptr(7)}
}

func TestAnswer(t *testing.T) {
	var got map[string]any
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer "+testKey {
			t.Errorf("path %s, authorization %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		if r.Header.Get("User-Agent") != "us/1" || r.Header.Get("From") != "a@example.net" {
			t.Errorf("user agent %q, from %q", r.Header.Get("User-Agent"), r.Header.Get("From"))
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		writeJSON(w, 200, completion("Hi there"))
	}, func(teach *schema.Teacher, _ *Options) { teach.UserAgent, teach.Contact = "us/1", "a@example.net" })
	a := hello()
	a.Messages = append(a.Messages, schema.Message{Role: "user"})
	a.Sampling = schema.Sampling{Temperature: ptr(0.0), TopP: ptr(0.95), MaxTokens: ptr(33), Stop: []string{"x"}}
	r, err := c.Ask(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	if r.Text != "Hi there" || r.RequestID != "r1" || r.Model != "served-1" || r.Fingerprint != "fp1" || r.FinishReason != "stop" ||
		r.InputTokens != 10 || r.CachedTokens != 4 || r.OutputTokens != 5 || r.Attempts != 1 || *r.CostMicros != 20 || r.Seed != 7 || r.Failed() {
		t.Errorf("response %+v", r)
	}
	if temp, ok := got["temperature"]; !ok || temp != 0.0 {
		t.Errorf("temperature sent: %v", temp)
	}
	if got["top_p"] != 0.95 || got["max_tokens"] != 33.0 || got["seed"] != 7.0 {
		t.Errorf("sent: %v", got)
	}
	if m := got["messages"].([]any)[1].(map[string]any); m["content"] != "" {
		t.Errorf("an empty content was left out: %v", m)
	}
}

func BenchmarkAsk(b *testing.B) {
	body := []byte(completion("The quick brown fox jumps over the lazy dog, and then some more words follow so that the answer has a length that is real."))
	c := newTest(b, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	}, nil)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r, err := c.Ask(context.Background(), hello()); err != nil || r.Failed() {
				b.Errorf("%v %s %s", err, r.FailCode, r.FailDetail)
			}
		}
	})
}
