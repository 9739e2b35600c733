package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Tolerances of the gate.
const (
	ToleranceWide = "wide" // how far answers stand from the anchor is learned first; what grows worse than that is held
	ToleranceNone = "0"    // nothing may be worse than the anchor
)

// checkGate finds a tolerance without an anchor, and ceilings of what is no check, or of a check that finds nothing.
func checkGate(r *Recipe, d *document) {
	if r.Gate.Tolerance != "" && r.Anchor == nil {
		d.add("gate.tolerance", "has no anchor to be about", "give anchor: with from or version, or leave it out")
	}
	known := r.Checks.actions()
	for _, name := range slices.Sorted(maps.Keys(r.Gate.Ceilings)) {
		switch do, ok := known[name]; {
		case name == EventDuplicate:
		case !ok:
			names := append(slices.Sorted(maps.Keys(known)), EventDuplicate)
			d.add("gate.ceilings."+name, "no check is called "+quoteShort(name), "one of "+strings.Join(names, ", "))
		case do == DoOff:
			d.add("gate.ceilings."+name, fmt.Sprintf("the check %s is off, so it finds nothing", name), "set checks."+name+" to tag or drop, or leave its ceiling out")
		}
	}
}

// actions are what each check of single answers does, by its name.
func (c *Checks) actions() map[string]string {
	return map[string]string{"empty": c.Empty.Do, "truncated": c.Truncated.Do, "refusal": c.Refusal.Do, "identity": c.Identity.Do, "repetition": c.Repetition.Do,
		"quality": c.Quality.Do, "language": c.Language.Do, "length": c.Length.Do, "echo": c.Echo.Do, "template": c.Template.Do, "reasoning": c.Reasoning.Do,
		"schema": c.Schema.Do, "secrets": c.Secrets.Do, "personal": c.Personal.Do, "contamination": c.Contamination.Do}
}
