package teacher

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/retort-data/retort/schema"
)

// Bounds of a batch (OpenAI, Batch API guide).
const (
	MaxBatchRequests = 50_000
	MaxBatchBytes    = 200 << 20
)

// BatchKey names a batch by what it is for. It stands in the batch's metadata, so that a batch whose creation
// was never heard of is found instead of bought again.
type BatchKey struct {
	Run  string
	Page schema.PageRef
	Part int // counts the page's batches: what one left is submitted again in the next
}

// Metadata keys; providers allow 16 of up to 64 characters.
const (
	metaRun  = "retort_run"
	metaPage = "retort_page"
	metaPart = "retort_part"
)

func (k BatchKey) metadata() map[string]any {
	return map[string]any{metaRun: k.Run, metaPage: k.Page.String(), metaPart: strconv.Itoa(k.Part)}
}

func (k BatchKey) matches(m map[string]any) bool {
	for name, want := range k.metadata() {
		if m[name] != want {
			return false
		}
	}
	return true
}

// BatchState is where a batch stands.
type BatchState struct {
	ID        string `json:"id"`
	Status    string `json:"status"` // in the provider's words
	Phase     string `json:"phase"`
	Total     int    `json:"total"`
	Completed int    `json:"completed"`
	Failed    int    `json:"failed"`
	Output    string `json:"output,omitempty"` // file ids
	Errors    string `json:"errors,omitempty"`
	Why       string `json:"-"`                    // why a batch failed as a whole; a provider's words
	CreatedAt int64  `json:"created_at,omitempty"` // unix seconds
	ExpiresAt int64  `json:"expires_at,omitempty"`
}

func (c *Client) batchState(b openai.Batch) BatchState {
	s := BatchState{
		ID: b.ID, Status: b.Status, Phase: batchPhase(b.Status), CreatedAt: int64(b.CreatedAt),
		Total: b.RequestCounts.Total, Completed: b.RequestCounts.Completed, Failed: b.RequestCounts.Failed,
		Output: value(b.OutputFileID), Errors: value(b.ErrorFileID), ExpiresAt: int64(value(b.ExpiresAt)),
	}
	if b.Errors != nil && len(b.Errors.Data) > 0 {
		s.Why = redact(b.Errors.Data[0].Code+" "+b.Errors.Data[0].Message, c.options.Key)
	}
	return s
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func batchPhase(status string) string {
	switch status {
	case "completed", "expired", "cancelled", "failed":
		return schema.BatchDone
	case "finalizing", "cancelling":
		return schema.BatchFinalizing
	case "in_progress":
		return schema.BatchRunning
	}
	return schema.BatchQueued
}

// batchLine returns a request's line of a batch's file, without a line break.
func (c *Client) batchLine(a *Ask) ([]byte, error) {
	line, err := json.Marshal(openai.BatchChatCompletionRequest{
		CustomID: a.RequestID, Method: "POST", URL: openai.BatchEndpointChatCompletions,
		Body: c.chatRequest(a, a.Messages, c.dialect()),
	})
	if err == nil && needsZeros(a, a.Messages) {
		line = writeZeros(line)
	}
	return line, err
}

// CutBatches cuts requests, in order, into batches within the provider's bounds.
func (c *Client) CutBatches(asks []Ask) ([][]Ask, error) {
	requests, mb := c.teacher.Limits.BatchRequests, c.teacher.Limits.BatchMB
	fill(&requests, MaxBatchRequests)
	fill(&mb, MaxBatchBytes>>20)
	return c.cutBatches(asks, requests, mb<<20)
}

func (c *Client) cutBatches(asks []Ask, requests, size int) ([][]Ask, error) {
	var batches [][]Ask
	first, bytes := 0, 0
	for i := range asks {
		line, err := c.batchLine(&asks[i])
		if err != nil || len(line)+1 > size {
			return nil, c.batchError(schema.KindInvalid, CodeBadRequest, fmt.Sprintf("request %s doesn't fit into a batch", asks[i].RequestID))
		}
		if i > first && (i-first >= requests || bytes+len(line)+1 > size) {
			batches = append(batches, asks[first:i])
			first, bytes = i, 0
		}
		bytes += len(line) + 1
	}
	if first < len(asks) {
		batches = append(batches, asks[first:])
	}
	return batches, nil
}

func (c *Client) batchError(kind schema.Kind, code, what string) error {
	return &schema.Error{Kind: kind, Code: code, Op: "batch", Subject: c.teacher.Name, Cause: errors.New(what)}
}

// BatchWorstCase bounds the cost of a batch in micro-dollars; 0 where the price is unknown.
func (c *Client) BatchWorstCase(asks []Ask) int64 {
	var sum int64
	for i := range asks {
		sum = saturate(sum, c.batchWorst(&asks[i]))
	}
	return sum
}

func (c *Client) batchWorst(a *Ask) int64 {
	return AtBatchPrice(c.teacher.Price, WorstCase(c.teacher.Price, InputBound(a.Messages, a.Schema), int64(maxTokens(a.Sampling))))
}

// SubmitBatch returns the batch of that key, and creates it if there is none. It may be called again after any
// error and by two workers at once: of batches of one key the oldest counts, and the others are cancelled.
func (c *Client) SubmitBatch(ctx context.Context, key BatchKey, asks []Ask) (BatchState, error) {
	if found, ok, err := c.FindBatch(ctx, key); err != nil || ok {
		return found, err
	}
	file, err := c.uploadBatch(ctx, key, asks)
	if err != nil {
		return BatchState{}, err
	}
	for attempt := 1; ; attempt++ {
		created, f, err := c.createBatch(ctx, key, file)
		if f == nil && err == nil {
			return c.oldestBatch(ctx, key, created)
		}
		switch {
		case err != nil:
			return BatchState{}, err
		case ClassOf(f.code) != ClassRetry || attempt >= c.options.MaxAttempts:
			return BatchState{}, c.controlError(f)
		}
		if err := sleep(ctx, c.pause(attempt+2, f.wait)); err != nil { // time for a list to know the batch
			return BatchState{}, err
		}
		// The reply may have been lost, not the batch.
		if found, ok, err := c.FindBatch(ctx, key); err != nil || ok {
			return found, err
		}
	}
}

func (c *Client) uploadBatch(ctx context.Context, key BatchKey, asks []Ask) (fileID string, err error) {
	var buf bytes.Buffer
	for i := range asks {
		line, err := c.batchLine(&asks[i])
		if err != nil {
			return "", c.batchError(schema.KindFailed, CodeBadRequest, err.Error())
		}
		buf.Write(line)
		buf.WriteByte('\n')
	}
	if len(asks) > MaxBatchRequests || buf.Len() > MaxBatchBytes {
		return "", c.batchError(schema.KindInvalid, "batch_too_large", fmt.Sprintf("%d requests, %d bytes: more than a batch holds", len(asks), buf.Len()))
	}
	name := fmt.Sprintf("retort-%s-%s-%d.jsonl", key.Run, key.Page, key.Part)
	err = c.control(ctx, fileTime, func(ctx context.Context) error {
		file, err := c.api.CreateFileBytes(ctx, openai.FileBytesRequest{Name: name, Bytes: buf.Bytes(), Purpose: openai.PurposeBatch})
		fileID = file.ID
		return needID(err, file.ID)
	})
	return fileID, err
}

// createBatch makes one call: only its caller knows how to make another.
func (c *Client) createBatch(ctx context.Context, key BatchKey, file string) (BatchState, *fault, error) {
	var state BatchState
	f, err := c.controlOnce(ctx, c.timeout, func(ctx context.Context) error {
		b, err := c.api.CreateBatch(ctx, openai.CreateBatchRequest{
			InputFileID: file, Endpoint: openai.BatchEndpointChatCompletions, CompletionWindow: "24h", Metadata: key.metadata(),
		})
		state = c.batchState(b.Batch)
		return needID(err, b.ID)
	})
	return state, f, err
}

// oldestBatch settles a race: if another worker created a batch of the key before, this one is cancelled.
func (c *Client) oldestBatch(ctx context.Context, key BatchKey, own BatchState) (BatchState, error) {
	oldest, ok, err := c.FindBatch(ctx, key)
	if err != nil || !ok || oldest.ID == own.ID || !older(oldest, own) {
		return own, nil // the batch exists, whatever became of the look
	}
	if _, err := c.CancelBatch(ctx, own.ID); err != nil {
		return BatchState{}, err
	}
	return oldest, nil
}

func older(a, b BatchState) bool {
	if a.CreatedAt != b.CreatedAt {
		return a.CreatedAt < b.CreatedAt
	}
	return strings.Compare(a.ID, b.ID) < 0
}

// mostLists bounds the pages of a hundred batches that a search reads.
const mostLists = 200

// FindBatch looks for the oldest batch of a key among all of the account.
func (c *Client) FindBatch(ctx context.Context, key BatchKey) (found BatchState, ok bool, err error) {
	limit := 100
	var after *string
	for range mostLists {
		var list openai.ListBatchResponse
		err := c.control(ctx, c.timeout, func(ctx context.Context) (err error) {
			list, err = c.api.ListBatch(ctx, after, &limit)
			return err
		})
		if err != nil {
			return BatchState{}, false, err
		}
		for _, b := range list.Data {
			if s := c.batchState(b); key.matches(b.Metadata) && goodID(b.ID) && (!ok || older(s, found)) {
				found, ok = s, true
			}
		}
		if !list.HasMore || len(list.Data) == 0 {
			return found, ok, nil
		}
		last := list.Data[len(list.Data)-1].ID
		after = &last
	}
	return found, ok, nil
}

// PollBatch asks how far a batch is.
func (c *Client) PollBatch(ctx context.Context, id string) (BatchState, error) {
	return c.batchCall(ctx, id, func(ctx context.Context) (openai.BatchResponse, error) { return c.api.RetrieveBatch(ctx, id) })
}

// CancelBatch cancels a batch. What was answered until then can be fetched once it is done, and is paid for.
func (c *Client) CancelBatch(ctx context.Context, id string) (BatchState, error) {
	return c.batchCall(ctx, id, func(ctx context.Context) (openai.BatchResponse, error) { return c.api.CancelBatch(ctx, id) })
}

func (c *Client) batchCall(ctx context.Context, id string, call func(context.Context) (openai.BatchResponse, error)) (state BatchState, err error) {
	if !goodID(id) {
		return state, c.batchError(schema.KindFailed, CodeBadShape, fmt.Sprintf("%q is no id of a batch", shorten(id, 60)))
	}
	err = c.control(ctx, c.timeout, func(ctx context.Context) error {
		b, err := call(ctx)
		state = c.batchState(b.Batch)
		return needID(err, b.ID)
	})
	return state, err
}

// fileTime bounds the transfer of a batch's file.
const fileTime = time.Hour
