package telemetry

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	got, err := http.Get(url) //nolint:noctx // a test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, string(b)
}

// Metrics of the SDK and ours are served, and whether the worker takes work.
func TestServe(t *testing.T) {
	s, err := Serve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	Default.Count("retort_test_total", 3, "teacher", "a\"b")
	s.Handler.WithTags(map[string]string{"namespace": "x"}).Counter("temporal_request").Inc(1)
	at := "http://" + s.Address
	if _, body := get(t, at+"/metrics"); !strings.Contains(body, `retort_test_total{teacher="a\"b"} 3`) || !strings.Contains(body, `temporal_request{namespace="x"} 1`) || !strings.Contains(body, "go_goroutines ") {
		t.Errorf("metrics: %s", body)
	}
	if code, _ := get(t, at+"/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("ready before it is: %d", code)
	}
	s.Ready(true)
	for _, path := range []string{"/readyz", "/healthz"} {
		if code, _ := get(t, at+path); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}
	if _, err := Serve(s.Address); err == nil || !strings.Contains(err.Error(), "free port") {
		t.Errorf("a port that is taken: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// The exposition, as Prometheus reads it: buckets are cumulative, and a made-up name can't break a line.
func TestExposition(t *testing.T) {
	r := &Registry{}
	r.Took("took_seconds", 30*time.Millisecond, "teacher", "t")
	r.Took("took_seconds", time.Hour, "teacher", "t")
	r.Set("at", 1.5)
	r.Count("at", 1) // another kind of the same name is left out
	r.Handler().WithTags(map[string]string{"a b": "x\ny"}).Gauge("odd-name{").Update(2)
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# TYPE took_seconds histogram\n", `took_seconds_bucket{teacher="t",le="0.025"} 0`, `took_seconds_bucket{teacher="t",le="0.05"} 1`,
		`took_seconds_bucket{teacher="t",le="+Inf"} 2`, `took_seconds_sum{teacher="t"} 3600.03`, `took_seconds_count{teacher="t"} 2`, "at 1.5\n", `odd_name_{a_b="x\ny"} 2`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is missing in\n%s", want, b.String())
		}
	}
}

// What somebody makes up doesn't fill the memory.
func TestSeriesAreBounded(t *testing.T) {
	r := &Registry{}
	for i := range mostSeries + 10 {
		r.Count("n", 1, "id", time.Duration(i).String())
	}
	if len(r.series["n"]) != mostSeries {
		t.Errorf("%d series", len(r.series["n"]))
	}
}
