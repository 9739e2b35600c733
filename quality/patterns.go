package quality

import (
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strings"
)

// Kinds of pattern in a data file.
const (
	kindClaim  = "claim"  // says it
	kindBefore = "before" // in the same sentence before a claim: makes it a mention
	kindAfter  = "after"  // in the same sentence after a claim: takes it back

	kindFirst  = "first"  // words (characters), one of which a sentence must have before its patterns are tried,
	kindTerm   = "term"   // together with one of these
	kindDefine = "define" // NAME=pattern, for the lines of the same language below it
)

// patterns are the claims of one language and what undoes them.
type patterns struct {
	claim, before, after *regexp.Regexp // nil where there is none
}

// loadPatterns compiles a file's patterns, one for each of the given languages; each placeholder {x} stands for fill[x].
func loadPatterns(file string, fill map[string]string, codes []string) ([]*patterns, error) {
	rows, err := embedded(file, 3)
	if err != nil {
		return nil, err
	}
	by, err := compilePatterns("data/"+file, rows, fill)
	out := make([]*patterns, len(codes))
	for i, c := range codes {
		out[i] = by[c]
	}
	return out, err
}

// findClaim says whether a sentence makes a claim, in the languages whose trigger words it has. The folded sentence goes
// through mark first.
func (w *work) findClaim(l *lexicon, all []*patterns, claim int, sentence string, mark func(string) string) bool {
	w.prompt.reset(sentence)
	var first, term [2]uint32
	for i := range w.prompt.tokens {
		word, pair := l.triggers(&w.prompt, i)
		if word != nil {
			word.addTo(&first, &term)
		}
		if pair != nil {
			pair.addTo(&first, &term)
		}
	}
	set := first[claim] & term[claim] & w.claims[claim]
	if set == 0 {
		return false
	}
	folded := mark(foldText(sentence))
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros32(set)
		if i < len(all) && all[i] != nil && all[i].find(folded) {
			return true
		}
	}
	return false
}

func compilePatterns(name string, rows [][]string, fill map[string]string) (map[string]*patterns, error) {
	parts := map[[2]string][]string{}
	defined := map[string][][2]string{}
	var order []string
	for _, r := range rows {
		lang, kind := r[0], r[1]
		switch kind {
		case kindFirst, kindTerm:
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

// find says whether a folded sentence makes a claim that nothing before or after it undoes.
func (p *patterns) find(sentence string) bool {
	if p.claim == nil {
		return false
	}
	for from := 0; from < len(sentence); {
		m := p.claim.FindStringIndex(sentence[from:])
		if m == nil || m[0] == m[1] {
			return false
		}
		start, end := from+m[0], from+m[1]
		if (p.before == nil || !p.before.MatchString(sentence[:start])) && (p.after == nil || !p.after.MatchString(sentence[end:])) {
			return true
		}
		from = end
	}
	return false
}
