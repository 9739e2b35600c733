package quality

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/retort-data/retort/schema"
)

// Signals of the checks secrets and personal: how many were found. A record without any has no such signal.
const (
	SignalSecrets  = "secrets"
	SignalPersonal = "personal"
)

// disclosures judges secrets and personal data of an answer and its reasoning. Findings have kinds and counts, never what was found.
func (in *Inspector) disclosures(r *schema.Response, out *schema.Inspection) {
	for _, x := range []struct {
		check, do string
		find      func(string) []Hit
	}{{SignalSecrets, in.checks.Secrets.Do, in.secrets.find}, {SignalPersonal, in.checks.Personal.Do, findPersonal}} {
		if x.do == schema.DoOff {
			continue
		}
		hits := x.find(r.Text)
		if r.Reasoning != "" {
			hits = append(hits, x.find(r.Reasoning)...)
		}
		if len(hits) == 0 {
			continue
		}
		n := float64(len(hits))
		out.Signals = append(out.Signals, schema.Signal{Name: x.check, Value: n})
		out.Findings = append(out.Findings, schema.Finding{Check: x.check, Do: x.do, Signal: x.check, Value: n, Match: kindsOf(hits)})
	}
}

// kindsOf counts kinds, such as "aws-access-token, email ×3".
func kindsOf(hits []Hit) string {
	counts := map[string]int{}
	for _, h := range hits {
		counts[h.Kind]++
	}
	kinds := slices.Sorted(maps.Keys(counts))
	for i, k := range kinds {
		if counts[k] > 1 {
			kinds[i] = fmt.Sprintf("%s ×%d", k, counts[k])
		}
	}
	return shorten(strings.Join(kinds, ", "))
}

// Mask replaces secrets and personal data of a text by their kinds in brackets, for what is shown to people.
func Mask(text string) string {
	rules, err := theSecretRules()
	if err != nil {
		return "" // TestSecretRulesFindWhatTheyDescribe: it can't be
	}
	hits := append(rules.find(text), findPersonal(text)...)
	slices.SortFunc(hits, func(a, b Hit) int { return a.Start - b.Start })
	var b strings.Builder
	at := 0
	for _, h := range hits {
		if h.Start >= at {
			b.WriteString(text[at:h.Start] + "[" + h.Kind + "]")
		}
		at = max(at, h.End)
	}
	return b.String() + text[at:]
}
