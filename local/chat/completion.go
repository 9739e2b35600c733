package chat

import (
	"net/http"
	"strconv"
	"sync"
	"unicode/utf8"
)

// Completion is one answer.
type Completion struct {
	ID, Model, Fingerprint         string
	Created                        int64 // Unix seconds
	Content                        string
	Reasoning                      string // its own field, reasoning_content; "" leaves it out
	FinishReason                   string // stop, length or content_filter
	PromptTokens, CompletionTokens int
}

// AppendCompletion appends c as a chat.completion object.
func AppendCompletion(b []byte, c *Completion) []byte {
	b = append(b, `{"id":`...)
	b = AppendString(b, c.ID)
	b = append(b, `,"object":"chat.completion","created":`...)
	b = strconv.AppendInt(b, c.Created, 10)
	b = append(b, `,"model":`...)
	b = AppendString(b, c.Model)
	b = append(b, `,"system_fingerprint":`...)
	b = AppendString(b, c.Fingerprint)
	b = append(b, `,"choices":[{"index":0,"message":{"role":"assistant","content":`...)
	b = AppendString(b, c.Content)
	if c.Reasoning != "" {
		b = append(b, `,"reasoning_content":`...)
		b = AppendString(b, c.Reasoning)
	}
	b = append(b, `},"logprobs":null,"finish_reason":`...)
	b = AppendString(b, c.FinishReason)
	b = append(b, `}],"usage":{"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(c.PromptTokens), 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, int64(c.CompletionTokens), 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(c.PromptTokens+c.CompletionTokens), 10)
	return append(b, `}}`...)
}

// AppendString appends s as a JSON string. Bytes that are not UTF-8 pass as
// they are: a test teacher must be able to send them.
func AppendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		start = i + 1
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// WriteCompletion sends c with status 200.
func WriteCompletion(w http.ResponseWriter, c *Completion) {
	p := buffers.Get().(*[]byte)
	b := AppendCompletion((*p)[:0], c)
	writeJSON(w, http.StatusOK, b)
	*p = b
	buffers.Put(p)
}

var jsonType = []string{"application/json"}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header["Content-Type"] = jsonType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// WriteError sends an error in OpenAI's form.
func WriteError(w http.ResponseWriter, status int, kind, code, message string) {
	b := append([]byte(nil), `{"error":{"message":`...)
	b = AppendString(b, message)
	b = append(b, `,"type":`...)
	b = AppendString(b, kind)
	b = append(b, `,"param":null,"code":`...)
	b = AppendString(b, code)
	writeJSON(w, status, append(b, `}}`...))
}

// WriteModels answers /v1/models.
func WriteModels(w http.ResponseWriter, owner string, models ...string) {
	b := append([]byte(nil), `{"object":"list","data":[`...)
	for i, m := range models {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"object":"model","created":0,"id":`...)
		b = AppendString(b, m)
		b = append(b, `,"owned_by":`...)
		b = append(AppendString(b, owner), '}')
	}
	writeJSON(w, http.StatusOK, append(b, `]}`...))
}

// Truncate cuts text to at most tokens tokens, at the last space before the
// limit where there is one, never inside a character.
func Truncate(text string, tokens int) (cut string, truncated bool) {
	if tokens <= 0 || Tokens(text) <= tokens {
		return text, false
	}
	end := tokens * 4
	for i := end; i > end-40 && i > 0; i-- {
		if text[i] == ' ' || text[i] == '\n' {
			return text[:i], true
		}
	}
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], true
}
