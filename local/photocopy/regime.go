package photocopy

import "fmt"

// Regime is how versions are made.
type Regime struct {
	Name  string
	Title string
	Human bool // half of each version is human text
	Gated bool // checks and gate
	Fixed bool // the student of human text answers every time: nothing degrades, and nothing should be held
}

// Regimes are the three that are compared, and one in which nothing is wrong.
func Regimes() []Regime {
	return []Regime{
		{Name: "replaced", Title: "replaced, no gate"},
		{Name: "mixed", Title: "50% human, no gate", Human: true},
		{Name: "gated", Title: "50% human, checks and gate", Human: true, Gated: true},
		{Name: "steady", Title: "same student, checks and gate", Human: true, Gated: true, Fixed: true},
	}
}

// Dataset that the regime publishes.
func (r Regime) Dataset() string { return "photocopy-" + r.Name }

const noChecks = `checks: {empty: tag, truncated: off, refusal: off, identity: off, repetition: off, quality: off, echo: off, template: off, reasoning: off, exact: off, near: off}
`

// recipe of the regime, the same for every generation: the gated one is measured against human text, and against its first version
// once there is one.
func (r Regime) recipe(temperature float64) string {
	text := fmt.Sprintf(`dataset: %s
description: Questions about Go's standard library, answered by a student of the version before. A demonstration of collapse.
license: bsd-3-clause
prompts: [{from: %s, license: bsd-3-clause, origin: human, key: key}]
messages: [{role: user, content: "{{.question}}"}]
teachers: [{name: %s}]
sampling: {temperature: %g, max_tokens: 400}
reuse: never
output: {previous: supersede}
`, r.Dataset(), questionsFile, r.Name, temperature)
	pinned := ""
	if r.Gated {
		pinned = ", version: 1"
	} else {
		text += noChecks + "gate: {off: true}\n"
	}
	if r.Human {
		text += fmt.Sprintf("anchor: {from: %s, text: doc, key: key, license: bsd-3-clause, holdout: 0.5%s}\nmix: {human: 0.5}\n", humanFile, pinned)
	}
	return text
}
