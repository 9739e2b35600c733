package schema

// Finish reasons that Retort tells apart; a teacher may send others.
const (
	FinishStop          = "stop"
	FinishLength        = "length"
	FinishContentFilter = "content_filter"
)

// What response.finish does with an answer; tag and drop are those of checks.
const (
	FinishKeep = "keep"
	FinishFail = "fail" // it counts as failed, and was paid for
)

// Response is what a teacher sent back for one request, or why there is none: a line of a journal part and of
// a page's final answers.
type Response struct {
	RequestID    string `json:"request_id"`
	Text         string `json:"text,omitempty"`
	Reasoning    string `json:"reasoning,omitempty"`
	FinishReason string `json:"finish_reason,omitempty"`
	Model        string `json:"model,omitempty"` // as served
	Fingerprint  string `json:"fingerprint,omitempty"`
	InputTokens  int64  `json:"input_tokens,omitempty"`
	CachedTokens int64  `json:"cached_tokens,omitempty"`
	OutputTokens int64  `json:"output_tokens,omitempty"`
	UsageUnknown bool   `json:"usage_unknown,omitempty"` // the teacher sent no usage
	CostMicros   *int64 `json:"cost_micros,omitempty"`   // nil: unknown price
	Attempts     int    `json:"attempts,omitempty"`      // calls made for it, failed ones included
	MillisFirst  int64  `json:"ms,omitempty"`            // from the last send to the whole answer
	AnsweredAt   int64  `json:"at,omitempty"`            // unix milliseconds
	Seed         int    `json:"seed,omitempty"`
	FailCode     string `json:"fail,omitempty"`      // empty: answered; else a coded error (see package teacher)
	FailDetail   string `json:"fail_why,omitempty"`  // shortened provider message; on S3 only, never in Temporal
	ReusedFrom   string `json:"reused,omitempty"`    // run whose paid answer this is
	SchemaFault  string `json:"bad_shape,omitempty"` // how the text breaks response.schema
}

// Failed says whether there is no answer.
func (r *Response) Failed() bool { return r.FailCode != "" }
