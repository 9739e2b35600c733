package teacher

import (
	jsonv2 "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
	openai "github.com/sashabaranov/go-openai"
)

// plainReply is what is read of a chat completion. Most are read straight into it, in one pass that also checks the syntax: go-openai's decoder
// goes over a text five times, which is a third of what a call costs this process. What is unusual in any way, a member twice or of another
// type, content in parts, no choice, is left to go-openai's decoder.
type plainReply struct {
	Model       string `json:"model"`
	Fingerprint string `json:"system_fingerprint"`
	Choices     []struct {
		Message struct {
			Content          string `json:"content"`
			Refusal          string `json:"refusal"`
			ReasoningContent string `json:"reasoning_content"`
		} `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage struct {
		PromptTokens        int `json:"prompt_tokens"`
		CompletionTokens    int `json:"completion_tokens"`
		PromptTokensDetails *struct {
			CachedTokens int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	} `json:"usage"`
}

// asGoOpenAI compares names as go-openai's decoder does.
var asGoOpenAI = jsonv2.JoinOptions(jsonv2.MatchCaseInsensitiveNames(true), jsonv1.MatchCaseSensitiveDelimiter(true))

// readPlain reads a usual chat completion; false where go-openai's decoder has to look at it.
func (x *exchange) readPlain(body []byte) bool {
	var p plainReply
	if jsonv2.Unmarshal(body, &p, asGoOpenAI) != nil || len(p.Choices) == 0 {
		return false
	}
	m := &p.Choices[0].Message
	x.reply = &reply{model: p.Model, fingerprint: p.Fingerprint, finish: p.Choices[0].FinishReason, content: m.Content, refusal: m.Refusal,
		reasoning: m.ReasoningContent, usage: usageFrom(p.Usage.PromptTokens, p.Usage.CompletionTokens, 0)}
	if d := p.Usage.PromptTokensDetails; d != nil {
		x.reply.usage = usageFrom(p.Usage.PromptTokens, p.Usage.CompletionTokens, d.CachedTokens)
	}
	return true
}

// nothing is what go-openai's decoder gets of an answer that was read.
var nothing = []byte("{}")

// reply is a chat completion's first choice, however it was read.
type reply struct {
	model, fingerprint, finish  string
	content, refusal, reasoning string
	usage                       usageOf
}

// replyOf takes what go-openai has decoded, which has a choice.
func replyOf(c *openai.ChatCompletionResponse) *reply {
	m := &c.Choices[0].Message
	cached := 0
	if d := c.Usage.PromptTokensDetails; d != nil {
		cached = d.CachedTokens
	}
	return &reply{model: c.Model, fingerprint: c.SystemFingerprint, finish: string(c.Choices[0].FinishReason), content: m.Content, refusal: m.Refusal,
		reasoning: m.ReasoningContent, usage: usageFrom(c.Usage.PromptTokens, c.Usage.CompletionTokens, cached)}
}

// usageFrom reads a teacher's count, which nothing forces to be sane.
func usageFrom(prompt, completion, cached int) usageOf {
	if prompt < 0 || completion < 0 || prompt == 0 && completion == 0 {
		return usageOf{}
	}
	return usageOf{known: true, Usage: Usage{Input: int64(prompt), Output: int64(completion), Cached: min(max(0, int64(cached)), int64(prompt))}}
}
