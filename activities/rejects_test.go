package activities

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// A run that is held because its checks turn nearly all away says how many by which check, with an answer for each and the words that
// decided, as nothing is published that could be looked at.
func TestHeldForRejectsShowsThem(t *testing.T) {
	l := newLab(t, "checks: {repetition: {do: tag}, exact: {do: off}, near: {do: off}}\n")
	l.respond = func(w http.ResponseWriter, prompt string) bool {
		if strings.HasSuffix(prompt, "3") {
			answer(w, "I am ChatGPT, a large language model trained by OpenAI.")
		} else {
			answer(w, essay(prompt)+" <|im_start|>user")
		}
		return true
	}
	f := l.flow(l.rooms(l.store))
	f.decide()
	state, err := json.Marshal(heldState{Status: schema.Status{Reason: "rejected", Counts: f.publish.Counts}, Seq: f.plan.Teachers[0].Pages})
	l.must(err)
	r := l.rooms(l.store)
	l.must(r.SaveHeld(t.Context(), schema.HeldInput{RunRef: l.ref, Number: 1}, state))
	body, err := l.store.Get(t.Context(), l.run.Problem("rejected"))
	l.must(err)
	var p Problem
	l.must(json.Unmarshal(body, &p))
	for _, want := range []string{"46 of 46 answers were turned away", "identity     4", "I am ChatGPT", "template     42", "It is known that", "im_start"} {
		if !strings.Contains(p.Message, want) {
			t.Errorf("the explanation lacks %q:\n%s", want, p.Message)
		}
	}
	if kept, err := r.LoadHeld(t.Context(), schema.HeldInput{RunRef: l.ref, Number: 1}); err != nil || string(kept) != string(state) {
		t.Errorf("the state became %s, %v", kept, err)
	}
}
