package teacher

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// exchange collects what go-openai hides of one call. It travels in the request's context.
type exchange struct {
	cancel    context.CancelFunc
	sent      atomic.Bool // a connection was had
	header    http.Header
	stream    bool // hand the body on as it comes: a file
	zeros     bool // write temperature 0 and empty contents, which go-openai leaves out
	reasoning string
	note      string // an error object in a 2xx body
	chat      bool   // a chat completion is asked for
	reply     *reply // the answer, where it was read already
}

type exchangeKey struct{}

// doer is the HTTP client under go-openai: it calls the RoundTripper directly, so no redirect is followed, and
// hands on only whole, bounded bodies of valid JSON. What else comes back is a *fault.
type doer struct {
	rt        http.RoundTripper
	userAgent string
	from      string
	maxBody   int64
	firstByte time.Duration
}

// maxErrorBody bounds what is read of a refusal.
const maxErrorBody = 64 << 10

// Do implements openai.HTTPDoer.
func (d *doer) Do(req *http.Request) (*http.Response, error) {
	x, _ := req.Context().Value(exchangeKey{}).(*exchange)
	if x == nil {
		x = &exchange{cancel: func() {}}
	}
	if err := d.prepare(req, x); err != nil {
		return nil, &fault{code: CodeBadRequest, detail: err.Error()}
	}
	var timer *time.Timer
	if d.firstByte > 0 {
		timer = time.AfterFunc(d.firstByte, x.cancel)
	}
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { x.sent.Store(true) }}
	ctx := req.Context()
	resp, err := d.rt.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if timer != nil {
		timer.Stop()
	}
	if err != nil {
		return nil, transportFault(ctx, err, x)
	}
	x.header = resp.Header
	x.sent.Store(true)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer resp.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // a broken body still has its status
		return nil, statusFault(resp.StatusCode, resp.Header, body, time.Now())
	}
	if x.stream {
		return resp, nil
	}
	return d.readAnswer(ctx, resp, x)
}

// prepare sets the headers that say who asks, and writes what go-openai's omitempty leaves out.
func (d *doer) prepare(req *http.Request, x *exchange) error {
	req.Header.Set("User-Agent", d.userAgent)
	if d.from != "" {
		req.Header.Set("From", d.from)
	}
	if !x.zeros || req.Body == nil {
		return nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	body = writeZeros(body)
	req.ContentLength = int64(len(body))
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return nil
}

// smallest is how math.SmallestNonzeroFloat32 is marshalled: the stand-in for a temperature of 0.
var smallest = []byte(`"temperature":1e-45`)

// writeZeros is safe on any JSON that encoding/json wrote: the patterns hold bare quotes, which no string does.
func writeZeros(body []byte) []byte {
	body = bytes.Replace(body, smallest, []byte(`"temperature":0`), 1)
	for _, role := range []string{"system", "user", "assistant"} {
		body = bytes.ReplaceAll(body, []byte(`{"role":"`+role+`"}`), []byte(`{"role":"`+role+`","content":""}`))
	}
	return body
}

// transportFault classifies an exchange that broke before its status line.
func transportFault(ctx context.Context, err error, x *exchange) *fault {
	f := &fault{detail: err.Error(), sent: x.sent.Load()}
	var netErr net.Error
	timedOut := ctx.Err() != nil || errors.As(err, &netErr) && netErr.Timeout()
	switch {
	case !x.sent.Load() && timedOut:
		f.code = CodeTimeoutConnect
	case !x.sent.Load():
		f.code = CodeConnect
	case timedOut:
		f.code = CodeTimeoutFirstByte
	default:
		f.code = CodeReset
	}
	return f
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBuffer is the largest buffer that goes back to the pool.
const keepBuffer = 1 << 20

// pooledBody gives its buffer back when go-openai closes it.
type pooledBody struct {
	bytes.Reader
	buf *bytes.Buffer
}

func (b *pooledBody) Close() error {
	if b.buf != nil {
		giveBack(b.buf)
		b.buf = nil
		b.Reset(nil)
	}
	return nil
}

func giveBack(buf *bytes.Buffer) {
	if buf.Cap() <= keepBuffer {
		buf.Reset()
		bodies.Put(buf)
	}
}

// readAnswer reads a 2xx body whole, checks it and puts the checked bytes in its place.
func (d *doer) readAnswer(ctx context.Context, resp *http.Response, x *exchange) (*http.Response, error) {
	defer resp.Body.Close()
	buf := bodies.Get().(*bytes.Buffer)
	_, err := buf.ReadFrom(io.LimitReader(resp.Body, d.maxBody+1))
	f := bodyFault(ctx, err, buf.Bytes(), d.maxBody, resp.Header)
	read := f == nil && x.chat && x.readPlain(buf.Bytes())
	if f == nil && !read {
		f = syntaxFault(buf.Bytes())
	}
	if f != nil {
		giveBack(buf)
		return nil, f
	}
	x.readHidden(buf.Bytes())
	body := &pooledBody{buf: buf}
	if read {
		body.Reader.Reset(nothing)
	} else {
		body.Reader.Reset(buf.Bytes())
	}
	resp.Body = body
	return resp, nil
}

// bodyFault returns why a body can't be handed to a JSON decoder, or nil; its syntax is another matter.
func bodyFault(ctx context.Context, readErr error, body []byte, limit int64, h http.Header) *fault {
	f := &fault{sent: true}
	contentType := strings.ToLower(strings.TrimSpace(strings.SplitN(h.Get("Content-Type"), ";", 2)[0]))
	start := bytes.TrimLeft(body, " \t\r\n\ufeff")
	switch {
	case readErr != nil && ctx.Err() != nil:
		f.code, f.detail = CodeTimeout, "the answer began but did not end in time"
	case readErr != nil:
		f.code, f.detail = CodeBodyTruncated, fmt.Sprintf("after %d bytes: %v", len(body), readErr)
	case int64(len(body)) > limit:
		f.code, f.detail = CodeBodyTooLarge, fmt.Sprintf("more than %d bytes", limit)
	case contentType == "text/html" || contentType == "application/xhtml+xml" || bytes.HasPrefix(start, []byte("<")):
		f.code, f.detail = CodeHTML, string(body[:min(len(body), 8*maxDetail)])
	case !jsonType(contentType) || h.Get("Content-Encoding") != "":
		f.code, f.detail = CodeBadContentType, fmt.Sprintf("%s %s", h.Get("Content-Type"), h.Get("Content-Encoding"))
	case !utf8.Valid(body):
		f.code, f.detail = CodeBadUTF8, "the answer is not UTF-8"
	default:
		return nil
	}
	return f
}

// jsonType accepts JSON in its kinds, and what careless servers send with JSON.
func jsonType(contentType string) bool {
	switch contentType {
	case "", "application/json", "text/json", "text/plain", "application/octet-stream":
		return true
	}
	return strings.HasSuffix(contentType, "+json")
}

// syntaxFault is that of a body that is no JSON, or ends early; nil where it is some.
func syntaxFault(body []byte) *fault {
	if json.Valid(body) {
		return nil
	}
	f := &fault{sent: true}
	var ignored json.RawMessage
	err := json.Unmarshal(body, &ignored)
	var syntax *json.SyntaxError
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if errors.As(err, &syntax) && syntax.Offset >= int64(len(body)) && len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') &&
		strings.Contains(syntax.Error(), "unexpected end") {
		f.code, f.detail = CodeBodyTruncated, fmt.Sprintf("JSON ends early, after %d bytes", len(body))
		return f
	}
	f.code, f.detail = CodeNotJSON, fmt.Sprintf("%v: %s", err, body[:min(len(body), 2*maxDetail)])
	return f
}

// readHidden takes from the body what go-openai's types lack: the field "reasoning", which vLLM and OpenRouter
// use for reasoning_content, and an error object in a 2xx answer.
func (x *exchange) readHidden(body []byte) {
	hasReasoning, hasError := bytes.Contains(body, []byte(`"reasoning"`)), bytes.Contains(body, []byte(`"error"`))
	if !hasReasoning && !hasError {
		return
	}
	var doc struct {
		Error   json.RawMessage `json:"error"`
		Choices []struct {
			Message struct {
				Reasoning any `json:"reasoning"`
			} `json:"message"`
		} `json:"choices"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return // go-openai's decoder will say so
	}
	if len(doc.Choices) > 0 {
		x.reasoning, _ = doc.Choices[0].Message.Reasoning.(string)
	}
	if len(doc.Error) > 0 && string(doc.Error) != "null" {
		x.note = parseProviderError(body).message
	}
}
