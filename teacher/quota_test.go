package teacher

import (
	"net/http"
	"testing"
	"time"
)

func TestReadQuota(t *testing.T) {
	now := time.UnixMilli(1_790_000_000_000)
	for _, r := range []struct {
		name   string
		header map[string]string
		want   quota
	}{
		{"none", nil, noQuota},
		{"OpenAI", map[string]string{"x-ratelimit-remaining-requests": "59", "x-ratelimit-reset-requests": "1s",
			"x-ratelimit-remaining-tokens": "149984", "x-ratelimit-reset-tokens": "6m0s"},
			quota{requests: 59, requestsReset: time.Second, tokens: 149984, tokensReset: 6 * time.Minute}},
		{"milliseconds", map[string]string{"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "120ms"},
			quota{requests: 0, requestsReset: 120 * time.Millisecond, tokens: -1}},
		{"bare seconds", map[string]string{"ratelimit-remaining": "3", "ratelimit-reset": "12"}, quota{requests: 3, requestsReset: 12 * time.Second, tokens: -1}},
		{"unix milliseconds", map[string]string{"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1790000030000"},
			quota{requests: 0, requestsReset: 30 * time.Second, tokens: -1}},
		{"unix seconds", map[string]string{"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1790000030"},
			quota{requests: 0, requestsReset: 30 * time.Second, tokens: -1}},
		{"bounded", map[string]string{"x-ratelimit-remaining": "0", "x-ratelimit-reset": "24h"}, quota{requests: 0, requestsReset: mostReset, tokens: -1}},
		{"no reset", map[string]string{"x-ratelimit-remaining-requests": "0"}, noQuota},
		{"nonsense", map[string]string{"x-ratelimit-remaining-requests": "many", "x-ratelimit-reset-requests": "soon"}, noQuota},
		{"negative", map[string]string{"x-ratelimit-remaining-requests": "-4", "x-ratelimit-reset-requests": "1s"}, noQuota},
	} {
		h := http.Header{}
		for k, v := range r.header {
			h.Set(k, v)
		}
		if got := readQuota(h, now); got != r.want {
			t.Errorf("%s: %+v, want %+v", r.name, got, r.want)
		}
	}
}

func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"1", "0", "-1", "1e308", "NaN", "Inf", "6m0s", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", ""} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		now := time.UnixMilli(1_790_000_000_000)
		h := http.Header{"Retry-After": {a}, "Retry-After-Ms": {b}, "X-Ratelimit-Remaining": {a}, "X-Ratelimit-Reset": {b}}
		if d := retryAfter(h, now); d < 0 || d > maxWait {
			t.Errorf("retry after %v", d)
		}
		if q := readQuota(h, now); q.requests < -1 || q.requestsReset < 0 || q.requestsReset > mostReset {
			t.Errorf("quota %+v", q)
		}
	})
}
