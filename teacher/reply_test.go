package teacher

import (
	"encoding/json"
	"testing"

	openai "github.com/sashabaranov/go-openai"
)

// What is read in one pass is what go-openai's decoder makes of it.
func FuzzReadPlain(f *testing.F) {
	for _, body := range []string{
		completion("Hello"), completion("é \\u00e9 \\ud83d\\ude00 \\ud83d"),
		`{"Model":"m","CHOICES":[{"message":{"content":"x"},"Finish_Reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":9}}}`,
		`{"choices":[{"message":{"content":null,"refusal":"No.","reasoning_content":"hm"},"finish_reason":null}],"usage":null}`,
		`{"choices":[{"message":{"content":[{"type":"text","text":"parts"}]}}]}`,
		`{"choices":[{"message":{"content":"a"},"message":{"content":"b"}}],"model":"x","model":"y"}`,
		`{"choices":[{"message":null}],"usage":{"prompt_tokens":-1}}`, `{"choices":[]}`, `null`, `[]`, `{"choices":[{}]} `, `{"choices":[{}]}x`,
		`{"choices":[{"message":{"content":"a","tool_calls":[{"id":1}]}}]}`, `{"choices":[{"message":{"content":"a"},"logprobs":7}]}`,
		`{"id":7,"choices":[{"message":{"content":"a"}}]}`, `{"model":"m","choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":1e3}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		x := &exchange{}
		if !x.readPlain(body) {
			return
		}
		var c openai.ChatCompletionResponse
		if err := json.Unmarshal(body, &c); err != nil {
			return // a member that nobody reads is of another type than it should be: no reason to throw a paid answer away
		}
		if got, want := *x.reply, *replyOf(&c); got != want {
			t.Errorf("%q: read as\n%+v, not\n%+v", body, got, want)
		}
	})
}
