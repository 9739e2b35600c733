package teacher

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// providerError is what providers put into the body of a refusal, as far as they agree.
type providerError struct {
	message, kind, code string
}

// parseProviderError reads {"error": {...}}, {"error": "..."}, {"message"/"detail": ...} and plain text.
func parseProviderError(body []byte) providerError {
	var doc map[string]json.RawMessage
	if json.Unmarshal(body, &doc) != nil {
		return providerError{message: string(body)}
	}
	inner := doc
	if raw, ok := doc["error"]; ok {
		var e map[string]json.RawMessage
		if json.Unmarshal(raw, &e) != nil {
			return providerError{message: scalar(raw), code: scalar(doc["code"])}
		}
		inner = e
	}
	e := providerError{message: scalar(inner["message"]), kind: scalar(inner["type"]), code: scalar(inner["code"])}
	if e.message == "" {
		e.message = scalar(inner["detail"])
	}
	if e.message == "" {
		e.message = string(body)
	}
	return e
}

// scalar returns a string's value, and other JSON as it stands.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// statusFault classifies an answer whose status is not 2xx.
func statusFault(status int, header http.Header, body []byte, now time.Time) *fault {
	e := parseProviderError(body)
	f := &fault{detail: fmt.Sprintf("HTTP %d: %s", status, e.message), sent: true, wait: retryAfter(header, now)}
	f.code = statusCode(status, e)
	if f.code == CodeBadRequest {
		refineBadRequest(f, e)
	}
	return f
}

func statusCode(status int, e providerError) string {
	if code := accountCode(status, e); code != "" {
		return code
	}
	switch {
	case status < 200: // the transport handles 1xx; one that reaches us is no answer
		return CodeBadShape
	case status < 400:
		return CodeRedirect
	case status == 401:
		return CodeUnauthorized
	case status == 402:
		return CodePayment
	case status == 403:
		return CodeForbidden
	case status == 404:
		return CodeModelNotFound
	case status == 408:
		return CodeRequestTimeout
	case status == 409, status == 425:
		return CodeConflict
	case status == 413:
		return CodeContextLength
	case status == 429:
		return CodeRateLimited
	case status == 504, status == 522, status == 524:
		return CodeGatewayTimeout
	case status >= 500:
		return CodeServerError
	}
	return CodeBadRequest
}

// accountCode knows the refusals that are about the account or the model, whatever their status. A message is
// believed only with a status of that kind: a 400 may quote the prompt, and no prompt shall block a teacher.
func accountCode(status int, e providerError) string {
	if status < 400 || status > 499 {
		return ""
	}
	said := strings.ToLower(e.kind + " " + e.code)
	if status == 401 || status == 402 || status == 403 || status == 429 {
		said += " " + strings.ToLower(e.message)
	}
	switch {
	case anyOf(said, "insufficient_quota", "exceeded your current quota", "billing_hard_limit", "insufficient balance", "credit balance is too low"):
		return CodePayment
	case anyOf(said, "account_deactivated", "account is suspended", "account has been suspended", "account suspended", "account is not active"):
		return CodeSuspended
	case anyOf(said, "model_not_found"):
		return CodeModelNotFound
	}
	return ""
}

// refineBadRequest tells what a 400 is about, by the codes and words that providers use.
func refineBadRequest(f *fault, e providerError) {
	said := strings.ToLower(e.kind + " " + e.code + " " + e.message)
	switch {
	case anyOf(said, "context_length_exceeded", "maximum context length", "context length", "exceed_context_size", "prompt is too long", "exceeds the available context"):
		f.code = CodeContextLength
	case anyOf(said, "content_filter", "content_policy", "responsibleaipolicy", "data_inspection_failed", "content management policy"):
		f.code = CodeContentFiltered
	case anyOf(said, "max_completion_tokens"):
		f.tokens = true
	case anyOf(said, "response_format", "json_schema", "json_object", "guided_json", "structured output", "grammar"):
		f.format = true
	}
}

func anyOf(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// retryAfter reads Retry-After (RFC 9110, section 10.2.3: seconds or a date) and OpenAI's retry-after-ms.
// 0 means that nothing usable was said.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); err == nil && ms > 0 {
		return seconds(ms / 1000)
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		return seconds(s)
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(0, at.Sub(now)), maxWait)
	}
	return 0
}

// maxWait bounds what a header can ask for, so that no sum of durations overflows.
const maxWait = 30 * 24 * time.Hour

func seconds(s float64) time.Duration {
	if !(s > 0) {
		return 0
	}
	if s >= maxWait.Seconds() {
		return maxWait
	}
	return time.Duration(s * float64(time.Second))
}
