package teacher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
)

// answer returns a handler that sends one fixed answer.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// hijacked hands the bare connection over, once the request was read.
func hijacked(f func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		f(conn)
		conn.Close()
	}
}

const worstHello = 32 + 16 + len("user") + len("Hello") + 2*DefaultMaxTokens // micro-dollars of hello() at its worst

// Each fault is told apart, classed, and charged: nothing for a refusal, the worst case where the teacher may
// have answered.
func TestFaults(t *testing.T) {
	const js = "application/json"
	paid, free := int64(worstHello), int64(0)
	for _, f := range []struct {
		name    string
		handler http.HandlerFunc
		code    string
		cost    int64
	}{
		{"reset", hijacked(func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }), CodeReset, paid},
		{"closed", hijacked(func(net.Conn) {}), CodeReset, paid},
		{"no HTTP", hijacked(func(c net.Conn) { io.WriteString(c, "SSH-2.0-x\r\n\r\n") }), CodeReset, paid},
		{"short body", hijacked(func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"id\":\"c\",")
		}), CodeBodyTruncated, paid},
		{"reset within the body", hijacked(func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"id\":")
			c.(*net.TCPConn).SetLinger(0)
		}), CodeBodyTruncated, paid},
		{"short JSON", answer(200, js, completion("x")[:80]), CodeBodyTruncated, paid},
		{"empty body", answer(200, js, ""), CodeNotJSON, paid},
		{"garbage", answer(200, js, "upstream connect error"), CodeNotJSON, paid},
		{"HTML with status 200", answer(200, "text/html; charset=utf-8", "<!DOCTYPE html><title>Sign in</title>"), CodeHTML, paid},
		{"HTML as JSON", answer(200, js, "\n <html><body>Oops</body></html>"), CodeHTML, paid},
		{"event stream", answer(200, "text/event-stream", "data: {}\n\n"), CodeBadContentType, paid},
		{"invalid UTF-8", answer(200, js, strings.Replace(completion("QQ"), "QQ", "a\xff\xfeb", 1)), CodeBadUTF8, paid},
		{"too large", answer(200, js, completion(strings.Repeat("x", 5000))), CodeBodyTooLarge, paid},
		{"no choices", answer(200, js, `{"id":"c","choices":[]}`), CodeNoChoices, paid},
		{"error with status 200", answer(200, js, `{"error":{"message":"overloaded","code":502}}`), CodeNoChoices, paid},
		{"other JSON", answer(200, js, `["a"]`), CodeBadShape, paid},
		{"choices of another kind", answer(200, js, `{"choices":"none"}`), CodeBadShape, paid},
		{"null", answer(200, js, `null`), CodeNoChoices, paid},
		{"400", answer(400, js, `{"error":{"message":"bad","type":"invalid_request_error"}}`), CodeBadRequest, free},
		{"422", answer(422, js, `{"detail":[{"msg":"bad"}]}`), CodeBadRequest, free},
		{"context", answer(400, js, `{"error":{"message":"This model's maximum context length is 8192 tokens","code":"context_length_exceeded"}}`), CodeContextLength, free},
		{"llama.cpp context", answer(400, js, `{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}`), CodeContextLength, free},
		{"filter", answer(400, js, `{"error":{"message":"filtered","code":"content_filter"}}`), CodeContentFiltered, free},
		{"401", answer(401, js, `{"error":{"message":"Incorrect API key"}}`), CodeUnauthorized, free},
		{"402", answer(402, js, `{"error":{"message":"Insufficient Balance"}}`), CodePayment, free},
		{"403", answer(403, "text/html", `<h1>Forbidden</h1>`), CodeForbidden, free},
		{"404", answer(404, js, `{"error":{"message":"The model m does not exist","code":"model_not_found"}}`), CodeModelNotFound, free},
		{"quota", answer(429, js, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota"}}`), CodePayment, free},
		{"a prompt about suspension", answer(400, js, `{"error":{"message":"bad input: 'my account has been suspended, insufficient_quota'"}}`), CodeBadRequest, free},
		{"model by code", answer(400, js, `{"error":{"message":"no such model","code":"model_not_found"}}`), CodeModelNotFound, free},
		{"suspended", answer(403, js, `{"error":{"message":"Your account has been suspended"}}`), CodeSuspended, free},
		{"408", answer(408, js, `{}`), CodeRequestTimeout, paid},
		{"409", answer(409, js, `{}`), CodeConflict, free},
		{"429", answer(429, js, `{"error":{"message":"slow down"}}`), CodeRateLimited, free},
		{"500", answer(500, js, `{"error":"internal"}`), CodeServerError, free},
		{"503 while loading", answer(503, js, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`), CodeServerError, free},
		{"502 page", answer(502, "text/html", "<html>Bad gateway</html>"), CodeServerError, free},
		{"504", answer(504, "text/html", "<html>Gateway timeout</html>"), CodeGatewayTimeout, paid},
	} {
		t.Run(f.name, func(t *testing.T) {
			c := newTest(t, f.handler, func(_ *schema.Teacher, o *Options) { o.MaxAttempts, o.MaxBody = 1, 4096 })
			r, err := c.Ask(context.Background(), hello())
			if r.FailCode != f.code {
				t.Errorf("code %q (%s), want %q", r.FailCode, r.FailDetail, f.code)
			}
			if *r.CostMicros != f.cost {
				t.Errorf("charged %d, want %d", *r.CostMicros, f.cost)
			}
			var hold *schema.Error
			blocks := ClassOf(f.code) == ClassBlock
			if blocks != (errors.As(err, &hold) && hold.Kind == schema.KindHold && hold.Code == CodeBlocked) || !blocks && err != nil {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestRefusedConnection(t *testing.T) {
	srv := httptest.NewServer(nil)
	url := srv.URL
	srv.Close()
	c, err := New(testTeacher(url), Options{MaxAttempts: 2, Backoff: time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Ask(context.Background(), hello())
	if err != nil || r.FailCode != CodeConnect || *r.CostMicros != 0 || r.Attempts != 2 || c.Stats().Sends != 0 {
		t.Errorf("%v %+v, stats %+v", err, r, c.Stats())
	}
}

func TestTimeouts(t *testing.T) {
	once := func(_ *schema.Teacher, o *Options) { o.MaxAttempts = 1 }
	expect := func(code string, after time.Duration, cost int64) func(*testing.T, *Client) {
		return func(t *testing.T, c *Client) {
			start := time.Now()
			r, err := c.Ask(t.Context(), hello())
			if err != nil || r.FailCode != code || time.Since(start) != after || *r.CostMicros != cost {
				t.Errorf("%v, %s (%s) after %v, charged %d", err, r.FailCode, r.FailDetail, time.Since(start), *r.CostMicros)
			}
		}
	}
	hang := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // the server notices a lost client only after the body
		<-r.Context().Done()
	}
	t.Run("first byte", func(t *testing.T) {
		inTime(t, hang, once, expect(CodeTimeoutFirstByte, 5*time.Second, int64(worstHello)))
	})
	t.Run("first byte, shorter", func(t *testing.T) {
		inTime(t, hang, func(_ *schema.Teacher, o *Options) { o.MaxAttempts, o.FirstByte = 1, 2*time.Second },
			expect(CodeTimeoutFirstByte, 2*time.Second, int64(worstHello)))
	})
	t.Run("whole", func(t *testing.T) {
		inTime(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for i := 0; r.Context().Err() == nil; i++ {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(time.Second)
			}
		}, func(_ *schema.Teacher, o *Options) { o.MaxAttempts, o.FirstByte = 1, 2*time.Second }, expect(CodeTimeout, 5*time.Second, int64(worstHello)))
	})
	t.Run("connect", func(t *testing.T) {
		inTime(t, hang, func(_ *schema.Teacher, o *Options) {
			once(nil, o)
			o.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}, expect(CodeTimeoutConnect, 5*time.Second, 0))
	})
}

// A redirect is refused: neither the key nor anything else reaches where it points.
func TestRedirectKeepsTheKeyHome(t *testing.T) {
	var reached atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/v1/chat/completions", status)
		}, nil)
		r, err := c.Ask(context.Background(), hello())
		if schema.KindOf(err) != schema.KindHold || r.FailCode != CodeRedirect || r.Attempts != 1 {
			t.Errorf("%d: %v, %+v", status, err, r)
		}
		if _, err := c.Ping(context.Background()); err == nil {
			t.Errorf("%d: ping succeeded", status)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
}

func TestNoErrorHoldsTheKey(t *testing.T) {
	for _, body := range []string{
		`{"error":{"message":"Incorrect API key provided: ` + testKey + `. Header was Bearer ` + testKey + `"}}`,
		`{"error":{"message":"Authorization: Bearer   other-secret-token"}}`,
		`{"error":{"message":"sent: \"Authorization\": \"Bearer other-secret-token\""}}`,
		"<html>" + testKey + "</html>",
		`{"error":{"message":"sk-test-01\u0000234567\u001b89abcdef"}}`,
		`{"error":{"message":"key sk-other-secret-token-of-ours"}}`,
		strings.Repeat("x", 290) + testKey,
	} {
		for _, status := range []int{200, 400, 401, 500} {
			c := newTest(t, answer(status, "", body), func(_ *schema.Teacher, o *Options) { o.MaxAttempts = 1 })
			r, err := c.Ask(context.Background(), hello())
			text := r.FailDetail
			if err != nil {
				text += err.Error()
			}
			if strings.Contains(text, "0123456789") || strings.Contains(text, "0123456") || strings.Contains(text, "other-secret") {
				t.Errorf("%d: %q", status, text)
			}
			if len(r.FailDetail) > maxDetail || strings.ContainsAny(r.FailDetail, "\x00\x1b\n") {
				t.Errorf("detail of %d bytes: %q", len(r.FailDetail), r.FailDetail)
			}
		}
	}
}

// After a block nobody asks again, until a person resets it.
func TestBlockStopsAllAsking(t *testing.T) {
	var calls atomic.Int64
	var mended atomic.Bool
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if mended.Load() {
			writeJSON(w, 200, completion("ok"))
			return
		}
		writeJSON(w, 401, `{"error":{"message":"no"}}`)
	}, func(teach *schema.Teacher, _ *Options) { teach.Limits.Concurrency = 2; teach.APIKeyEnv = "K" })
	errs := make(chan error, 50)
	for range cap(errs) {
		go func() {
			r, err := c.Ask(context.Background(), hello())
			if !r.Failed() {
				err = errors.New("answered")
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		var e *schema.Error
		if err := <-errs; !errors.As(err, &e) || e.Code != CodeBlocked {
			t.Errorf("got %v", err)
		}
	}
	if n := calls.Load(); n > 2 {
		t.Errorf("%d calls, want no more than were under way", n)
	}
	if s := c.Limiter().State(); s.Phase != PhaseBlocked || s.Reason != CodeUnauthorized {
		t.Errorf("state %+v", s)
	}
	mended.Store(true)
	c.Limiter().Reset()
	if r, err := c.Ask(context.Background(), hello()); err != nil || r.Text != "ok" {
		t.Errorf("after the reset: %v %+v", err, r)
	}
}

// FuzzAnswer feeds any body with any status: Ask never panics, always says how it ended, and hands on only
// valid UTF-8 within bounds.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{completion("hi"), completion("<think>a</think>{}"), `{"choices":[{"message":{"content":null,"reasoning":"r"}}]}`,
		`{"choices":[{"message":{"content":[{"type":"text","text":"a"}]}}],"usage":{"prompt_tokens":-1}}`, "<html>", `{"error":"x"}`,
		`{"error":{"message":["a","b"],"code":5}}`, `{"error":null,"choices":null}`, `{"usage":{"prompt_tokens":9223372036854775807,"completion_tokens":1},"choices":[{}]}`,
		`{"choices":[{"message":{"content":"{\"a\":1e999999999}"}}]}`, "\xef\xbb\xbf{}", "", "null", "[]", `{"choices":[null]}`} {
		for _, status := range []int{200, 400, 429} {
			f.Add(status, "application/json", s)
		}
	}
	shape, err := CompileSchema([]byte(`{"type":"object","properties":{"a":{"type":"integer","multipleOf":0.5}}}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		if status < 100 || status > 599 || strings.ContainsAny(contentType, "\r\n") {
			t.Skip()
		}
		fixed := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}, "Retry-After": {contentType}, "X-Ratelimit-Remaining-Tokens": {contentType}},
				Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})
		teach := testTeacher("http://x.test")
		c, err := New(teach, Options{Key: testKey, Transport: fixed, MaxAttempts: 1, MaxBody: 1 << 16})
		if err != nil {
			t.Fatal(err)
		}
		a := hello()
		a.Schema = shape
		r, err := c.Ask(context.Background(), a)
		if err != nil && (schema.KindOf(err) != schema.KindHold || ClassOf(r.FailCode) != ClassBlock) {
			t.Errorf("error %v with %q", err, r.FailCode)
		}
		if r.FailCode == "" && (status < 200 || status > 299) {
			t.Errorf("an answer with status %d", status)
		}
		if *r.CostMicros < 0 || r.InputTokens < 0 || r.OutputTokens < 0 || len(r.FailDetail) > maxDetail || strings.Contains(r.FailDetail, testKey) {
			t.Errorf("%+v", r)
		}
		if s := c.Limiter().State(); s.InFlight != 0 {
			t.Errorf("a turn was kept: %+v", s)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	io.Copy(io.Discard, r.Body)
	return f(r)
}

func TestWriteZeros(t *testing.T) {
	in := []byte(`{"messages":[{"role":"user","content":"\"temperature\":1e-45 {\"role\":\"user\"}"}],"temperature":1e-45}`)
	want := []byte(`{"messages":[{"role":"user","content":"\"temperature\":1e-45 {\"role\":\"user\"}"}],"temperature":0}`)
	if got := writeZeros(in); !bytes.Equal(got, want) {
		t.Errorf("got %s", got)
	}
}

// A teacher that says its key back, in a good answer too, brings it into no response.
func TestNoAnswerHoldsTheKey(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, 200, strings.NewReplacer("served-1", r.Header.Get("Authorization"), "fp1", testKey, `"stop"`, `"stop `+testKey+`"`).Replace(completion("<think>"+testKey+"</think>You sent "+testKey+" to me.")))
	}, nil)
	r, err := c.Ask(context.Background(), hello())
	if err != nil || r.Failed() {
		t.Fatal(r.FailCode, err)
	}
	if got := fmt.Sprintf("%+v", r); strings.Contains(got, testKey) || r.Text != "You sent [key] to me." || r.Reasoning != "[key]" {
		t.Errorf("%q", got)
	}
}
