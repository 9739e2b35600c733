package teacher

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	openai "github.com/sashabaranov/go-openai"

	"github.com/retort-data/retort/schema"
)

// BatchResult is what a batch that is done brought.
type BatchResult struct {
	Answered int
	Failed   int       // for good: their responses were handed on too
	Missing  []Missing // without a final answer, in the order of the requests: to be submitted again
	Doubled  int       // lines for a request that had its line already; the first counts
	Unknown  int       // lines for no request of the batch
	Broken   int       // lines that are no JSON
}

// Missing is a request that a batch left without a final answer.
type Missing struct {
	RequestID string
	Code      string // of its fault; "" where the batch has no line for it
	Detail    string // for people, shortened
}

// batchReply is a line of an output or error file.
type batchReply struct {
	CustomID string `json:"custom_id"`
	Response *struct {
		Status int             `json:"status_code"`
		Body   json.RawMessage `json:"body"`
	} `json:"response"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// FetchBatch reads the files of a batch that is done, joins their lines with the requests by custom_id alone, and
// hands each final response to emit. After an error the whole fetch may be repeated.
func (c *Client) FetchBatch(ctx context.Context, s BatchState, asks []Ask, emit func(schema.Response) error) (BatchResult, error) {
	j := &join{client: c, emit: emit, open: make(map[string]*Ask, len(asks)), known: make(map[string]bool, len(asks)), faults: map[string]*fault{}}
	for i := range asks {
		j.open[asks[i].RequestID] = &asks[i]
		j.known[asks[i].RequestID] = true
	}
	for _, file := range []string{s.Output, s.Errors} {
		if file == "" {
			continue
		}
		if err := c.eachLine(ctx, file, j.line); err != nil {
			return j.result, err
		}
	}
	for i := range asks {
		id := asks[i].RequestID
		if j.open[id] == nil {
			continue
		}
		m := Missing{RequestID: id}
		if f := j.faults[id]; f != nil {
			m.Code, m.Detail = f.code, redact(f.detail, c.options.Key)
		}
		j.result.Missing = append(j.result.Missing, m)
	}
	return j.result, nil
}

// eachLine streams a file. It isn't retried in itself: lines were handed on.
func (c *Client) eachLine(ctx context.Context, file string, line func([]byte) error) error {
	if !goodID(file) {
		return c.batchError(schema.KindFailed, CodeBadShape, fmt.Sprintf("%q is no id of a file", shorten(file, 60)))
	}
	var emitted error
	f, err := c.controlOnce(ctx, fileTime, func(ctx context.Context) error {
		ctx.Value(exchangeKey{}).(*exchange).stream = true
		content, err := c.api.GetFileContent(ctx, file)
		if err != nil {
			return err
		}
		defer content.Close()
		emitted, err = c.scan(content, line)
		return err
	})
	switch {
	case emitted != nil:
		return emitted
	case err != nil:
		return err
	case f != nil:
		return c.controlError(f)
	}
	return nil
}

// scan returns the error of line apart from that of reading.
func (c *Client) scan(r io.Reader, line func([]byte) error) (emitted, read error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), int(min(c.options.MaxBody, 1<<30)))
	for lines.Scan() {
		if text := bytes.TrimSpace(lines.Bytes()); len(text) > 0 {
			if err := line(text); err != nil {
				return err, nil
			}
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &fault{code: CodeBodyTooLarge, detail: fmt.Sprintf("a line of more than %d bytes", c.options.MaxBody), sent: true}
	case err != nil:
		return nil, &fault{code: CodeBodyTruncated, detail: err.Error(), sent: true}
	}
	return nil, nil
}

// join is the state of a fetch.
type join struct {
	client *Client
	emit   func(schema.Response) error
	open   map[string]*Ask // without a final answer yet
	known  map[string]bool
	faults map[string]*fault // the newest of each open request
	result BatchResult
}

func (j *join) line(text []byte) error {
	var reply batchReply
	if !utf8.Valid(text) || json.Unmarshal(text, &reply) != nil {
		j.result.Broken++
		return nil
	}
	a := j.open[reply.CustomID]
	switch {
	case !j.known[reply.CustomID]:
		j.result.Unknown++
		return nil
	case a == nil:
		j.result.Doubled++
		return nil
	}
	r, f := j.client.batchResponse(a, &reply)
	if f != nil && (ClassOf(f.code) != ClassFail || f.format) {
		if f.format {
			format := j.client.format.Load()
			j.client.format.CompareAndSwap(format, min(format+1, formatNone))
		}
		j.faults[reply.CustomID] = f
		return nil
	}
	delete(j.open, reply.CustomID)
	if f != nil {
		j.result.Failed++
	} else {
		j.result.Answered++
	}
	return j.emit(r)
}

// batchResponse turns a line into a response, and a fault where there is no answer.
func (c *Client) batchResponse(a *Ask, reply *batchReply) (schema.Response, *fault) {
	k := &asking{client: c, ask: a}
	k.response = schema.Response{RequestID: a.RequestID, Attempts: 1, AnsweredAt: time.Now().UnixMilli(), Seed: value(a.Seed)}
	if c.teacher.Price != nil {
		k.response.CostMicros = new(int64)
	}
	f := k.readReply(reply)
	if f != nil {
		k.response.FailCode, k.response.FailDetail = f.code, redact(f.detail, c.options.Key)
	}
	return k.response, f
}

func (k *asking) readReply(reply *batchReply) *fault {
	switch {
	case reply.Response == nil && reply.Error == nil:
		return &fault{code: CodeBadShape, detail: "a line without a response and without an error"}
	case reply.Response == nil:
		return lineFault(reply.Error.Code, reply.Error.Message)
	case reply.Response.Status < 200 || reply.Response.Status > 299:
		return statusFault(reply.Response.Status, http.Header{}, reply.Response.Body, time.Now())
	}
	var completion openai.ChatCompletionResponse
	if err := json.Unmarshal(reply.Response.Body, &completion); err != nil {
		return &fault{code: CodeBadShape, detail: err.Error(), sent: true}
	}
	x := &exchange{cancel: func() {}}
	x.readHidden(reply.Response.Body)
	if len(completion.Choices) == 0 {
		return &fault{code: CodeNoChoices, detail: x.note, sent: true}
	}
	usage := k.accept(replyOf(&completion), x)
	k.response.UsageUnknown = !usage.known
	charged := int64(0)
	if price := k.client.teacher.Price; price != nil {
		charged = k.client.batchWorst(k.ask)
		if usage.known {
			charged = *Cost(price, usage.Usage, true)
		}
	}
	k.count(usage, charged, true)
	return nil
}

// lineFault classifies a line that has no HTTP status: the batch itself didn't come to the request, or refused it.
func lineFault(code, message string) *fault {
	f := &fault{code: CodeNotRun, detail: code + ": " + message}
	switch {
	case anyOf(code, "expired", "cancel"):
	case anyOf(code, "invalid", "content_policy"):
		f.code = CodeBadRequest
	default:
		f.code = CodeServerError
	}
	return f
}
