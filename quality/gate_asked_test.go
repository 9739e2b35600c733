package quality

import (
	"fmt"
	"strings"
	"testing"
)

// What was asked, and length, are compared only where answer and twin answer the same question.
func TestAskedOnlyWhereTheQuestionIsTheSame(t *testing.T) {
	s := newSpeaker(1, 5000, 0.7)
	a := testAnchor(t, s, 600, "")
	for i := range a.Twins {
		a.Twins[i].PromptID, a.Twins[i].Key = fmt.Sprint("p", i), fmt.Sprint("k", i)
		a.Twins[i].Asked = AskedOf("what does alpha beta do")
		a.Twins[i].Text = "alpha beta " + a.Twins[i].Text
	}
	short := strings.Join(strings.Fields(s.text())[:9], " ")
	for _, c := range []struct {
		name          string
		o             GateOptions
		answer        Answer
		asked, length bool
	}{
		{"the same prompt", GateOptions{NewPrompts: true, NewTemplate: true}, Answer{PromptID: "p1"}, true, true},
		{"the same row", GateOptions{NewPrompts: true}, Answer{PromptID: "other", Key: "k1"}, true, true},
		{"the same row by another template", GateOptions{NewPrompts: true, NewTemplate: true}, Answer{PromptID: "other", Key: "k1"}, false, false},
		{"another row of the same files", GateOptions{}, Answer{PromptID: "other", Key: "other"}, false, true},
		{"another row of other files", GateOptions{NewPrompts: true}, Answer{PromptID: "other", Key: "other"}, false, false},
	} {
		c.o.Mode = ModeSame
		g := testGate(t, a, c.o)
		c.answer.Features = FeaturesOf(short)
		u := g.Observe(c.answer)
		for k, name := range g.Betting() {
			if want := map[string]bool{AccountAsked: c.asked, AccountLength: c.length}; name == AccountAsked || name == AccountLength {
				if got := u.D[k] > 0; got != want[name] {
					t.Errorf("%s: %s %v", c.name, name, u.D[k])
				}
			}
		}
	}
	for mode, want := range map[Mode]bool{ModeSame: true, ModeChanged: false, ModeHuman: false} {
		if got := strings.Contains(fmt.Sprint(testGate(t, a, GateOptions{Mode: mode}).Betting()), AccountAsked); got != want {
			t.Errorf("mode %s bets on it: %v", mode, got)
		}
	}
}
