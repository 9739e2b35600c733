package e2e

import (
	"bytes"
	"encoding/base64"
	"os"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/local/teacher"
)

// payloads counts those of the workflows whose id has a text, by their encoding as they stand on the server.
func (l *lab) payloads(of string) map[string]int {
	l.t.Helper()
	ctx, counts := l.t.Context(), map[string]int{}
	c, err := client.DialContext(ctx, client.Options{HostPort: l.temporalAddress})
	l.must(err)
	defer c.Close()
	count := proxy.VisitPayloadsOptions{SkipSearchAttributes: true, Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
		for _, p := range all {
			counts[string(p.Metadata["encoding"])+" "+string(p.Metadata["encryption-key-id"])]++
			if bytes.Contains(p.Data, []byte("dataset")) && len(p.Metadata["encryption-key-id"]) > 0 {
				l.t.Errorf("an encrypted payload has plain text in it: %q", p.Data)
			}
		}
		return all, nil
	}}
	list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	l.must(err)
	for _, w := range list.Executions {
		if !strings.Contains(w.Execution.WorkflowId, of) {
			continue
		}
		for iter := c.GetWorkflowHistory(ctx, w.Execution.WorkflowId, w.Execution.RunId, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); iter.HasNext(); {
			event, err := iter.Next()
			l.must(err)
			l.must(proxy.VisitPayloads(ctx, event, count))
		}
	}
	return counts
}

// all says whether there are payloads of the workflows, each of that encoding.
func all(counts map[string]int, encoding string) bool {
	return len(counts) == 1 && counts[encoding] > 10
}

// With temporal.encryption the server holds no payload in clear: of runs, of a schedule. Keys change while datasets go on, what was plain
// stays readable, and who lacks the key is told so, before anything is put.
func TestPayloadsAreEncrypted(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	clear := l.startWorker()
	l.ok("run", l.questions("clear", 40, ""))
	if got := l.payloads("/clear"); got["json/plain "] < 10 || len(got) != 1 {
		t.Errorf("without encryption: %v", got)
	}
	clear.stop()
	plain, err := os.ReadFile(l.config)
	l.must(err)
	l.write("temporal.yaml", strings.Replace(string(plain), "task_queue: retort", "task_queue: retort, encryption: {key_env: PAYLOAD_KEYS}", 1))
	recipe := l.questions("sealed", 40, `schedule: {cron: "0 2 1 1 *"}`+"\n")
	before := len(l.keys(""))
	if got := l.retort("run", recipe); got.status != 2 || !strings.Contains(got.stderr, "PAYLOAD_KEYS") || len(l.keys("")) != before {
		t.Errorf("without a key: exit %d, %s; %d objects more", got.status, got.stderr, len(l.keys(""))-before)
	}
	key := func(id, fill string) string {
		return id + ":" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(fill, 32)))
	}
	t.Setenv("PAYLOAD_KEYS", key("k1", "a"))
	worker := l.startWorker()
	l.ok("run", recipe)
	if got := l.payloads("/sealed"); !all(got, "binary/encrypted k1") {
		t.Errorf("with a key: %v", got)
	}
	l.ok("schedule", "set", recipe)
	ctx := t.Context()
	c, err := client.DialContext(ctx, client.Options{HostPort: l.temporalAddress})
	l.must(err)
	defer c.Close()
	found := false
	schedules, err := c.ScheduleClient().List(ctx, client.ScheduleListOptions{})
	l.must(err)
	for schedules.HasNext() {
		s, err := schedules.Next()
		l.must(err)
		got, err := c.ScheduleClient().GetHandle(ctx, s.ID).Describe(ctx)
		l.must(err)
		for _, arg := range got.Schedule.Action.(*client.ScheduleWorkflowAction).Args {
			p, ok := arg.(*commonpb.Payload)
			found = found || ok && string(p.Metadata["encoding"]) == "binary/encrypted" && !bytes.Contains(p.Data, []byte("sealed"))
		}
	}
	if !found {
		t.Error("the schedule's input isn't encrypted")
	}
	worker.stop()
	t.Setenv("PAYLOAD_KEYS", key("k2", "b")+","+key("k1", "a"))
	l.startWorker()
	l.ok("run", l.questions("rotated", 40, ""))
	if got := l.payloads("/rotated"); !all(got, "binary/encrypted k2") {
		t.Errorf("with a new key: %v", got)
	}
	l.ok("status", "--all")
	l.ok("schedule", "list")
}
