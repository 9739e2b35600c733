package teacher

import (
	"math"

	openai "github.com/sashabaranov/go-openai"

	"github.com/retort-data/retort/schema"
)

// Steps down from structured output, for servers that refuse the one before.
const (
	formatSchema int32 = iota // response_format json_schema
	formatObject              // response_format json_object, the schema in the prompt
	formatNone                // the schema in the prompt alone
)

// dialect is what a server is known to take; it is learned from refusals.
type dialect struct {
	format int32
	newer  bool // max_completion_tokens in place of max_tokens
}

func (c *Client) dialect() dialect { return dialect{format: c.format.Load(), newer: c.newer.Load()} }

// learn changes the dialect after a refusal of what was sent, and says whether there is another way.
func (c *Client) learn(f *fault, sent dialect, structured bool) bool {
	switch {
	case f.format && structured && sent.format < formatNone:
		c.format.CompareAndSwap(sent.format, sent.format+1) // another request may have learned it meanwhile
	case f.tokens && !sent.newer:
		c.newer.Store(true)
	default:
		return false
	}
	return true
}

// DefaultMaxTokens is sent where the sampling names no max_tokens, so that a worst case always exists.
const DefaultMaxTokens = 1024

// maxTokens returns the bound on an answer's tokens.
func maxTokens(s schema.Sampling) int {
	if s.MaxTokens != nil && *s.MaxTokens > 0 {
		return *s.MaxTokens
	}
	return DefaultMaxTokens
}

// chatRequest returns go-openai's form of a call.
func (c *Client) chatRequest(a *Ask, messages []schema.Message, d dialect) openai.ChatCompletionRequest {
	s := a.Sampling
	r := openai.ChatCompletionRequest{
		Model:            c.teacher.Model,
		Messages:         make([]openai.ChatCompletionMessage, len(messages)),
		Temperature:      temperature(s.Temperature),
		TopP:             float(s.TopP),
		FrequencyPenalty: float(s.FrequencyPenalty),
		PresencePenalty:  float(s.PresencePenalty),
		Stop:             s.Stop,
		Seed:             a.Seed,
	}
	for i, m := range messages {
		r.Messages[i] = openai.ChatCompletionMessage{Role: m.Role, Content: m.Content}
	}
	if d.newer {
		r.MaxCompletionTokens = maxTokens(s)
	} else {
		r.MaxTokens = maxTokens(s) //lint:ignore SA1019 most servers that speak this API know only max_tokens
	}
	if a.Schema != nil {
		setFormat(&r, a.Schema, d.format)
	}
	return r
}

// schemaInWords goes before the schema where a server doesn't take it beside the prompt.
const schemaInWords = "\n\nAnswer with one JSON document, and nothing else, that satisfies this JSON Schema:\n"

func setFormat(r *openai.ChatCompletionRequest, s *Schema, format int32) {
	if format == formatSchema {
		r.ResponseFormat = &openai.ChatCompletionResponseFormat{
			Type:       openai.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: "answer", Schema: s.raw, Strict: s.strict},
		}
		return
	}
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == openai.ChatMessageRoleUser {
			r.Messages[i].Content += schemaInWords + string(s.raw)
			break
		}
	}
	if format == formatObject {
		r.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: openai.ChatCompletionResponseFormatTypeJSONObject}
	}
}

// temperature returns the stand-in for 0, which go-openai would leave out; doer writes the 0.
func temperature(t *float64) float32 {
	if t != nil && *t == 0 {
		return math.SmallestNonzeroFloat32
	}
	return float(t)
}

func float(p *float64) float32 {
	if p == nil {
		return 0
	}
	return float32(*p)
}

// needsZeros says whether go-openai would leave out something that was meant.
func needsZeros(a *Ask, messages []schema.Message) bool {
	if t := a.Sampling.Temperature; t != nil && *t == 0 {
		return true
	}
	for _, m := range messages {
		if m.Content == "" {
			return true
		}
	}
	return false
}

// A chat template adds its own tokens to a prompt. None in use adds more than these.
const (
	tokensAMessage = 16
	tokensAPrompt  = 32
)

// InputBound bounds the input tokens of a request by its bytes: no tokenizer in use makes a token of less than
// a byte.
func InputBound(messages []schema.Message, s *Schema) int64 {
	n := tokensAPrompt
	for _, m := range messages {
		n += len(m.Role) + len(m.Content) + tokensAMessage
	}
	if s != nil {
		n += len(schemaInWords) + len(s.raw) + tokensAPrompt
	}
	return int64(n)
}
