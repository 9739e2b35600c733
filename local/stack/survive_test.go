package stack_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/local/stack"
)

// What a stack holds must be there after a clean stop and after kill -9.
func TestDataSurvives(t *testing.T) {
	for _, way := range []string{"stop", "kill -9"} {
		t.Run(way, func(t *testing.T) {
			o := stack.Options{Dir: t.TempDir(), Buckets: []string{"retort", "corpus"}}
			first := startChild(t, o)
			put(t, first.Stack, "kept", "paid for")
			startWorkflow(t, first.Stack)
			if way == "stop" {
				first.end(t)
			} else {
				first.kill()
			}

			second := startChild(t, o)
			if got := get(t, second.Stack, "kept"); got != "paid for" {
				t.Errorf("object after %s: %q", way, got)
			}
			if second.AccessKey != first.AccessKey || second.SecretKey != first.SecretKey {
				t.Error("the account changed")
			}
			finishWorkflow(t, second.Stack)
		})
	}
}

// Each service may run in a process of its own.
func TestServicesApart(t *testing.T) {
	dir := t.TempDir()
	temporalOnly := startChild(t, stack.Options{Dir: dir, Only: []stack.Service{stack.Temporal}})
	s3Only := startChild(t, stack.Options{Dir: dir, Only: []stack.Service{stack.S3}})
	ui := startChild(t, stack.Options{
		Dir: dir, Only: []stack.Service{stack.UI}, TemporalAddress: temporalOnly.TemporalAddress,
	})
	if temporalOnly.S3Endpoint != "" || temporalOnly.UIURL != "" || s3Only.TemporalAddress != "" {
		t.Error("a service that was not asked for has an address")
	}
	put(t, s3Only.Stack, "k", "v")
	startWorkflow(t, temporalOnly.Stack)
	page := fetch(t, ui.UIURL+"/api/v1/namespaces/default")
	if !strings.Contains(page, `"default"`) {
		t.Errorf("the UI does not show the namespace: %s", page)
	}
	if !strings.Contains(fetch(t, ui.UIURL), "<html") {
		t.Error("the UI serves no page")
	}
}

const queue = "survive"

func wait(ctx workflow.Context) (string, error) {
	var word string
	workflow.GetSignalChannel(ctx, "word").Receive(ctx, &word)
	return word, nil
}

var datasetAttribute = temporal.NewSearchAttributeKeyKeyword("RetortDataset")

func startWorkflow(t *testing.T, s *stack.Stack) {
	t.Helper()
	c := dial(t, s)
	_, err := c.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{
		ID: "w", TaskQueue: queue,
		TypedSearchAttributes: temporal.NewSearchAttributes(datasetAttribute.ValueSet("d")),
	}, "wait")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SignalWorkflow(context.Background(), "w", "", "word", "alembic"); err != nil {
		t.Fatal(err)
	}
}

func finishWorkflow(t *testing.T, s *stack.Stack) {
	t.Helper()
	c := dial(t, s)
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflowWithOptions(wait, workflow.RegisterOptions{Name: "wait"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var word string
	if err := c.GetWorkflow(ctx, "w", "").Get(ctx, &word); err != nil || word != "alembic" {
		t.Fatalf("workflow started before the restart: %q, %v", word, err)
	}
	d, err := c.DescribeWorkflowExecution(ctx, "w", "")
	if err != nil {
		t.Fatal(err)
	}
	if d.WorkflowExecutionInfo.Status != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		t.Errorf("status %v", d.WorkflowExecutionInfo.Status)
	}
	if _, ok := d.WorkflowExecutionInfo.SearchAttributes.IndexedFields["RetortDataset"]; !ok {
		t.Error("its search attribute is gone")
	}
}

func dial(t *testing.T, s *stack.Stack) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.TemporalAddress, Namespace: s.Namespace, Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

func put(t *testing.T, s *stack.Stack, key, text string) {
	t.Helper()
	_, err := s.S3Client().PutObject(context.Background(), &s3.PutObjectInput{
		Bucket: aws.String(s.Bucket), Key: aws.String(key), Body: bytes.NewReader([]byte(text)),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *stack.Stack, key string) string {
	t.Helper()
	out, err := s.S3Client().GetObject(context.Background(), &s3.GetObjectInput{
		Bucket: aws.String(s.Bucket), Key: aws.String(key),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
