package activities

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// labKey signs what the labs publish; a fixed one, so that what comes out is the same to the byte.
var labKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// lab is a store and a teacher that activities work with.
type lab struct {
	t      testing.TB
	store  *store.Memory
	config *schema.Config
	ref    schema.RunRef
	run    store.Run
	dir    string
	recipe string
	logs   *strings.Builder

	provider   http.Handler // of batches; nil: there are none
	everything bool         // the provider answers all calls
	shape      []byte       // response.schema

	mu      sync.Mutex
	asked   map[string]int                                         // prompt → calls
	respond func(w http.ResponseWriter, prompt string) (done bool) // nil: an answer of the prompt's own
	named   []schema.ManifestSource                                // what the recipe's answers are compared with
	salt    string                                                 // another one has other answers
}

const prompts = 23 // five pages of ten requests of a teacher with concurrency 1

// newLab begins a run of a recipe with two samples of each prompt; more are further lines of it.
func newLab(t testing.TB, more string) *lab {
	t.Helper()
	l := &lab{t: t, store: store.NewMemory("bucket"), dir: t.TempDir(), asked: map[string]int{}, logs: &strings.Builder{}}
	server := httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(server.Close)
	file := filepath.Join(l.dir, "temporal.yaml")
	l.must(os.WriteFile(file, []byte(fmt.Sprintf(`
temporal: {address: "127.0.0.1:7233"}
store: {bucket: bucket, prefix: p}
allow: {paths: ["./"]}
teachers:
  - {name: tester, base_url: %q, model: m, revision: r1, terms: {training: allowed}, price: {input: 1, output: 2}, limits: {concurrency: 1}}
`, server.URL+"/v1")), 0o600))
	var err error
	l.config, err = schema.LoadConfig(file)
	l.must(err)
	l.recipe = `dataset: d
license: cc-by-4.0
prompts: [{from: questions.jsonl, license: cc-by-4.0, origin: human}]
messages: [{role: user, content: "Tell me about {{.question}}"}]
samples: 2
teachers: [{name: tester}]
sampling: {max_tokens: 100}
` + more
	if !strings.Contains(more, "checks:") {
		l.recipe += "checks: {repetition: {do: tag}}\n"
	}
	l.sources(prompts)
	if strings.Contains(more, "anchor:") {
		l.human(400)
	}
	l.begin("r1")
	return l
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// file writes a file beside the recipe.
func (l *lab) file(name, content string) {
	l.t.Helper()
	l.must(os.WriteFile(filepath.Join(l.dir, name), []byte(content), 0o600))
}

// sources writes n questions.
func (l *lab) sources(n int) {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"question\": \"topic %d\"}\n", i)
	}
	l.must(os.WriteFile(filepath.Join(l.dir, "questions.jsonl"), []byte(b.String()), 0o600))
}

// human writes n texts of people; the first are about the sources' topics.
func (l *lab) human(n int) {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"question\": \"topic %d\", \"text\": %q}\n", i, essay(fmt.Sprintf("people on topic %d", i)))
	}
	l.must(os.WriteFile(filepath.Join(l.dir, "human.jsonl"), []byte(b.String()), 0o600))
}

// begin begins a run.
func (l *lab) begin(id string) {
	l.t.Helper()
	l.beginOf("d", id)
}

func (l *lab) beginOf(dataset, id string) {
	l.t.Helper()
	file := filepath.Join(l.dir, "recipe.yaml")
	l.must(os.WriteFile(file, []byte(l.recipe), 0o600))
	recipe, err := schema.LoadRecipe(file)
	l.must(err)
	access := &prompt.Access{Config: l.config, Store: l.store}
	sources, err := access.ResolveAll(l.t.Context(), recipe)
	l.must(err)
	l.ref = schema.RunRef{Dataset: dataset, Run: id}
	l.run = store.NewDataset("bucket", "p", dataset).Run(id)
	var anchor []schema.PinnedFile
	if ReadsHumanText(recipe) {
		anchor, err = access.Resolve(l.t.Context(), recipe, "anchor.from", recipe.Anchor.From)
		l.must(err)
	}
	b := &Beginning{Shape: l.shape, Anchor: anchor, Recipe: recipe, Text: []byte(l.recipe), Config: l.config, Sources: sources, Against: l.named, Begun: Begun{Program: "test"}}
	b.Evaluations, _, err = ResolveEvaluations(l.t.Context(), access, recipe)
	l.must(err)
	l.must(b.Begin(l.t.Context(), l.store, l.run))
}

// rooms are those of a fresh worker process over s.
func (l *lab) rooms(s store.Store) *Rooms {
	return &Rooms{hasty: true, Config: l.config, Store: s, Scratch: l.t.TempDir(), Program: "test", Teachers: NewTeachers(l.config, "test"),
		Log: slog.New(slog.NewTextHandler(l.logs, nil)), Signer: labKey, Buckets: func(string) (store.Store, error) { return s, nil }}
}

func (l *lab) serve(w http.ResponseWriter, r *http.Request) {
	if l.provider != nil && (l.everything || !strings.HasSuffix(r.URL.Path, "/chat/completions")) {
		l.provider.ServeHTTP(w, r)
		return
	}
	var body struct{ Messages []schema.Message }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Messages) == 0 {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	text := body.Messages[len(body.Messages)-1].Content
	l.mu.Lock()
	l.asked[text]++
	respond, salt := l.respond, l.salt
	l.mu.Unlock()
	if respond != nil && respond(w, text) {
		return
	}
	answer(w, essay(text+salt))
}

func answer(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"model": "m-2026", "system_fingerprint": "fp1", //nolint:errcheck // a client that is gone
		"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": text}, "finish_reason": "stop"}},
		"usage":   map[string]any{"prompt_tokens": 10, "completion_tokens": 50}})
}

var vocabulary = strings.Fields(`the of water stone river light people small large every under winter summer garden history between because
which often never carry build measure village mountain letter music window paper metal engine animal forest ocean simple careful`)

// essay is some English of its own for every prompt; both samples of a prompt get the same.
func essay(text string) string {
	h := fnv.New64a()
	io.WriteString(h, text) //nolint:errcheck // a hash
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	var b strings.Builder
	for range 6 {
		b.WriteString("It is known that")
		for range 9 {
			b.WriteString(" " + vocabulary[rng.IntN(len(vocabulary))])
		}
		b.WriteString(" and this is what we have seen. ")
	}
	return b.String()
}

func (l *lab) calls() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.asked {
		n += k
	}
	return n
}

// activity runs a function as a worker runs an activity, within the guard.
func (l *lab) activity(r *Rooms, fn any, args ...any) (interface{ Get(any) error }, error) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Guard{Rooms: r}}})
	env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: "Step"})
	return env.ExecuteActivity("Step", args...)
}

func (l *lab) ask(r *Rooms, in schema.AskInput) (got schema.PageCounts, err error) {
	value, err := l.activity(r, r.Ask, in)
	if err == nil {
		err = value.Get(&got)
	}
	return got, err
}

// unbounded asks a page without a lease.
func (l *lab) unbounded(n int) schema.AskInput {
	return schema.AskInput{RunRef: l.ref, Page: schema.PageRef{Number: n}, LeaseMicros: -1, LeaseRequests: -1}
}

// flow is a run as the workflow drives it: each step is tried until it succeeds, on whatever rooms are given then.
type flow struct {
	l       *lab
	rooms   func() *Rooms
	tries   int    // of all steps that failed
	index   string // root after the last page
	plan    schema.PlanResult
	publish schema.PublishInput
	result  schema.PublishResult

	released int // holds of the gate that were let pass
	verdicts []schema.GateVerdict
	root     string // before the last page
	gate     string
}

// try runs a step until it succeeds, as Temporal does.
func (f *flow) try(step func(context.Context, *Rooms) error) {
	f.l.t.Helper()
	for {
		err := step(f.l.t.Context(), f.rooms())
		if err == nil {
			return
		}
		if f.tries++; f.tries > 5 {
			f.l.t.Fatal(err)
		}
	}
}

// decide goes up to the last page.
func (f *flow) decide() {
	f.l.t.Helper()
	f.try(func(ctx context.Context, r *Rooms) (err error) {
		f.plan, err = r.Plan(ctx, f.l.ref)
		return err
	})
	root, gate := "", ""
	f.publish = schema.PublishInput{RunRef: f.l.ref, Created: time.Unix(1e9, 0), Gate: schema.GateVerdict{State: "none"},
		Counts: schema.Counts{Planned: f.plan.Requests, Rejected: map[string]int64{}}, Teachers: []schema.TeacherStatus{{Name: "tester"}}}
	c := &f.publish.Counts
	for n := range f.plan.Teachers[0].Pages {
		in := f.l.unbounded(n)
		var asked schema.PageCounts
		if f.plan.Teachers[0].Batch {
			asked = f.byBatches(in)
		} else {
			f.try(func(_ context.Context, r *Rooms) (err error) {
				asked, err = f.l.ask(r, in)
				return err
			})
		}
		f.try(func(ctx context.Context, r *Rooms) error { return r.Inspect(ctx, in) })
		var got schema.AdmitResult
		f.try(func(ctx context.Context, r *Rooms) (err error) {
			got, err = r.Admit(ctx, schema.AdmitInput{RunRef: f.l.ref, Page: in.Page, Seq: n, Root: root, Gate: gate, Released: f.released, RowsLeft: -1})
			return err
		})
		f.root, f.gate = root, gate
		root, gate = got.Root, got.Gate
		f.publish.Gate, f.publish.GateLog = got.Verdict, got.Gate
		f.verdicts = append(f.verdicts, got.Verdict)
		f.index = got.Root
		c.Admitted, c.Failed, c.Unasked = c.Admitted+got.Admitted, c.Failed+got.Failed, c.Unasked+got.Unasked
		addCounts(c.Rejected, got.Rejected)
		f.publish.Teachers[0].Answered += asked.Answered
	}
}

// write goes on to the last file.
func (f *flow) write() {
	f.l.t.Helper()
	var layout schema.LayoutResult
	f.try(func(ctx context.Context, r *Rooms) (err error) {
		layout, err = r.Layout(ctx, schema.LayoutInput{RunRef: f.l.ref, Pages: f.plan.Teachers[0].Pages, Root: f.index})
		return err
	})
	f.publish.Counts.Human = layout.Human
	for i := range layout.Shards + layout.Rejects {
		f.try(func(ctx context.Context, r *Rooms) error {
			return r.Write(ctx, schema.WriteInput{RunRef: f.l.ref, File: i})
		})
	}
}

func (f *flow) whole() {
	f.l.t.Helper()
	f.decide()
	f.write()
	f.try(func(ctx context.Context, r *Rooms) (err error) {
		f.result, err = r.Publish(ctx, f.publish)
		return err
	})
}

func (l *lab) flow(r *Rooms) *flow { return &flow{l: l, rooms: func() *Rooms { return r }} }

// objects are the keys and bodies under a prefix.
func (l *lab) objects(prefix string) map[string]string {
	out := map[string]string{}
	for in, err := range l.store.List(l.t.Context(), prefix, "") {
		l.must(err)
		body, err := l.store.Get(l.t.Context(), in.Key)
		l.must(err)
		out[in.Key] = string(body)
	}
	return out
}

// errKilled is what a dead process sees: it can do nothing any more.
var errKilled = errors.New("the process was killed")

// breaking is a store that breaks at the n-th write, from 1.
type breaking struct {
	store.Store
	at   int
	lost bool // the write is done, its reply is lost, and the process lives; else it isn't done, and the process is dead

	mu     sync.Mutex
	writes int
	dead   bool
}

// write says whether a write is done, and what is said of it.
func (b *breaking) write(do func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dead {
		return errKilled
	}
	if b.writes++; b.writes != b.at {
		return do()
	}
	if b.lost {
		if err := do(); err != nil {
			return err
		}
		return &schema.Error{Kind: schema.KindRetry, Code: "s3_unreachable", Op: "put", Cause: errors.New("the reply was lost")}
	}
	b.dead = true
	return errKilled
}

func (b *breaking) PutNew(ctx context.Context, key string, body []byte) error {
	return b.write(func() error { return b.Store.PutNew(ctx, key, body) })
}

func (b *breaking) Put(ctx context.Context, key string, body []byte) error {
	return b.write(func() error { return b.Store.Put(ctx, key, body) })
}

func (b *breaking) PutOver(ctx context.Context, key string, body []byte, etag string) error {
	return b.write(func() error { return b.Store.PutOver(ctx, key, body, etag) })
}

func (b *breaking) PutFileNew(ctx context.Context, key string, f io.ReaderAt, size int64) error {
	return b.write(func() error { return b.Store.PutFileNew(ctx, key, f, size) })
}

func (b *breaking) Get(ctx context.Context, key string) ([]byte, error) {
	if b.dead {
		return nil, errKilled
	}
	return b.Store.Get(ctx, key)
}
