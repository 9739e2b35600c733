package quality

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Kinds of pattern in a data file.
const (
	kindClaim  = "claim"  // says it
	kindBefore = "before" // in the same sentence before a claim: makes it a mention
	kindAfter  = "after"  // in the same sentence after a claim: takes it back

	kindTrigger = "trigger" // words (characters) of which a text must have one before its patterns are tried
	kindFirst   = "first"   // words of the first person; with kindTerm in place of kindTrigger
	kindTerm    = "term"    // words that speak of models
	kindDefine  = "define"  // NAME=pattern, for the lines of the same language below it
)

// patternWords returns the words of a kind in a file, all languages together.
func patternWords(file, kind string) ([]string, error) {
	rows, err := embedded(file, 3)
	if err != nil {
		return nil, err
	}
	var words []string
	for _, r := range rows {
		if r[1] == kind {
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
	defined := map[string][][2]string{}
	var order []string
	for _, r := range rows {
		lang, kind := r[0], r[1]
		switch kind {
		case kindTrigger, kindFirst, kindTerm:
			continue
		case kindDefine, kindClaim, kindBefore, kindAfter:
		default:
			return nil, fmt.Errorf("%s: %s: unknown kind %q", name, lang, kind)
		}
		key, p, _ := strings.Cut(r[2], "=")
		if kind != kindDefine {
			p = r[2]
		}
		for _, d := range defined[lang] {
			p = strings.ReplaceAll(p, d[0], d[1])
		}
		for k, v := range fill {
			p = strings.ReplaceAll(p, "{"+k+"}", "(?:"+v+")")
		}
		if _, err := regexp.Compile(p); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, lang, err)
		}
		if kind == kindDefine {
			defined[lang] = append(defined[lang], [2]string{"{" + key + "}", p})
			continue
		}
		if !slices.Contains(order, lang) {
			order = append(order, lang)
		}
		parts[[2]string{lang, kind}] = append(parts[[2]string{lang, kind}], p)
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
