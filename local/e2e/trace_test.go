package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/retort-data/retort/schema"
)

// spans takes what is sent by OTLP over HTTP.
type spans struct {
	mu  sync.Mutex
	all []*tracepb.Span
	raw []byte
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &sent) != nil || r.URL.Path != "/v1/traces" {
		http.Error(w, "no spans", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw = append(s.raw, body...)
	for _, rs := range sent.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			s.all = append(s.all, ss.Spans...)
		}
	}
}

// One trace leads from the command through workflow and activities to each call of the teacher, also over two workers, of which the second
// replays what the first has done: no step is there twice. Nothing of it is a prompt, an answer or a key.
func TestOneTraceFromCommandToTeacher(t *testing.T) {
	got := &spans{}
	const key = "sk-canary-of-traces-0123456789"
	cfg := slow()
	cfg.APIKey, cfg.ServerError = key, .02
	l := newLab(t, cfg)
	t.Setenv("TRACE_TEST_KEY", key)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", strings.TrimSuffix(l.serve(got), "/v1"))
	l.configure(64, "    api_key_env: TRACE_TEST_KEY\n")
	w := l.startWorker()
	l.ok("run", "--detach", l.questions("traced", 900, "checks: {language: off}\n"))
	l.wait("two hundred answers", func() bool { return l.teacher.Stats().Answered >= 200 })
	w.stop()
	second := l.startWorker()
	l.finished("traced", schema.StatePublished)
	second.stop() // sends what is left

	got.mu.Lock()
	defer got.mu.Unlock()
	byID, names, trace := map[string]*tracepb.Span{}, map[string]int{}, ""
	for _, s := range got.all {
		if s.Name == "retort run" {
			trace = string(s.TraceId)
		}
	}
	for _, s := range got.all {
		if string(s.TraceId) != trace {
			continue
		}
		if byID[string(s.SpanId)] == nil {
			names[s.Name]++
		}
		byID[string(s.SpanId)] = s
	}
	t.Log(names)
	for name, want := range map[string]int{"retort run": 1, "StartWorkflow:Generate": 1, "RunWorkflow:Generate": 1, "StartActivity:Plan": 1, "RunActivity:Plan": 1, "StartActivity:Publish": 1, "RunActivity:Publish": 1} {
		if names[name] != want {
			t.Errorf("%d spans %s, of %d", names[name], name, want)
		}
	}
	scheduled := map[string]int{}
	for _, e := range l.history("traced") {
		if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
			scheduled[a.GetActivityType().GetName()]++
		}
	}
	for name, n := range scheduled {
		if names["StartActivity:"+name] != n {
			t.Errorf("%d spans of %s, which was scheduled %d times", names["StartActivity:"+name], name, n)
		}
	}
	if calls, sent := names["chat test-1"], int(l.teacher.Stats().Total); calls != sent {
		t.Errorf("%d spans of calls, of %d", calls, sent)
	}
	for _, s := range byID {
		if s.Name == "chat test-1" && !underRun(byID, s) {
			t.Fatal("a call hangs under no run")
		}
	}
	l.noText(got.raw, key)
	answered := 0
	for _, s := range byID {
		for _, a := range s.Attributes {
			if a.Key == "gen_ai.usage.output_tokens" && a.Value.GetIntValue() > 0 {
				answered++
			}
			if text, ok := a.Value.GetValue().(*common.AnyValue_StringValue); ok && len(text.StringValue) > 200 {
				t.Errorf("%s of %s is %d long", a.Key, s.Name, len(text.StringValue))
			}
		}
	}
	if want := int(l.teacher.Stats().Answered); answered != want {
		t.Errorf("%d spans have tokens, of %d answers", answered, want)
	}
}

// underRun says whether a call's ancestors are Ask, the workflow and the command.
func underRun(all map[string]*tracepb.Span, s *tracepb.Span) bool {
	var path []string
	for s != nil {
		path = append(path, s.Name)
		s = all[string(s.ParentSpanId)]
	}
	return strings.Join(path, " < ") == "chat test-1 < RunActivity:Ask < StartActivity:Ask < RunWorkflow:Generate < StartWorkflow:Generate < retort run"
}

// noText searches spans as they were sent for the key, the prompts and the first words of every answer.
func (l *lab) noText(raw []byte, key string) {
	l.t.Helper()
	banned := []string{key, "meaning of number", "Answer briefly"}
	file := filepath.Join(l.dir, "traced.out.jsonl")
	l.ok("export", "traced", "-o", file)
	rows, err := os.ReadFile(file)
	l.must(err)
	for line := range strings.SplitSeq(string(rows), "\n") {
		var r struct {
			Messages []schema.Message `json:"messages"`
		}
		if json.Unmarshal([]byte(line), &r) == nil && len(r.Messages) > 0 {
			text := r.Messages[len(r.Messages)-1].Content
			banned = append(banned, text[:min(24, len(text))])
		}
	}
	if len(banned) < 300 {
		l.t.Fatalf("only %d texts to search for", len(banned))
	}
	for _, text := range banned {
		if strings.Contains(string(raw), text) {
			l.t.Errorf("%q stands in a span", text)
		}
	}
}
