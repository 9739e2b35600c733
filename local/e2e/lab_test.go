package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/retort-data/retort/local/stack"
	"github.com/retort-data/retort/local/teacher"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// binary is the real command, built once.
var binary string

func TestMain(m *testing.M) {
	if !child() {
		os.Exit(buildAndRun(m))
	}
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "retort-e2e-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "retort")
	build := exec.Command("go", "build", "-o", binary, "./cmd/retort")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the command: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// lab is a whole installation in a folder of its own.
type lab struct {
	t       *testing.T
	dir     string
	stack   *stack.Stack
	teacher *teacher.Server
	url     string // of the teacher
	store   store.Store
	config  string
	env     []string
	workers string // further keys of the configuration's worker
	extra   string // further lines of the configuration

	temporal        *process // where Temporal has a process of its own
	temporalAddress string
	temporalPort    string
}

// apart gives the Temporal server a process of its own, so that it can be killed.
func apart(l *lab) { l.startTemporal() }

// newLab starts the stack and a teacher named tester, 64 at once.
func newLab(t *testing.T, cfg teacher.Config, how ...func(*lab)) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir()}
	for _, h := range how {
		h(l)
	}
	only := []stack.Service{stack.Temporal, stack.S3}
	if l.temporal != nil {
		only = only[1:]
	}
	var err error
	l.stack, err = stack.Start(t.Context(), stack.Options{Dir: filepath.Join(l.dir, "stack"), Only: only})
	l.must(err)
	if l.temporal == nil {
		l.temporalAddress = l.stack.TemporalAddress
	}
	t.Cleanup(func() { l.must(l.stack.Stop()) })
	corpus, err := teacher.GoDocs()
	l.must(err)
	l.teacher, err = teacher.New(cfg, corpus, "")
	l.must(err)
	l.url = l.serve(l.teacher)
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": l.stack.AccessKey, "AWS_SECRET_ACCESS_KEY": l.stack.SecretKey, "AWS_REGION": l.stack.Region} {
		t.Setenv(k, v)
	}
	l.store, err = store.OpenS3(t.Context(), l.storeConfig(), "")
	l.must(err)
	l.configure(64, "")
	return l
}

func (l *lab) storeConfig() schema.StoreConfig {
	return schema.StoreConfig{Endpoint: l.stack.S3Endpoint, Region: l.stack.Region, Bucket: l.stack.Bucket, PathStyle: true}
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) serve(h http.Handler) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	l.must(err)
	srv := &http.Server{Handler: h}
	go srv.Serve(ln) //nolint:errcheck // ends with Close
	l.t.Cleanup(func() { srv.Close() })
	return "http://" + ln.Addr().String() + "/v1"
}

// configure writes temporal.yaml with one teacher named tester.
func (l *lab) configure(concurrency int, teachers string) {
	text := fmt.Sprintf(`temporal: {address: %q, namespace: default, task_queue: retort}
store: {endpoint: %q, region: us-east-1, bucket: %s, prefix: "", path_style: true}
allow: {paths: [%q]}
worker: {pages: 8, index_mb: 64, scratch: %q%s}
teachers:
  - name: tester
    base_url: %s
    model: test-1
    revision: "1"
    terms: {training: allowed, license: Apache-2.0, source: the test, read_on: 2026-11-01}
    limits: {concurrency: %d}
    price: {input: 0.2, output: 0.6}
%s%s`, l.temporalAddress, l.stack.S3Endpoint, l.stack.Bucket, l.dir, filepath.Join(l.dir, "scratch"), l.workers, l.url, concurrency, teachers, l.extra)
	l.config = l.write("temporal.yaml", text)
}

func (l *lab) write(name, text string) string {
	path := filepath.Join(l.dir, name)
	l.must(os.MkdirAll(filepath.Dir(path), 0o755))
	l.must(os.WriteFile(path, []byte(text), 0o644))
	return path
}

// questions writes n rows of JSONL and a recipe over them; more are further lines of the recipe.
func (l *lab) questions(dataset string, n int, more string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"question\": \"What is the meaning of number %d in a list of things?\", \"n\": %d}\n", i, i)
	}
	l.write(dataset+".jsonl", b.String())
	return l.write(dataset+".yaml", fmt.Sprintf(`dataset: %s
license: cc-by-4.0
prompts:
  - {from: %s.jsonl, license: cc-by-4.0, origin: human}
messages:
  - {role: system, content: "Answer briefly."}
  - {role: user, content: "{{.question}}"}
teachers: [{name: tester}]
sampling: {temperature: 0.8, max_tokens: 400}
%s`, dataset, dataset, more))
}

// result is what a command printed and how it ended.
type result struct {
	stdout, stderr string
	status         int
}

// retort runs the real command to its end.
func (l *lab) retort(args ...string) result {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append([]string{"--config", l.config}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatalf("retort %v: %v", args, err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// ok runs a command that must succeed.
func (l *lab) ok(args ...string) string {
	l.t.Helper()
	r := l.retort(args...)
	if r.status != 0 {
		l.t.Fatalf("retort %s: exit %d\n%s%s", strings.Join(args, " "), r.status, r.stdout, r.stderr)
	}
	return r.stdout
}

// worker is a worker process.
type workerProcess struct {
	cmd *exec.Cmd
	log *bytes.Buffer
	end chan struct{}
}

// startWorker starts a worker in a process of its own; it is killed at the test's end.
func (l *lab) startWorker(flags ...string) *workerProcess {
	l.t.Helper()
	return l.startWorkerOf(binary, flags...)
}

// startWorkerOf starts a worker of some build.
func (l *lab) startWorkerOf(program string, flags ...string) *workerProcess {
	l.t.Helper()
	w := &workerProcess{cmd: exec.Command(program, append([]string{"--config", l.config, "worker"}, flags...)...), log: &bytes.Buffer{}, end: make(chan struct{})}
	w.cmd.Stderr = w.log
	w.cmd.Env = append(os.Environ(), l.env...)
	l.must(w.cmd.Start())
	go func() { w.cmd.Wait(); close(w.end) }() //nolint:errcheck // kills are meant
	l.t.Cleanup(func() {
		w.kill()
		if l.t.Failed() {
			l.t.Logf("worker's log:\n%s", w.log.String())
		}
	})
	return w
}

func (w *workerProcess) kill() {
	w.cmd.Process.Signal(syscall.SIGKILL) //nolint:errcheck // may be gone
	<-w.end
}

// stop asks the worker to drain and waits for its end.
func (w *workerProcess) stop() {
	w.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // may be gone
	<-w.end
}

// wait polls until cond holds; events that the outside offers no notice of.
func (l *lab) wait(what string, cond func() bool) {
	l.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !cond() {
		if time.Now().After(deadline) {
			l.t.Fatalf("waited two minutes for: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (l *lab) status(dataset string) schema.Status {
	l.t.Helper()
	var all []schema.Status
	l.must(json.Unmarshal([]byte(l.ok("--json", "status", dataset)), &all))
	return all[0]
}

func (l *lab) manifest(dataset string, n int) *schema.Manifest {
	l.t.Helper()
	d := store.NewDataset(l.stack.Bucket, "", dataset)
	body, err := l.store.Get(l.t.Context(), d.Manifest(n))
	l.must(err)
	var m schema.Manifest
	l.must(json.Unmarshal(body, &m))
	return &m
}

// keys lists what stands under a prefix.
func (l *lab) keys(prefix string) []string {
	l.t.Helper()
	keys := []string{}
	for in, err := range l.store.List(l.t.Context(), prefix, "") {
		l.must(err)
		keys = append(keys, in.Key)
	}
	return keys
}
