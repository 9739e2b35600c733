package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/retort-data/retort/local/teacher"
)

// parrot is a teacher that says back what it was sent: in errors, in answers, in a redirect to another host.
type parrot struct {
	next      http.Handler
	elsewhere string // where it redirects to
	asked     atomic.Int64
	heard     atomic.Int64 // requests with the canary key
	canary    string
}

func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent := r.Header.Get("Authorization")
	if strings.Contains(sent, p.canary) {
		p.heard.Add(1)
	}
	var headers strings.Builder
	r.Header.Write(&headers) //nolint:errcheck // a strings.Builder
	w.Header().Set("X-You-Sent", sent)
	w.Header().Set("X-Request-Id", sent)
	n := p.asked.Add(1)
	switch {
	case strings.HasPrefix(r.URL.Path, "/redirect/"):
		http.Redirect(w, r, p.elsewhere+"/?key="+strings.TrimPrefix(sent, "Bearer "), http.StatusFound)
	case strings.HasPrefix(r.URL.Path, "/refuse/"):
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error": {"message": %q, "code": %q}}`, "you sent "+headers.String(), sent)
	case n%6 == 0:
		http.Error(w, "<pre>"+headers.String()+"</pre>", http.StatusBadRequest)
	case n%6 == 1:
		http.Error(w, fmt.Sprintf(`{"error": {"message": %q, "type": %q}}`, headers.String(), sent), http.StatusInternalServerError)
	case n%6 == 2:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"model": "test-1", "choices": [{"message": {"role": "assistant", "content": %q}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 9}}`,
			fmt.Sprintf("Number %d of a list of things means that you have sent me %s, as I see it here.", n, sent))
	default:
		p.next.ServeHTTP(w, r)
	}
}

// Keys are in the environment of workers, and sent to teachers that say them back. Afterwards they are looked for in every byte on S3
// (decompressed), in Temporal's database and histories (decoded), in logs, metrics, traces, the report and all that commands print.
func TestNoSecretIsAnywhere(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	var strayed atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	t.Cleanup(other.Close)
	p := &parrot{next: l.teacher, elsewhere: other.URL, canary: "canary-of-the-teacher-71"}
	l.url = l.serve(p)
	base := strings.TrimSuffix(l.url, "/v1")
	_, private, err := ed25519.GenerateKey(nil)
	l.must(err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	l.must(err)
	canaries := map[string]string{"teacher's key": p.canary, "webhook's address": "canary-of-a-webhook-72", "webhook's secret": "canary-of-a-signature-73", "a variable that nobody asked for": "canary-of-others-74",
		"signing key": base64.StdEncoding.EncodeToString(der), "secret of S3": l.stack.SecretKey}
	l.env = []string{"PARROT_KEY=" + p.canary, "HOOK_URL=http://127.0.0.1:9/canary-of-a-webhook-72", "HOOK_SECRET=canary-of-a-signature-73", "OTHER_SECRET=canary-of-others-74",
		"SIGN_KEY=" + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}
	t.Setenv("CLIENT_SECRET", "canary-of-others-74")
	metrics := freeAddress(t)
	traces := &kept{}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", strings.TrimSuffix(l.serve(traces), "/v1"))
	l.extra = "signing: {key_env: SIGN_KEY}\nnotify: [{url_env: HOOK_URL, secret_env: HOOK_SECRET}]\n"
	terms := "terms: {training: allowed, license: Apache-2.0, source: the test, read_on: 2026-11-01}, limits: {concurrency: 4}, price: {input: 0.2, output: 0.6}"
	l.configure(8, fmt.Sprintf("  - {name: redirecting, base_url: %q, model: test-1, api_key_env: PARROT_KEY, %s}\n  - {name: refusing, base_url: %q, model: test-1, api_key_env: PARROT_KEY, %s}\n",
		base+"/redirect/v1", terms, base+"/refuse/v1", terms))
	text, err := os.ReadFile(l.config)
	l.must(err)
	l.write("temporal.yaml", strings.NewReplacer("    model: test-1\n", "    model: test-1\n    api_key_env: PARROT_KEY\n", "scratch: ", fmt.Sprintf("metrics: %q, scratch: ", metrics)).Replace(string(text)))

	worker := l.startWorker()
	s := &search{t: t, needles: canaries, controls: map[string]bool{"meaning of number": false, "sent me Bearer [key]": false, "parrots": false}}
	say := func(want int, args ...string) {
		t.Helper()
		got := l.retort(args...)
		if got.status != want {
			t.Errorf("retort %v: exit %d\n%s%s", args, got.status, got.stdout, got.stderr)
		}
		s.look("what `retort "+args[0]+"` prints", []byte(got.stdout+got.stderr))
	}
	say(0, "run", l.questions("parrots", 60, "failed: 0.9\nrejected: 1\nchecks: {near: off, exact: off}\n"))
	say(3, "run", strings.Replace(l.questions("redirects", 8, ""), "redirects.yaml", l.through("redirects", "redirecting"), 1))
	say(3, "run", strings.Replace(l.questions("refusals", 8, ""), "refusals.yaml", l.through("refusals", "refusing"), 1))
	for _, args := range [][]string{{"status", "--all"}, {"--json", "status"}, {"show", "parrots", "-n", "60"}, {"show", "parrots", "--rejects", "-n", "60"}, {"versions", "parrots"}, {"verify", "parrots"}} {
		say(0, args...)
	}
	say(1, "teachers", "--ping")
	reply, err := http.Get("http://" + metrics + "/metrics")
	l.must(err)
	body, err := io.ReadAll(reply.Body)
	l.must(err)
	reply.Body.Close()
	if !bytes.Contains(body, []byte("retort_")) {
		t.Errorf("these are no metrics: %.200s", body)
	}
	s.look("metrics", body)
	worker.stop()
	s.look("the worker's log", worker.log.Bytes())
	sent := traces.bytes()
	if !bytes.Contains(sent, []byte("parrots")) {
		t.Errorf("%d bytes of traces say nothing of the run", len(sent))
	}
	s.look("traces", sent)
	s.objects(l)
	s.database(l)
	s.histories(l)
	s.done()
	if p.heard.Load() == 0 || strayed.Load() > 0 {
		t.Errorf("the key was sent %d times to its teacher, and %d requests to another host", p.heard.Load(), strayed.Load())
	}
	for _, word := range []string{"redirect", "unauthorized"} {
		if !strings.Contains(s.seen, word) {
			t.Errorf("nothing says that a teacher answered with: %s", word)
		}
	}
}

// kept keeps what is sent to it, as a collector of traces.
type kept struct {
	mu  sync.Mutex
	all []byte
}

func (k *kept) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what came counts
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(append(k.all, body...), '\n')
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (k *kept) bytes() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Clone(k.all)
}

// through changes which teacher a recipe asks, and returns its file's name.
func (l *lab) through(dataset, teacher string) string {
	path := filepath.Join(l.dir, dataset+".yaml")
	text, err := os.ReadFile(path)
	l.must(err)
	l.must(os.WriteFile(path, bytes.Replace(text, []byte("tester"), []byte(teacher), 1), 0o644))
	return dataset + ".yaml"
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// forms are how a secret may stand somewhere: as it is, or encoded; from base64 as much as doesn't depend on where it begins.
func forms(secret string) (all [][]byte) {
	all = [][]byte{[]byte(secret), []byte(hex.EncodeToString([]byte(secret)))}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		all = append(all, []byte(strings.TrimRight(encoded, "=")[4:len(encoded)-4]))
	}
	return all
}
