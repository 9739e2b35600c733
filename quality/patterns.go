package quality

import (
	"fmt"
	"regexp"
	"strings"
)

// Kinds of pattern in a data file.
const (
	kindClaim  = "claim"  // says it
	kindBefore = "before" // in the same sentence before a claim: makes it a mention
	kindAfter  = "after"  // in the same sentence after a claim: takes it back

	kindTrigger = "trigger" // words (characters) of which a text must have one before its patterns are tried
)

// triggerWords returns the trigger words of a file, all languages together.
func triggerWords(file string) ([]string, error) {
	rows, err := embedded(file, 3)
	if err != nil {
		return nil, err
	}
	var words []string
	for _, r := range rows {
		if r[1] == kindTrigger {
			words = append(words, strings.Fields(r[2])...)
		}
	}
	return words, nil
}

// patterns are the claims of one language and what undoes them.
type patterns struct {
	claim, before, after *regexp.Regexp // nil where there is none
}

// loadPatterns compiles a file's patterns by language; each placeholder {x} stands for fill[x].
func loadPatterns(file string, fill map[string]string) (map[string]*patterns, error) {
	rows, err := embedded(file, 3)
	if err != nil {
		return nil, err
	}
	return compilePatterns("data/"+file, rows, fill)
}

func compilePatterns(name string, rows [][]string, fill map[string]string) (map[string]*patterns, error) {
	parts := map[[2]string][]string{}
	var order []string
	for _, r := range rows {
		if r[1] == kindTrigger {
			continue
		}
		if r[1] != kindClaim && r[1] != kindBefore && r[1] != kindAfter {
			return nil, fmt.Errorf("%s: %s: unknown kind %q", name, r[0], r[1])
		}
		p := r[2]
		for k, v := range fill {
			p = strings.ReplaceAll(p, "{"+k+"}", "(?:"+v+")")
		}
		if _, err := regexp.Compile(p); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, r[0], err)
		}
		if parts[[2]string{r[0], r[1]}] == nil {
			order = append(order, r[0])
		}
		parts[[2]string{r[0], r[1]}] = append(parts[[2]string{r[0], r[1]}], p)
	}
	out := map[string]*patterns{}
	for _, lang := range order {
		p := &patterns{}
		for kind, to := range map[string]**regexp.Regexp{kindClaim: &p.claim, kindBefore: &p.before, kindAfter: &p.after} {
			if all := parts[[2]string{lang, kind}]; all != nil {
				*to = regexp.MustCompile("(?:" + strings.Join(all, ")|(?:") + ")")
			}
		}
		out[lang] = p
	}
	return out, nil
}

// find returns the first claim in a folded sentence that nothing before or after it undoes, or "".
func (p *patterns) find(sentence string) string {
	if p.claim == nil {
		return ""
	}
	for from := 0; from < len(sentence); {
		m := p.claim.FindStringIndex(sentence[from:])
		if m == nil || m[0] == m[1] {
			return ""
		}
		start, end := from+m[0], from+m[1]
		if (p.before == nil || !p.before.MatchString(sentence[:start])) && (p.after == nil || !p.after.MatchString(sentence[end:])) {
			return sentence[start:end]
		}
		from = end
	}
	return ""
}
