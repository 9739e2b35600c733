package inspect

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
)

func TestTextIsTheLastAnswer(t *testing.T) {
	list := []any{message("user", "q1"), message("assistant", "a1"), message("user", "q2"), message("assistant", "a2"), message("user", "q3")}
	r, err := Columns{Prompt: "messages"}.read(prompt.Row{Columns: map[string]any{"messages": list}}, 4)
	if err != nil {
		t.Fatal(err)
	}
	if r.text != "a2" || len(r.prompt) != 3 || r.prompt[2].Content != "q2" || r.id != "4" || r.promptID != schema.PromptID(r.prompt) {
		t.Errorf("%+v", r)
	}
}

func message(role, content string) any { return map[string]any{"role": role, "content": content} }

// Whatever a row holds, it is read or it is a fault of the person's.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"text":"a","id":1}`, `{"messages":[{"role":"assistant","content":"x"}]}`, `{"text":null,"p":[]}`, `{"messages":[null]}`, `{"messages":[]}`,
		`{"completion":[{"role":"assistant","content":null}],"p":{"a":1}}`, `{"text":true}`, `{"id":[1],"text":"","p":1e400}`, `{}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var columns map[string]any
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		if dec.Decode(&columns) != nil {
			return
		}
		for _, c := range []Columns{{}, {Prompt: "p", Key: "p", Stratum: "p"}, {Prompt: "messages"}, {Text: "p"}} {
			r, err := c.read(prompt.Row{Columns: columns, File: "f", Line: 1}, 0)
			if err != nil && schema.KindOf(err) != schema.KindInvalid {
				t.Errorf("%v: %v", c, err)
			}
			if err == nil && r.id == "" {
				t.Error("a row without an id")
			}
		}
	})
}
