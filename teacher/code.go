package teacher

// Codes of schema.Response.FailCode: why a request has no answer. They may travel through Temporal.
const (
	CodeConnect          = "connect"            // no connection: refused, no such host, TLS
	CodeTimeoutConnect   = "timeout_connect"    // no connection within the time for it
	CodeTimeoutFirstByte = "timeout_first_byte" // connected, but no byte of an answer in time
	CodeTimeout          = "timeout"            // the answer began and did not end in time
	CodeReset            = "reset"              // the connection broke before the answer began
	CodeBodyTruncated    = "body_truncated"     // the answer ended early
	CodeBodyTooLarge     = "body_too_large"     // the answer is larger than Options.MaxBody
	CodeHTML             = "html"               // a web page instead of JSON
	CodeNotJSON          = "not_json"           // neither JSON nor a web page
	CodeBadContentType   = "bad_content_type"   // a content type that can't be JSON
	CodeBadUTF8          = "bad_utf8"           // bytes that aren't UTF-8
	CodeBadShape         = "bad_shape"          // JSON, but no chat completion
	CodeNoChoices        = "no_choices"         // a chat completion without a choice

	CodeRequestTimeout = "request_timeout" // 408
	CodeNotRun         = "not_run"         // a batch expired or was cancelled before it came to the request
	CodeConflict       = "conflict"        // 409, 425
	CodeRateLimited    = "rate_limited"    // 429
	CodeServerError    = "server_error"    // 5xx
	CodeGatewayTimeout = "gateway_timeout" // 504, 522, 524: the answer may have been paid for

	CodeBadRequest      = "bad_request"      // 400 and other 4xx: this prompt, at once
	CodeContextLength   = "context_length"   // 400, 413: the prompt is too long for the model
	CodeContentFiltered = "content_filtered" // 400: the provider's filter refuses the prompt

	CodeUnauthorized  = "unauthorized"       // 401
	CodePayment       = "payment"            // 402, or a 429 that says that quota or credit is used up
	CodeForbidden     = "forbidden"          // 403
	CodeSuspended     = "suspended"          // any 4xx that says that the account is suspended
	CodeModelNotFound = "model_not_found"    // 404
	CodeRedirect      = "redirect"           // 3xx: a key must not follow it
	CodeUnsupported   = "unsupported_params" // the model takes no such sampling parameters; nothing was sent

	CodeBudget      = "budget"              // the budget was reached; Ask returns an error too
	CodeCancelled   = "cancelled"           // the caller gave up; Ask returns an error too
	CodeUnavailable = "teacher_unavailable" // the breaker was open for longer than its bound (KindHold); Ask returns an error too
)

// Codes of schema.Error that Ask returns, with CodeUnavailable.
const (
	// CodeBlocked stops all asking of a teacher until a person mends what blocks it (KindHold).
	CodeBlocked = "teacher_blocked"
	// CodeNotFound says that a provider doesn't know a file or a batch (KindFailed).
	CodeNotFound = "not_found"
	// CodeBudgetReached says that no call could be paid for (KindBudget).
	CodeBudgetReached = "budget_reached"
)

// Class is what follows from a fault.
type Class int

const (
	// ClassRetry waits and calls again.
	ClassRetry Class = iota
	// ClassFail ends this request as failed.
	ClassFail
	// ClassBlock stops asking the teacher.
	ClassBlock
)

// ClassOf returns the class of a FailCode. Codes it doesn't know fail their request.
func ClassOf(code string) Class {
	switch code {
	case CodeConnect, CodeTimeoutConnect, CodeTimeoutFirstByte, CodeTimeout, CodeReset, CodeBodyTruncated,
		CodeHTML, CodeNotJSON, CodeBadContentType, CodeBadUTF8, CodeBadShape, CodeNoChoices,
		CodeRequestTimeout, CodeNotRun, CodeConflict, CodeRateLimited, CodeServerError, CodeGatewayTimeout:
		return ClassRetry
	case CodeUnauthorized, CodePayment, CodeForbidden, CodeSuspended, CodeModelNotFound, CodeRedirect, CodeUnsupported:
		return ClassBlock
	}
	return ClassFail
}

// overload says whether a fault may come from asking too much: AIMD counts it.
func overload(code string) bool {
	switch code {
	case CodeRateLimited, CodeServerError, CodeGatewayTimeout, CodeTimeout, CodeTimeoutFirstByte, CodeTimeoutConnect:
		return true
	}
	return false
}

// down says whether a fault may come from a teacher that is not there: the breaker counts it.
func down(code string) bool {
	switch code {
	case CodeConnect, CodeTimeoutConnect, CodeTimeoutFirstByte, CodeTimeout, CodeReset, CodeBodyTruncated,
		CodeHTML, CodeServerError, CodeGatewayTimeout:
		return true
	}
	return false
}

// maybePaid says whether a teacher may charge for a call that ended so, once the call was sent. Such calls
// are charged at their worst case. Providers don't charge for refusals with a status.
func maybePaid(code string) bool {
	switch code {
	case CodeTimeoutFirstByte, CodeTimeout, CodeReset, CodeBodyTruncated, CodeBodyTooLarge, CodeHTML, CodeNotJSON,
		CodeBadContentType, CodeBadUTF8, CodeBadShape, CodeNoChoices, CodeRequestTimeout, CodeGatewayTimeout:
		return true
	}
	return false
}
