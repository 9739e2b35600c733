package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/local/stack"
	"github.com/retort-data/retort/local/teacher"
)

// serverCosts are what a run of 4,000 prompts asks of the servers, for 1,000 prompts: independent of the machine's speed but for the
// parts of journals and statuses that a second begins.
type serverCosts struct {
	Events   float64 `json:"temporal_events"`
	Requests float64 `json:"s3_requests"`
	Bytes    float64 `json:"s3_bytes_in"`
}

// No run asks more of Temporal and S3 than was recorded, by a margin.
func TestCostOfARunToTheServers(t *testing.T) {
	const prompts = 4000
	file, err := filepath.Abs("testdata/costs.json") // the gateway changes the directory
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, teacher.DefaultConfig())
	l.startWorker()
	recipe := l.questions("costs", prompts, "")
	before, err := stack.S3Requests(t.Context(), l.stack.S3Endpoint)
	l.must(err)
	l.ok("run", recipe)
	after, err := stack.S3Requests(t.Context(), l.stack.S3Endpoint)
	l.must(err)
	const thousands = prompts / 1000
	got := serverCosts{
		Events:   float64(l.events()) / thousands,
		Requests: float64(after.Total()-before.Total()) / thousands,
		Bytes:    float64(after.BytesIn-before.BytesIn) / thousands,
	}
	if *update {
		body, err := json.MarshalIndent(got, "", "  ")
		l.must(err)
		l.must(os.WriteFile(file, append(body, '\n'), 0o644))
	}
	body, err := os.ReadFile(file)
	l.must(err)
	var was serverCosts
	l.must(json.Unmarshal(body, &was))
	t.Logf("for 1,000 prompts: %.0f events (recorded %.0f), %.0f S3 requests (%.0f), %.0f bytes sent to S3 (%.0f)",
		got.Events, was.Events, got.Requests, was.Requests, got.Bytes, was.Bytes)
	const margin = 1.3
	if got.Events == 0 || got.Events > was.Events*margin || got.Requests > was.Requests*margin || got.Bytes > was.Bytes*margin {
		t.Errorf("for 1,000 prompts a run costs %+v; recorded is %+v, and three tenths more are let through. If it is worth it: go test ./e2e -run CostOfARun -update", got, was)
	}
}

// events is the length of all histories together.
func (l *lab) events() (n int64) {
	l.t.Helper()
	c, err := client.DialContext(l.t.Context(), client.Options{HostPort: l.temporalAddress})
	l.must(err)
	defer c.Close()
	list, err := c.ListWorkflow(l.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 500})
	l.must(err)
	for _, e := range list.Executions {
		d, err := c.DescribeWorkflowExecution(l.t.Context(), e.Execution.WorkflowId, e.Execution.RunId)
		l.must(err)
		n += d.WorkflowExecutionInfo.HistoryLength
	}
	return n
}
