package teacher

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// quota is what a teacher's x-ratelimit headers said; -1 means that they didn't.
type quota struct {
	requests, tokens           int64
	requestsReset, tokensReset time.Duration
}

var noQuota = quota{requests: -1, tokens: -1}

// mostReset bounds for how long a header can stop a teacher before it is asked again.
const mostReset = 10 * time.Minute

// readQuota reads the headers of OpenAI and those who copy it (x-ratelimit-remaining-requests, …-reset-tokens)
// and the plain x-ratelimit-remaining and ratelimit-remaining with their resets.
func readQuota(h http.Header, now time.Time) quota {
	q := noQuota
	if h == nil {
		return q
	}
	q.requests, q.requestsReset = readRemaining(h, now, "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests")
	q.tokens, q.tokensReset = readRemaining(h, now, "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens")
	for _, prefix := range [...]string{"X-Ratelimit-", "Ratelimit-"} {
		if q.requests < 0 {
			q.requests, q.requestsReset = readRemaining(h, now, prefix+"Remaining", prefix+"Reset")
		}
	}
	return q
}

// readRemaining needs both headers: a remainder without its end says nothing that can be obeyed.
func readRemaining(h http.Header, now time.Time, remaining, reset string) (int64, time.Duration) {
	values := h[remaining]
	if len(values) == 0 {
		return -1, 0
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(values[0]), 64)
	end := readReset(h.Get(reset), now)
	if err != nil || !(n >= 0) || n > 1e15 || end <= 0 {
		return -1, 0
	}
	return int64(n), min(end, mostReset)
}

// readReset reads Go-like durations ("6m0s", "20ms"), seconds, and unix times in seconds or milliseconds.
func readReset(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if d, err := time.ParseDuration(v); err == nil {
		return d
	}
	n, err := strconv.ParseFloat(v, 64)
	switch {
	case err != nil || !(n > 0):
		return 0
	case n > 1e11:
		return seconds(n/1000 - float64(now.UnixMilli())/1000)
	case n > 1e9:
		return seconds(n - float64(now.UnixMilli())/1000)
	}
	return seconds(n)
}

// allowance is what a teacher last said is left until a reset. What was sent after the call that learned it
// counts against it. Not for concurrent use.
type allowance struct {
	newest         uint64 // turn that taught it
	requests       int64  // left after that turn
	tokens         int64
	through        int64 // tokens of all turns up to that one
	requestsUntil  time.Time
	tokensUntil    time.Time
	requestsBehind uint64
}

// learn takes over what a newer call was told.
func (a *allowance) learn(now time.Time, t turn, q quota) {
	if t.number < a.newest {
		return
	}
	if q.requests >= 0 {
		a.newest, a.requestsBehind = t.number, t.number
		a.requests, a.requestsUntil = q.requests, now.Add(q.requestsReset)
	}
	if q.tokens >= 0 {
		a.newest, a.through = t.number, t.through
		a.tokens, a.tokensUntil = q.tokens, now.Add(q.tokensReset)
	}
}

// wait returns for how long a call of that many tokens must wait.
func (a *allowance) wait(now time.Time, tokens int64, sent uint64, sentTok int64) time.Duration {
	var wait time.Duration
	if left := a.requestsUntil.Sub(now); left > 0 && a.requests-int64(sent-a.requestsBehind) < 1 {
		wait = left
	}
	if left := a.tokensUntil.Sub(now); left > 0 && a.tokens-(sentTok-a.through) < tokens {
		wait = max(wait, left)
	}
	return wait
}
