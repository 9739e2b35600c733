package activities

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/retort-data/retort/schema"
)

// A server that knows no json_schema is asked with json_object; an answer that breaks the schema is repaired at most as often as the
// recipe says, each try is counted, and what stays broken is turned away.
func TestStructuredAnswers(t *testing.T) {
	l := newLab(t, "")
	var mu sync.Mutex
	formats := map[string]int{}
	l.provider = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Messages       []schema.Message
			ResponseFormat struct{ Type string } `json:"response_format"`
		}
		json.NewDecoder(r.Body).Decode(&body) //nolint:errcheck // a test's own client
		mu.Lock()
		formats[body.ResponseFormat.Type]++
		mu.Unlock()
		if body.ResponseFormat.Type == "json_schema" {
			w.WriteHeader(http.StatusBadRequest)
			send(w, map[string]any{"error": map[string]any{"message": "response_format of type json_schema is not supported", "param": "response_format"}})
			return
		}
		text, topic := `{"said": "`+essay(body.Messages[0].Content)+`"}`, strings.Fields(body.Messages[0].Content)[4]
		if first := len(body.Messages) == 1; topic == "1" && first || topic == "2" { // mended when asked again; never
			text = `{"say": 1}`
		}
		answer(w, text)
	})
	l.everything = true
	l.shape = []byte(`{"type": "object", "properties": {"said": {"type": "string"}}, "required": ["said"], "additionalProperties": false}`)
	l.recipe += "response: {schema: shape.json, repair: 1}\n"
	l.begin("r2")
	f := l.flow(l.rooms(l.store))
	f.decide()
	if c := f.publish.Counts; c.Rejected["schema"] != 2 || c.Failed != 0 || c.Admitted+c.RejectedTotal() != 2*prompts {
		t.Errorf("%+v", c)
	}
	if formats["json_object"] < 2*prompts || formats["json_schema"] == 0 || formats["json_schema"] > 10 || formats[""] > 0 {
		t.Errorf("asked with %v", formats)
	}
	for n := range f.plan.Teachers[0].Pages {
		_, answers, err := l.rooms(l.store).readAnswers(t.Context(), l.run, schema.PageRef{Number: n})
		l.must(err)
		for _, a := range answers {
			if broken := strings.Contains(a.Text, `"say"`); broken != (a.SchemaFault != "") || broken && a.Attempts < 2 || a.Attempts > 3 {
				t.Errorf("%d attempts, fault %q: %.60s", a.Attempts, a.SchemaFault, a.Text)
			}
		}
	}
}
