package chat

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseRequest(t *testing.T) {
	r, err := ParseRequest([]byte(`{"model":"m","max_tokens":9,"temperature":0.5,"seed":-3,"top_p":1,
		"messages":[{"role":"system","content":"Be \"kind\"."},{"role":"user","content":[{"type":"text","text":"Wh"},{"type":"text","text":"y?\u00e9"}]}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Model != "m" || r.MaxTokens != 9 || r.Seed != -3 || r.Temperature != 0.5 {
		t.Errorf("read %+v", r)
	}
	if r.Messages[0].Content != `Be "kind".` || r.Prompt() != "Why?é" {
		t.Errorf("messages %+v", r.Messages)
	}
}

func TestParseRequestSaysWhatIsWrong(t *testing.T) {
	for body, want := range map[string]string{
		``:                       "not valid JSON",
		`[]`:                     "must be a JSON object",
		`{"model":"m"}`:          "messages is missing",
		`{"messages":"hi"}`:      "must be an array",
		`{"messages":["hi"]}`:    "must be an object",
		`{"messages":[{"a":1}]}`: "needs a role",
		`{"messages":[{"role":"user","content":"x"}],"n":2}`:         "n must be 1",
		`{"messages":[{"role":"user","content":"x"}],"stream":true}`: "stream",
	} {
		if _, err := ParseRequest([]byte(body), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

func TestKey(t *testing.T) {
	key := func(body string, header http.Header) uint64 {
		t.Helper()
		r, err := ParseRequest([]byte(body), header)
		if err != nil {
			t.Fatal(err)
		}
		return r.Key
	}
	one := key(`{"messages":[{"role":"user","content":"ab"}],"seed":1}`, nil)
	if one != key(`{ "seed": 1, "model":"other", "messages": [ {"content":"\u0061b","role":"user"} ] }`, nil) {
		t.Error("the same question written otherwise has another key")
	}
	if one != key(`{"messages":[{"role":"user","content":"ab"}]}`, http.Header{"X-Seed": {"1"}}) {
		t.Error("the seed in the header counts differently")
	}
	for _, other := range []string{
		`{"messages":[{"role":"user","content":"ab"}],"seed":2}`,
		`{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}],"seed":1}`,
		`{"messages":[{"role":"system","content":"ab"}],"seed":1}`,
	} {
		if one == key(other, nil) {
			t.Errorf("%s has the same key", other)
		}
	}
}

// FuzzParseRequest: what encoding/json accepts as a request is read the same
// way, and nothing panics.
func FuzzParseRequest(f *testing.F) {
	f.Add(`{"messages":[{"role":"user","content":"x"}]}`)
	f.Add(`{"messages":[{"role":"user","content":"\ud83d\ude00\\\""}],"seed":1e3}`)
	f.Add(`{"messages":[{"role":"user","content":null}],"messages":[]}`)
	f.Fuzz(func(t *testing.T, body string) {
		r, err := ParseRequest([]byte(body), nil)
		if err != nil {
			return
		}
		if !json.Valid([]byte(body)) {
			t.Fatalf("accepted what is no JSON: %q", body)
		}
		if len(r.Messages) == 0 || r.PromptTokens() <= 0 {
			t.Fatalf("accepted an empty conversation: %q", body)
		}
	})
}

// FuzzCompletion: any text arrives as it was sent.
func FuzzCompletion(f *testing.F) {
	f.Add("plain", 3)
	f.Add("\x1b[2J\x00\"\\\n\t</script>\u2028", 0)
	f.Add("äöü€😀", 1)
	f.Fuzz(func(t *testing.T, text string, tokens int) {
		cut, truncated := Truncate(text, tokens)
		if !strings.HasPrefix(text, cut) || truncated == (cut == text) {
			t.Fatalf("cut %q to %q, truncated %v", text, cut, truncated)
		}
		if tokens > 0 && Tokens(cut) > tokens {
			t.Fatalf("%d tokens left of at most %d", Tokens(cut), tokens)
		}
		if !utf8.ValidString(text) {
			return
		}
		body := AppendCompletion(nil, &Completion{Content: cut, Reasoning: text, FinishReason: "stop", Model: text})
		var got struct {
			Model   string
			Choices []struct {
				Message struct{ Content string }
			}
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if got.Choices[0].Message.Content != cut || got.Model != text {
			t.Fatalf("sent %q, arrived %q", cut, got.Choices[0].Message.Content)
		}
	})
}
