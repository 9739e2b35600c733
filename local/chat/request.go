package chat

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"

	"github.com/tidwall/gjson"
	"github.com/zeebo/xxh3"
)

// Message is one turn of a conversation.
type Message struct{ Role, Content string }

// Request is a chat completion request as far as the local teachers heed it.
type Request struct {
	Model       string
	Messages    []Message
	Seed        int64   // the sample; from the body, else from the header X-Seed
	MaxTokens   int     // 0: no limit given; max_completion_tokens wins over max_tokens
	Temperature float64 // 1 where not given
	Schema      string  // the JSON schema of a structured answer, or ""
	Key         uint64  // hash of Messages and Seed
}

// Prompt is the last thing that the user said.
func (r *Request) Prompt() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == "user" {
			return r.Messages[i].Content
		}
	}
	return ""
}

// PromptTokens estimates what the provider would charge for the prompt.
func (r *Request) PromptTokens() int {
	n := 3
	for _, m := range r.Messages {
		n += 4 + Tokens(m.Content)
	}
	return n
}

// Tokens is the local teachers' measure of text.
func Tokens(text string) int { return (len(text) + 3) / 4 }

// ParseRequest reads the body of a chat completion request. Its errors are for
// status 400.
func ParseRequest(body []byte, header http.Header) (Request, error) {
	r := Request{Temperature: 1}
	if !gjson.ValidBytes(body) {
		return r, fmt.Errorf("the body is not valid JSON")
	}
	root := gjson.ParseBytes(body)
	if !root.IsObject() {
		return r, fmt.Errorf("the body must be a JSON object")
	}
	var fault error
	seeded := false
	root.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "model":
			r.Model = value.String()
		case "messages":
			r.Messages, fault = parseMessages(value)
		case "seed":
			seeded = value.Type == gjson.Number
			r.Seed = value.Int()
		case "max_tokens":
			if r.MaxTokens == 0 {
				r.MaxTokens = int(value.Int())
			}
		case "max_completion_tokens":
			r.MaxTokens = int(value.Int())
		case "temperature":
			if value.Type == gjson.Number {
				r.Temperature = value.Num
			}
		case "response_format":
			r.Schema = value.Get("json_schema.schema").Raw
		case "n":
			if value.Type == gjson.Number && value.Int() != 1 {
				fault = fmt.Errorf("n must be 1: ask again with another seed")
			}
		case "stream":
			if value.Bool() {
				fault = fmt.Errorf("stream is not supported: leave it out")
			}
		}
		return fault == nil
	})
	if fault != nil {
		return r, fault
	}
	if len(r.Messages) == 0 {
		return r, fmt.Errorf("messages is missing or empty")
	}
	if !seeded {
		r.Seed, _ = strconv.ParseInt(header.Get("X-Seed"), 10, 64)
	}
	r.Key = keyOf(r.Messages, r.Seed)
	return r, nil
}

func parseMessages(value gjson.Result) ([]Message, error) {
	if !value.IsArray() {
		return nil, fmt.Errorf("messages must be an array")
	}
	list := make([]Message, 0, 4)
	var fault error
	value.ForEach(func(_, m gjson.Result) bool {
		var one Message
		if one, fault = parseMessage(m); fault != nil {
			return false
		}
		list = append(list, one)
		return true
	})
	return list, fault
}

// parseMessage takes a content string or an array of parts of type text.
func parseMessage(m gjson.Result) (Message, error) {
	if !m.IsObject() {
		return Message{}, fmt.Errorf("each of messages must be an object")
	}
	var one Message
	m.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "role":
			one.Role = value.String()
		case "content":
			one.Content = ""
			if value.IsArray() {
				value.ForEach(func(_, part gjson.Result) bool {
					one.Content += part.Get("text").String()
					return true
				})
			} else if value.Type == gjson.String {
				one.Content = value.Str
			}
		}
		return true
	})
	if one.Role == "" {
		return one, fmt.Errorf("each of messages needs a role")
	}
	return one, nil
}

// keyOf hashes lengths along with texts, so that no two conversations run
// together into the same bytes.
func keyOf(messages []Message, seed int64) uint64 {
	var h xxh3.Hasher
	var number [8]byte
	write := func(text string) {
		binary.LittleEndian.PutUint64(number[:], uint64(len(text)))
		_, _ = h.Write(number[:])
		_, _ = h.WriteString(text)
	}
	for _, m := range messages {
		write(m.Role)
		write(m.Content)
	}
	binary.LittleEndian.PutUint64(number[:], uint64(seed))
	_, _ = h.Write(number[:])
	return h.Sum64()
}
