package schema

// Formats of a shard.
const (
	FormatMessages         = "messages"
	FormatPromptCompletion = "prompt-completion"
	FormatText             = "text"
)

// Record is a row of a shard: a prompt with its response, as a student is to see it.
type Record struct {
	ID            string    `json:"id"`
	Messages      []Message `json:"messages,omitempty"` // the prompt's messages and the answer as the last one
	Reasoning     string    `json:"reasoning,omitempty"`
	Teacher       string    `json:"teacher,omitempty"`
	Model         string    `json:"model,omitempty"`
	Revision      string    `json:"revision,omitempty"`
	Generation    int32     `json:"generation"` // UnknownGeneration is written as null
	Origin        string    `json:"origin"`
	Source        string    `json:"source,omitempty"`
	SourceLicense string    `json:"source_license,omitempty"`
	PromptID      string    `json:"prompt_id,omitempty"`
	RequestID     string    `json:"request_id,omitempty"`
	FinishReason  string    `json:"finish_reason,omitempty"`
	InputTokens   int64     `json:"input_tokens,omitempty"`
	OutputTokens  int64     `json:"output_tokens,omitempty"`
	Signals       []Signal  `json:"signals,omitempty"`
	ClusterSize   int32     `json:"cluster_size,omitempty"`
	Run           string    `json:"run,omitempty"`
}

// Answer returns the content of the last message, or "".
func (r *Record) Answer() string {
	if len(r.Messages) == 0 {
		return ""
	}
	return r.Messages[len(r.Messages)-1].Content
}

// Reject is a record that a check turned away, with why.
type Reject struct {
	Record
	Reason string  `json:"reason"`          // the check's name
	Signal string  `json:"signal"`          // the signal that decided, where there is one
	Value  float64 `json:"value"`           // its value
	Limit  float64 `json:"limit"`           // the limit that it broke
	Of     string  `json:"of,omitempty"`    // record id that it duplicates
	Text   string  `json:"match,omitempty"` // the words that matched, where a pattern decided
}
