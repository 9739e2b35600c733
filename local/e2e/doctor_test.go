package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/local/teacher"
)

// finding is what doctor says of a part.
type finding struct {
	Part, State, What, Mend string
}

// examined runs doctor and returns its findings that are bad.
func (l *lab) examined() (bad []finding, status int) {
	l.t.Helper()
	got := l.retort("--json", "doctor")
	var all []finding
	if err := json.Unmarshal([]byte(got.stdout), &all); err != nil {
		l.t.Fatalf("%v\n%s%s", err, got.stdout, got.stderr)
	}
	for _, f := range all {
		if f.State == "bad" {
			bad = append(bad, f)
		}
	}
	return bad, got.status
}

// before puts something between retort and the store that changes what is asked or answered.
func (l *lab) before(ask func(*http.Request), answer func(*http.Response)) string {
	to, err := url.Parse(l.stack.S3Endpoint)
	l.must(err)
	p := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, r.In.Host
		ask(r.Out)
	}, ModifyResponse: func(r *http.Response) error { answer(r); return nil }}
	s := httptest.NewServer(p)
	l.t.Cleanup(s.Close)
	return s.URL
}

// Broken set-ups, each named by its part and with a mend; the whole one has nothing to complain of.
func TestDoctorNamesWhatIsBroken(t *testing.T) {
	l := newLab(t, teacher.DefaultConfig())
	whole, err := os.ReadFile(l.config)
	l.must(err)
	if bad, status := l.examined(); status != 1 || len(bad) != 1 || bad[0].Part != "workers" || bad[0].Mend == "" {
		t.Errorf("without a worker: exit %d, %+v", status, bad)
	}
	l.configure(64, `  - {name: keyless, base_url: "`+l.url+`", model: m, api_key_env: NO_SUCH_KEY, terms: {training: allowed, license: x, source: y, read_on: 2026-11-01}}
  - {name: gone, base_url: "http://127.0.0.1:9/v1", model: m, terms: {training: allowed, license: x, source: y, read_on: 2026-11-01}}
  - {name: forbidding, base_url: "`+l.url+`", model: m, terms: {training: forbidden}}
`)
	l.startWorker()
	l.wait("the worker to poll", func() bool { bad, _ := l.examined(); return len(bad) == 0 || bad[0].Part != "workers" })
	bad, _ := l.examined()
	for i, part := range []string{"teacher keyless", "teacher gone", "teacher forbidding"} {
		if len(bad) != 3 || bad[i].Part != part || bad[i].Mend == "" {
			t.Errorf("teachers: %+v", bad)
			break
		}
	}
	l.must(os.WriteFile(l.config, whole, 0o644))
	if bad, status := l.examined(); status != 0 {
		t.Errorf("a whole installation: %+v", bad)
	}
	deaf := l.before(func(r *http.Request) { r.Header.Del("If-None-Match") }, func(*http.Response) {})
	early := l.before(func(*http.Request) {}, func(r *http.Response) {
		if at, err := http.ParseTime(r.Header.Get("Last-Modified")); err == nil {
			r.Header.Set("Last-Modified", at.Add(-time.Hour).UTC().Format(http.TimeFormat))
		}
	})
	for _, c := range []struct{ name, from, to, part, env string }{
		{"no such server", l.temporalAddress, "127.0.0.1:9", "temporal", ""},
		{"no such namespace", "namespace: default", "namespace: elsewhere", "namespace", ""},
		{"no such store", l.stack.S3Endpoint, "http://127.0.0.1:9", "store", ""},
		{"no such bucket", "bucket: " + l.stack.Bucket, "bucket: another", "store", ""},
		{"a wrong secret", "", "", "store", "AWS_SECRET_ACCESS_KEY"},
		{"a store without conditional puts", l.stack.S3Endpoint, deaf, "conditional put", ""},
		{"a clock that is wrong", l.stack.S3Endpoint, early, "clock", ""},
		{"a disk that can't be written", "scratch: \"", "scratch: \"/proc", "disk", ""},
		{"a key that is none", "teachers:", "signing: {key_env: HOME}\nteachers:", "signing key", ""},
		{"keys of payloads that are none", "task_queue: retort", "task_queue: retort, encryption: {key_env: HOME}", "encryption", ""},
		{"a file of keys that isn't there", "task_queue: retort", "task_queue: retort, encryption: {key_file: nowhere}", "encryption", ""},
		{"another queue", "task_queue: retort", "task_queue: other", "workers", ""},
		{"a configuration that is wrong", "store:", "stroe:", "configuration", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.t = t
			if c.env != "" {
				t.Setenv(c.env, "wrong")
			}
			text := string(whole)
			if c.from != "" {
				if text = strings.Replace(text, c.from, c.to, 1); text == string(whole) {
					t.Fatalf("nothing was broken: no %q in\n%s", c.from, whole)
				}
			}
			l.must(os.WriteFile(l.config, []byte(text), 0o644))
			bad, status := l.examined()
			if status == 0 || len(bad) == 0 || bad[0].Part != c.part || bad[0].What == "" || bad[0].Mend == "" && c.part != "configuration" {
				t.Errorf("exit %d: %+v", status, bad)
			} else {
				t.Logf("%s: %s\n  %s", bad[0].Part, bad[0].What, bad[0].Mend)
			}
		})
	}
	l.t = t
}
