package teacher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-data/retort/schema"
)

// script answers the n-th call by its n-th handler, and all later ones by the last.
func script(calls *atomic.Int64, handlers ...http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1))
		handlers[min(n, len(handlers))-1](w, r)
	}
}

func good(text string) http.HandlerFunc { return answer(200, "application/json", completion(text)) }

func limited(header, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(header, value)
		writeJSON(w, 429, `{"error":{"message":"slow down"}}`)
	}
}

func TestRetryAfterDelaysItsRequest(t *testing.T) {
	for _, r := range []struct {
		name    string
		handler http.HandlerFunc
		want    time.Duration
	}{
		{"seconds", limited("Retry-After", "30"), 30 * time.Second},
		{"date", func(w http.ResponseWriter, r *http.Request) {
			limited("Retry-After", time.Now().Add(40*time.Second).UTC().Format(http.TimeFormat))(w, r)
		}, 40 * time.Second},
		{"milliseconds", limited("Retry-After-Ms", "2500"), 2500 * time.Millisecond},
		{"on a 503", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "20")
			w.WriteHeader(503)
		}, 20 * time.Second},
	} {
		t.Run(r.name, func(t *testing.T) {
			var calls atomic.Int64
			inTime(t, script(&calls, r.handler, good("ok")), nil, func(t *testing.T, c *Client) {
				start := time.Now()
				got, err := c.Ask(t.Context(), hello())
				took := time.Since(start)
				if err != nil || got.Text != "ok" || got.Attempts != 2 || took < r.want || took > r.want+time.Second {
					t.Errorf("%v %+v after %v, want %v", err, got, took, r.want)
				}
			})
		})
	}
}

// Others go on while one request waits for its Retry-After.
func TestRetryAfterDelaysNobodyElse(t *testing.T) {
	var calls atomic.Int64
	inTime(t, script(&calls, limited("Retry-After", "60"), good("ok")), nil, func(t *testing.T, c *Client) {
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { c.Ask(t.Context(), hello()) })
		synctest.Wait()
		for range 10 {
			if r, err := c.Ask(t.Context(), hello()); err != nil || r.Failed() {
				t.Errorf("%v %+v", err, r)
			}
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("others waited %v", d)
		}
		wg.Wait()
	})
}

func TestAttemptsAndTimeAreBounded(t *testing.T) {
	busy := answer(500, "application/json", `{"error":{"message":"busy"}}`)
	t.Run("attempts", func(t *testing.T) {
		inTime(t, busy, func(_ *schema.Teacher, o *Options) { o.MaxAttempts = 5 }, func(t *testing.T, c *Client) {
			r, err := c.Ask(t.Context(), hello())
			if err != nil || r.FailCode != CodeServerError || r.Attempts != 5 || r.FailDetail != "HTTP 500: busy" {
				t.Errorf("%v %+v", err, r)
			}
			if s := c.Stats(); s.Sends != 5 || s.Retries[CodeServerError] != 4 || s.Failed != 1 {
				t.Errorf("stats %+v", s)
			}
		})
	})
	t.Run("time", func(t *testing.T) {
		inTime(t, limited("Retry-After", "100"), func(_ *schema.Teacher, o *Options) { o.MaxElapsed = 250 * time.Second }, func(t *testing.T, c *Client) {
			start := time.Now()
			r, err := c.Ask(t.Context(), hello())
			if took := time.Since(start); err != nil || r.FailCode != CodeRateLimited || r.Attempts != 3 || took > 250*time.Second {
				t.Errorf("%v %+v after %v", err, r, took)
			}
		})
	})
	t.Run("a wait longer than the bound is not begun", func(t *testing.T) {
		inTime(t, limited("Retry-After", "86400"), nil, func(t *testing.T, c *Client) {
			start := time.Now()
			r, err := c.Ask(t.Context(), hello())
			if took := time.Since(start); err != nil || r.FailCode != CodeRateLimited || r.Attempts != 1 || took > time.Second {
				t.Errorf("%v %+v after %v", err, r, took)
			}
		})
	})
}

func TestBackoffGrowsWithJitter(t *testing.T) {
	c := &Client{}
	c.options.fill()
	for n, want := range map[int]time.Duration{1: 500 * time.Millisecond, 3: 2 * time.Second, 7: 30 * time.Second, 50: 30 * time.Second} {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := c.pause(n, 0)
			if d < want/2 || d > want {
				t.Fatalf("pause(%d) = %v, want within half of %v", n, d, want)
			}
			seen[d] = true
		}
		if len(seen) < 50 {
			t.Errorf("pause(%d) took only %d values", n, len(seen))
		}
	}
}

// A teacher that is down for some minutes costs no request: the breaker waits, and its trials count for nobody.
func TestOutageFailsNobody(t *testing.T) {
	var down atomic.Bool
	var during atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			during.Add(1)
			writeJSON(w, 503, `{}`)
			return
		}
		writeJSON(w, 200, completion("ok"))
	}
	inTime(t, handler, nil, func(t *testing.T, c *Client) {
		down.Store(true)
		var wg sync.WaitGroup
		var failed atomic.Int64
		for range 64 {
			wg.Go(func() {
				if r, err := c.Ask(t.Context(), hello()); err != nil || r.Failed() {
					failed.Add(1)
				}
			})
		}
		time.Sleep(8 * time.Minute)
		if s := c.Limiter().State(); s.Phase == PhaseClosed || s.Reason != CodeServerError || time.Since(s.Since) < 7*time.Minute {
			t.Errorf("state %+v", s)
		}
		down.Store(false)
		wg.Wait()
		if n := failed.Load(); n != 0 {
			t.Errorf("%d requests failed", n)
		}
		if n := during.Load(); n > 64+30 {
			t.Errorf("%d calls while it was down", n)
		}
	})
}

func TestOutagePastItsBoundHolds(t *testing.T) {
	inTime(t, answer(503, "", ""), nil, func(t *testing.T, c *Client) {
		start := time.Now()
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				r, err := c.Ask(t.Context(), hello())
				var e *schema.Error
				if !errors.As(err, &e) || e.Kind != schema.KindHold || e.Code != CodeUnavailable || r.FailCode != CodeUnavailable {
					t.Errorf("%v %+v", err, r)
				}
			})
		}
		wg.Wait()
		if d := time.Since(start); d < 10*time.Minute || d > 11*time.Minute {
			t.Errorf("held after %v", d)
		}
	})
}

func TestCancelReturnsAtOnceAndIsCharged(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	inTime(t, hang, nil, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		budget := NewBudget(true, true)
		budget.AddLease(10000, 5)
		a := hello()
		a.Budget = budget
		r, err := c.Ask(ctx, a)
		if !errors.Is(err, context.DeadlineExceeded) || r.FailCode != CodeCancelled || *r.CostMicros != int64(worstHello) || budget.Spent() != int64(worstHello) {
			t.Errorf("%v %+v, spent %d", err, r, budget.Spent())
		}
		if s := c.Limiter().State(); s.InFlight != 0 {
			t.Errorf("state %+v", s)
		}
	})
}

// The faults of a bad day, 64 at once: everyone gets an answer, and the waits asked for bound the time.
func TestBadDay(t *testing.T) {
	rng, mu := rand.New(rand.NewPCG(1, 2)), sync.Mutex{}
	handler := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		mu.Lock()
		x := rng.Float64()
		mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		switch {
		case x < 0.05:
			limited("Retry-After", "1")(w, r)
		case x < 0.07:
			writeJSON(w, 500, `{}`)
		case x < 0.075:
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		case x < 0.08:
			writeJSON(w, 200, "garbage")
		case x < 0.082:
			<-r.Context().Done()
		default:
			writeJSON(w, 200, completion("ok"))
		}
	}
	inTime(t, handler, nil, func(t *testing.T, c *Client) {
		const measured = 19000
		var answers atomic.Int64
		var took time.Duration
		start := time.Now()
		todo := make(chan int, 20000)
		for i := range cap(todo) {
			todo <- i
		}
		close(todo)
		var wg sync.WaitGroup
		for range 512 { // a request that waits for its Retry-After keeps nobody from the 64 places
			wg.Go(func() {
				for range todo {
					if r, err := c.Ask(t.Context(), hello()); err != nil || r.Failed() {
						t.Errorf("%v %+v", err, r)
					}
					if answers.Add(1) == measured {
						took = time.Since(start)
					}
				}
			})
		}
		wg.Wait()
		// Calls of 20 ms, of which 8.2% fail and 0.2% hang for 5 s, over 64 at once. The last hangs aren't measured.
		sent := measured / 0.918
		ideal := time.Duration((sent*0.02 + 0.002*sent*5) / 64 * float64(time.Second))
		t.Logf("took %v, ideal %v: %.0f%%; share %v", took, ideal, 100*ideal.Seconds()/took.Seconds(), c.Limiter().State().Share)
		if ideal.Seconds()/took.Seconds() < 0.8 {
			t.Errorf("%v, ideal %v", took, ideal)
		}
	})
}

func TestThoughtsAndFormats(t *testing.T) {
	for _, r := range []struct{ name, message, text, reasoning string }{
		{"field", `{"content":"42","reasoning_content":"six by seven"}`, "42", "six by seven"},
		{"other field", `{"content":"42","reasoning":"six by seven"}`, "42", "six by seven"},
		{"tag", `{"content":"<think>\nsix by seven\n</think>\n\n42"}`, "42", "six by seven"},
		{"cut tag", `{"content":"<think>six by"}`, "", "six by"},
		{"tag within", `{"content":"Write <think>x</think>."}`, "Write <think>x</think>.", ""},
		{"refusal", `{"content":null,"refusal":"I can't"}`, "I can't", ""},
		{"null", `{"content":null}`, "", ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			c := newTest(t, answer(200, "application/json", `{"choices":[{"message":`+r.message+`,"finish_reason":"stop"}]}`), nil)
			a := hello()
			got, err := c.Ask(context.Background(), a)
			if err != nil || got.Text != r.text || got.Reasoning != r.reasoning || !got.UsageUnknown || *got.CostMicros != int64(worstHello) {
				t.Errorf("%v %+v", err, got)
			}
			a.Reasoning = "drop"
			if got, _ := c.Ask(context.Background(), a); got.Reasoning != "" || got.Text != r.text {
				t.Errorf("dropped: %+v", got)
			}
		})
	}
}

const answerSchema = `{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}`

func TestStructuredOutput(t *testing.T) {
	shape, err := CompileSchema([]byte(answerSchema))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var formats []string
	var last map[string]any
	record := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var body map[string]any
			json.NewDecoder(r.Body).Decode(&body)
			mu.Lock()
			defer mu.Unlock()
			format, _ := body["response_format"].(map[string]any)
			formats = append(formats, fmt.Sprint(format["type"]))
			last = body
			next(w, r)
		}
	}
	ask := func(c *Client, repair int) schema.Response {
		t.Helper()
		formats = nil
		a := hello()
		a.Schema, a.Repair = shape, repair
		r, err := c.Ask(context.Background(), a)
		if err != nil || r.Failed() {
			t.Fatalf("%v %+v", err, r)
		}
		return r
	}
	t.Run("json_schema", func(t *testing.T) {
		c := newTest(t, record(good("```json\n{\"n\": 3}\n```")), nil)
		if r := ask(c, 1); r.Text != `{"n": 3}` || r.SchemaFault != "" || fmt.Sprint(formats) != "[json_schema]" {
			t.Errorf("%+v %v", r, formats)
		}
		js := last["response_format"].(map[string]any)["json_schema"].(map[string]any)
		if js["strict"] != true || js["schema"].(map[string]any)["type"] != "object" {
			t.Errorf("sent %v", js)
		}
	})
	t.Run("fallback", func(t *testing.T) {
		var calls atomic.Int64
		refuse := answer(400, "application/json", `{"error":{"message":"response_format json_schema is not supported"}}`)
		c := newTest(t, record(script(&calls, refuse, good(`{"n":1}`))), nil)
		if r := ask(c, 1); r.SchemaFault != "" || fmt.Sprint(formats) != "[json_schema json_object]" || r.Attempts != 2 {
			t.Errorf("%+v %v", r, formats)
		}
		if m := last["messages"].([]any)[0].(map[string]any)["content"].(string); !strings.Contains(m, answerSchema) {
			t.Errorf("the prompt lacks the schema: %q", m)
		}
		if ask(c, 1); fmt.Sprint(formats) != "[json_object]" {
			t.Errorf("the next request asked %v", formats)
		}
	})
	t.Run("repair", func(t *testing.T) {
		var calls atomic.Int64
		c := newTest(t, record(script(&calls, good(`{"n":"three"}`), good(`{"n":3}`))), nil)
		r := ask(c, 1)
		if r.Text != `{"n":3}` || r.SchemaFault != "" || r.Attempts != 2 || r.InputTokens != 20 || *r.CostMicros != 40 || c.Stats().Repairs != 1 {
			t.Errorf("%+v", r)
		}
		if m := last["messages"].([]any); len(m) != 3 || m[1].(map[string]any)["content"] != `{"n":"three"}` {
			t.Errorf("sent %v", m)
		}
	})
	t.Run("repair is limited", func(t *testing.T) {
		c := newTest(t, record(good(`{}`)), nil)
		if r := ask(c, 2); r.SchemaFault == "" || r.Attempts != 3 || r.Text != "{}" {
			t.Errorf("%+v", r)
		}
		if r := ask(c, 0); r.SchemaFault == "" || r.Attempts != 1 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a failed repair leaves the answer", func(t *testing.T) {
		var calls atomic.Int64
		c := newTest(t, record(script(&calls, good(`[]`), answer(400, "", "no"))), nil)
		if r := ask(c, 1); r.SchemaFault == "" || r.Text != "[]" || r.Attempts != 2 {
			t.Errorf("%+v", r)
		}
	})
}

func TestMaxCompletionTokens(t *testing.T) {
	var calls atomic.Int64
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		json.NewDecoder(r.Body).Decode(&body)
		calls.Add(1)
		if body["max_tokens"] != nil {
			writeJSON(w, 400, `{"error":{"message":"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.","code":"unsupported_parameter"}}`)
			return
		}
		if body["max_completion_tokens"] != float64(DefaultMaxTokens) {
			t.Errorf("sent %v", body)
		}
		writeJSON(w, 200, completion("ok"))
	}, nil)
	var wg sync.WaitGroup
	for range 16 { // all at once: each learns it for itself or from another
		wg.Go(func() {
			if r, err := c.Ask(context.Background(), hello()); err != nil || r.Text != "ok" {
				t.Errorf("%v %+v", err, r)
			}
		})
	}
	wg.Wait()
	before := calls.Load()
	if r, err := c.Ask(context.Background(), hello()); err != nil || r.Text != "ok" || calls.Load() != before+1 {
		t.Errorf("%v %+v, %d calls", err, r, calls.Load()-before)
	}
}

// What go-openai itself refuses for a model is a fault of recipe or configuration: nothing is sent, all stop.
func TestUnsupportedParameters(t *testing.T) {
	c := newTest(t, func(http.ResponseWriter, *http.Request) { t.Error("a call was made") },
		func(teach *schema.Teacher, _ *Options) { teach.Model = "o3-mini" })
	a := hello()
	a.Sampling.Temperature = ptr(0.7)
	r, err := c.Ask(context.Background(), a)
	if schema.KindOf(err) != schema.KindHold || r.FailCode != CodeUnsupported || *r.CostMicros != 0 || c.Stats().Sends != 0 {
		t.Errorf("%v %+v", err, r)
	}
}

// Two clients of one limiter, such as before and after a change of key, keep one limit.
func TestSharedLimiter(t *testing.T) {
	var busy, most atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), busy.Add(1)))
		time.Sleep(time.Second)
		busy.Add(-1)
		writeJSON(w, 200, completion("ok"))
	}
	limiter := (*Limiter)(nil)
	inTime(t, handler, func(_ *schema.Teacher, o *Options) {
		limiter = NewLimiter("t", 0)
		limiter.SetLease(Rate{Concurrency: 3}, time.Time{})
		o.Limiter = limiter
	}, func(t *testing.T, one *Client) {
		two, err := New(one.Teacher(), Options{Transport: one.options.Transport, Limiter: limiter})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { []*Client{one, two}[i%2].Ask(t.Context(), hello()) })
		}
		wg.Wait()
		if most.Load() != 3 {
			t.Errorf("%d at once, want 3", most.Load())
		}
	})
}

func TestUnknownPrice(t *testing.T) {
	c := newTest(t, good("ok"), func(teach *schema.Teacher, _ *Options) { teach.Price = nil })
	if r, err := c.Ask(context.Background(), hello()); err != nil || r.CostMicros != nil {
		t.Errorf("%v, cost %v: an unknown price is unknown", err, r.CostMicros)
	}
}

func TestPing(t *testing.T) {
	serve := func(models string, chat http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/v1/models" && models != "":
				writeJSON(w, 200, models)
			case r.URL.Path == "/v1/models":
				writeJSON(w, 404, `{}`)
			default:
				chat(w, r)
			}
		}
	}
	for _, r := range []struct {
		name          string
		handler       http.HandlerFunc
		listed, asked bool
		code          string
	}{
		{"listed", serve(`{"data":[{"id":"m"}]}`, good("x")), true, false, ""},
		{"any name", serve(`{"data":[{"id":"other"}]}`, good("x")), false, true, ""},
		{"no list", serve("", good("x")), false, true, ""},
		{"no model", serve(`{"data":[{"id":"other"}]}`, answer(404, "", "no such model")), false, true, CodeModelNotFound},
		{"bad key", answer(401, "application/json", `{"error":{"message":"bad `+testKey+`"}}`), false, false, CodeUnauthorized},
	} {
		t.Run(r.name, func(t *testing.T) {
			c := newTest(t, r.handler, nil)
			pong, err := c.Ping(context.Background())
			var e *schema.Error
			errors.As(err, &e)
			if (r.code == "") != (err == nil) || e != nil && e.Code != r.code || pong.Listed != r.listed || pong.Asked != r.asked {
				t.Errorf("%+v %v", pong, err)
			}
			if err != nil && strings.Contains(err.Error(), testKey) {
				t.Errorf("the error holds the key: %v", err)
			}
		})
	}
}

func TestNewRefusesBadTeachers(t *testing.T) {
	for _, r := range []struct{ url, key string }{
		{"", "k"}, {"llm.example.net/v1", "k"}, {"ftp://llm.example.net", "k"}, {"http://u:p@llm.example.net", "k"},
		{"https://llm.example.net/v1", "k\r\nX: y"}, {"https://llm.example.net/v1", " k"},
	} {
		teach := testTeacher("")
		teach.BaseURL = r.url
		if _, err := New(teach, Options{Key: r.key}); schema.KindOf(err) != schema.KindInvalid {
			t.Errorf("%q: %v", r, err)
		}
	}
}
