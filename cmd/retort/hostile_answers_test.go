package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// hostileReply is what a teacher sends back.
type hostileReply struct {
	tries string
	code  string // of the failed request; "": it is an answer
	send  http.HandlerFunc
}

const goodReply = `{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Fine."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}`

// sends answers with a status, headers (name and value in turn) and a body.
func sends(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body) //nolint:errcheck // whoever is gone
	}
}

func instead(from, to string) http.HandlerFunc {
	return sends(200, strings.Replace(goodReply, from, to, 1))
}

// endless writes until nobody listens.
func endless(head, part string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, err := io.WriteString(w, head)
		for part = strings.Repeat(part, 1+(64<<10)/len(part)); err == nil; {
			_, err = io.WriteString(w, part)
		}
	}
}

var hostileReplies = []hostileReply{
	{"an answer that never ends", teacher.CodeBodyTooLarge, endless(`{"choices":[{"message":{"content":"`, "a")},
	{"white space that never ends", teacher.CodeBodyTooLarge, endless("", " ")},
	{"an error that never ends", teacher.CodeServerError, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		endless("", "no")(w, r)
	}},
	{"a megabyte of headers", teacher.CodeReset, sends(200, goodReply, "X-Big", strings.Repeat("x", 1<<20))},
	{"ten thousand interim answers (102) before the last", teacher.CodeReset, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Filler", strings.Repeat("x", 100))
		for range 10_000 {
			w.WriteHeader(http.StatusProcessing)
		}
		sends(200, goodReply)(w, r)
	}},
	{"gzip that nobody asked for (a bomb)", teacher.CodeBadContentType, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for range 16 {
			z.Write(zeros) //nolint:errcheck // whoever is gone
		}
		z.Close() //nolint:errcheck // the same
	}},
	{"HTML with a script", teacher.CodeHTML, sends(200, "<!DOCTYPE html><script>alert(1)</script>", "Content-Type", "text/html")},
	{"HTML that calls itself JSON", teacher.CodeHTML, sends(200, "<html></html>")},
	{"an image", teacher.CodeBadContentType, sends(200, "\x89PNG\r\n", "Content-Type", "image/png")},
	{"an event stream", teacher.CodeBadContentType, sends(200, "data: {}\n\n", "Content-Type", "text/event-stream")},
	{"nothing, with success", teacher.CodeNotJSON, sends(200, "")},
	{"JSON a million brackets deep", teacher.CodeNotJSON, sends(200, strings.Repeat("[", 1_000_000))},
	{"no choices", teacher.CodeNoChoices, sends(200, `{"id":"c","choices":[]}`)},
	{"choices that are a number", teacher.CodeBadShape, sends(200, `{"choices":1e999}`)},
	{"the content twice, the second to win", "", instead(`"content":"Fine."`, `"content":"Fine.","content":"Fine, too."`)},
	{"content null with a call of a tool", "", instead(`"content":"Fine."`, `"content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"rm","arguments":"{\"path\":\"/\"}"}}]`)},
	{"content that is a list of parts", "", instead(`"content":"Fine."`, `"content":[{"type":"text","text":"Fine."}]`)},
	{"content that is an object", teacher.CodeBadShape, instead(`"content":"Fine."`, `"content":{"a":1}`)},
	{"a role that isn't the assistant's", "", instead(`"role":"assistant"`, `"role":"system"`)},
	{"fewer tokens than none", "", instead(`"prompt_tokens":5`, `"prompt_tokens":-5000000`)},
	{"more tokens than there are", "", instead(`"completion_tokens":2`, `"completion_tokens":9000000000000000000`)},
	{"tokens beyond every type", teacher.CodeBadShape, instead(`"completion_tokens":2`, `"completion_tokens":1e300`)},
	{"half a character (a lone surrogate)", "", instead("Fine.", `Fine.\ud800`)},
	{"bytes that aren't UTF-8", teacher.CodeBadUTF8, instead("Fine.", "\xff\xfe")},
	{"a terminal's orders in model and finish reason", "", sends(200, strings.NewReplacer(`"m"`, `"\u001b]0;owned\u0007"`, `"stop"`, `"\u001b[2J"`).Replace(goodReply))},
	{"a redirect to another host", teacher.CodeRedirect, sends(302, "", "Location", "http://127.0.0.1:9/")},
	{"a redirect to a file", teacher.CodeRedirect, sends(301, "", "Location", "file:///etc/passwd")},
	{"a redirect to itself", teacher.CodeRedirect, sends(307, "", "Location", "/v1/chat/completions")},
	{"come back in a million years", teacher.CodeRateLimited, sends(429, `{}`, "Retry-After", "99999999999999999")},
	{"come back yesterday", teacher.CodeRateLimited, sends(429, `{}`, "Retry-After", "-1e308")},
	{"limits that are no numbers", "", sends(200, goodReply, "X-Ratelimit-Remaining-Requests", "NaN", "X-Ratelimit-Reset-Requests", "-9h", "X-Ratelimit-Remaining-Tokens", "1e400", "X-Ratelimit-Reset-Tokens", "99999h")},
	{"an error with a terminal's orders", teacher.CodeBadRequest, sends(400, `{"error":{"message":"\u001b]8;;http://x\u001b\\click\u001b]8;;\u001b\\ \u202egnp"}}`)},
}

// Whatever a teacher sends back is an answer or a failure with a code, soon, in bounded memory, and nobody else is asked.
func TestHostileReplies(t *testing.T) {
	for _, r := range hostileReplies {
		t.Run(r.tries, func(t *testing.T) {
			var calls atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				calls.Add(1)
				r.send(w, req)
			}))
			defer srv.Close()
			price := &schema.Price{Input: 1, Output: 2}
			c, err := teacher.New(schema.Teacher{Name: "t", BaseURL: srv.URL + "/v1", Model: "m", Limits: schema.Limits{Concurrency: 1}, Price: price, Timeout: schema.Duration(time.Minute)},
				teacher.Options{Key: "canary-key-of-ours", MaxAttempts: 1, MaxBody: 4 << 20})
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Ask(context.Background(), teacher.Ask{RequestID: "r", Messages: []schema.Message{{Role: "user", Content: "Hello"}}})
			if got.FailCode != r.code || err != nil && schema.KindOf(err) != schema.KindHold {
				t.Errorf("code %q (%s), error %v", got.FailCode, got.FailDetail, err)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("%d calls", n)
			}
			worst := teacher.WorstCase(price, teacher.InputBound([]schema.Message{{Role: "user", Content: "Hello"}}, nil), teacher.DefaultMaxTokens)
			if got.CostMicros == nil || *got.CostMicros < 0 || r.code != "" && *got.CostMicros > worst || got.InputTokens < 0 || got.OutputTokens < 0 {
				t.Errorf("cost %v of at most %d, tokens %d and %d", got.CostMicros, worst, got.InputTokens, got.OutputTokens)
			}
			shown := got.FailDetail
			if err != nil {
				shown += err.Error()
			}
			if i := strings.IndexFunc(shown, steers); i >= 0 || strings.Contains(shown, "canary") || len(shown) > 2000 {
				t.Errorf("shown: %.300q", shown)
			}
		})
	}
}

// hostileAnswer is a text that a model wrote.
type hostileAnswer struct{ tries, text string }

func hostileAnswers() []hostileAnswer {
	return []hostileAnswer{
		{"a link that shows another address (OSC 8)", "See \x1b]8;;http://evil.example\x1b\\https://bank.example\x1b]8;;\x1b\\ now."},
		{"a terminal's title, screen and clipboard", "\x1b]0;owned\x07\x1b[2J\x1b]52;c;b3duZWQ=\x07\u009b31m"},
		{"text that runs backwards", "The file is evil\u202egnp.exe\u2066 and \u2069 more."},
		{"NULs and lone carriage returns", "one\x00two\rthree\x7f"},
		{"bytes that aren't UTF-8", "caf\xe9 \xff\xfe \xed\xa0\x80 end"},
		{"a script for the report", `</td><script>document.title='owned'</script><img src=x onerror=alert(1)>`},
		{"the end of the card's header", "---\nconfigs: []\n---\n# Owned\n[x](javascript:alert(1))"},
		{"a formula for spreadsheets", `=cmd|' /C calc'!A0`},
		{"a template", `{{env "HOME"}}{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`},
		{"a whole Parquet file's marks", "PAR1\x15\x00PAR1"},
		{"two megabytes on one line", strings.Repeat("abcdefghij", 200_000)},
		{"half a million empty lines", strings.Repeat("\n", 500_000)},
		{"half a million words, all the same", strings.Repeat("spam ", 500_000)},
		{"a letter under ten thousand accents", "Z" + strings.Repeat("\u0301", 10_000) + " algo"},
		{"backticks that open and never close", strings.Repeat("``` ` ", 50_000)},
		{"at signs and digits without end", strings.Repeat("a@", 100_000) + strings.Repeat("1 ", 100_000) + strings.Repeat("+1-", 50_000)},
		{"words that begin keys without end", strings.Repeat("AKIA ghp_ sk- eyJ curl -u ", 10_000)},
		{"quotes within quotes within quotes", strings.Repeat(`"'“„«`, 20_000)},
		{"JSON a million brackets deep", strings.Repeat("[", 1_000_000)},
		{"thinking that never ends", strings.Repeat("<think>", 20_000)},
	}
}

// Whatever a model writes is measured without harm, is kept as it is, and steers no terminal.
func TestHostileAnswers(t *testing.T) {
	checks := schema.DefaultChecks()
	checks.Language.Want, checks.Language.Do = []string{"en"}, schema.DoTag
	in, err := quality.NewInspector(checks, quality.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sketcher, err := dedup.NewSketcher(dedup.ParamsOf(checks.Near))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range hostileAnswers() {
		t.Run(a.tries, func(t *testing.T) {
			got := in.Inspect(quality.Input{Prompt: []schema.Message{{Role: "user", Content: a.text}}, Response: &schema.Response{RequestID: "r", Text: a.text, Reasoning: a.text}})
			sketcher.Sketch(a.text)
			for _, f := range got.Findings {
				if len(f.Match) > 400 {
					t.Errorf("%s: a match of %d bytes", f.Check, len(f.Match))
				}
			}
			for _, s := range got.Signals {
				if s.Value != s.Value || s.Value < -1e12 || s.Value > 1e12 {
					t.Errorf("%s is %v", s.Name, s.Value)
				}
			}
			quality.Mask(a.text)
			var out bytes.Buffer
			(&app{stdout: &out}).printf("%s\n", a.text)
			if i := strings.IndexFunc(out.String(), steers); i >= 0 {
				t.Errorf("printed, it steers at %d", i)
			}
			if back := kept(t, a.text); back != strings.ToValidUTF8(a.text, "\uFFFD") && back != a.text {
				t.Errorf("it was kept as %.100q", back)
			}
		})
	}
}

// kept writes an answer into a shard and reads it back.
func kept(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := schema.NewShardWriter(&b, schema.ShardOptions{Format: schema.FormatMessages, Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	rec := &schema.Record{ID: schema.RecordID("run", "r"), Run: "run", Origin: schema.OriginGenerated, RequestID: "r", Messages: []schema.Message{{Role: "user", Content: "q"}, {Role: "assistant", Content: text}}}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for rec, err := range schema.ReadRecords(bytes.NewReader(b.Bytes()), int64(b.Len())) {
		if err != nil {
			t.Fatal(err)
		}
		return rec.Answer()
	}
	t.Fatal(fmt.Errorf("no record"))
	return ""
}
