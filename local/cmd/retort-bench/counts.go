package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/local/stack"
)

// counts are what servers were asked and keep, whatever the machine's speed.
type counts struct {
	Events       int64            `json:"temporal_events"`
	EventsOf     map[string]int64 `json:"temporal_events_of"` // by workflow type
	Executions   int64            `json:"temporal_executions"`
	HistoryBytes int64            `json:"temporal_history_bytes"`
	DatabaseMB   float64          `json:"temporal_database_mb"`
	S3           map[string]int64 `json:"s3_requests"` // by HTTP method
	S3Requests   int64            `json:"s3_requests_total"`
	S3In         int64            `json:"s3_bytes_in"`
	S3Out        int64            `json:"s3_bytes_out"`

	EventsPer1000   float64 `json:"temporal_events_per_1000"`
	RequestsPer1000 float64 `json:"s3_requests_per_1000"`
	S3BytesPer      float64 `json:"s3_bytes_in_per_prompt"`
}

// count asks Temporal for the length of every history, and the gateway what it was asked.
func (s *site) count(ctx context.Context, prompts int) (*counts, error) {
	k := &counts{EventsOf: map[string]int64{}}
	if err := s.countEvents(ctx, k); err != nil {
		return nil, fmt.Errorf("count Temporal's events: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "temporal", "temporal.sqlite*"))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			k.DatabaseMB += float64(info.Size()) / (1 << 20)
		}
	}
	r, err := stack.S3Requests(ctx, s.s3)
	if err != nil {
		return nil, fmt.Errorf("count S3 requests: %w", err)
	}
	k.S3, k.S3Requests, k.S3In, k.S3Out = r.Methods, r.Total(), r.BytesIn, r.BytesOut
	thousands := float64(prompts) / 1000
	k.EventsPer1000, k.RequestsPer1000 = float64(k.Events)/thousands, float64(k.S3Requests)/thousands
	k.S3BytesPer = float64(k.S3In) / float64(prompts)
	return k, nil
}

func (s *site) countEvents(ctx context.Context, k *counts) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: s.temporal, Logger: quiet{}})
	if err != nil {
		return err
	}
	defer c.Close()
	var page []byte
	for {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{NextPageToken: page, PageSize: 500})
		if err != nil {
			return err
		}
		for _, e := range list.Executions {
			if strings.HasPrefix(e.Type.Name, "temporal-sys-") {
				continue
			}
			d, err := c.DescribeWorkflowExecution(ctx, e.Execution.WorkflowId, e.Execution.RunId)
			if err != nil {
				return err
			}
			info := d.WorkflowExecutionInfo
			k.Executions++
			k.Events += info.HistoryLength
			k.EventsOf[e.Type.Name] += info.HistoryLength
			k.HistoryBytes += info.HistorySizeBytes
		}
		if page = list.NextPageToken; len(page) == 0 {
			return nil
		}
	}
}

// quiet drops the SDK's own messages: whatever matters comes back as an error.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
