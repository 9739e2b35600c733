package quality

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Hit is a stretch of a text that a check for secrets or personal data found: its kind, and where it is in bytes. The stretch itself goes
// into no finding, reason, log or report.
type Hit struct {
	Kind       string
	Start, End int
}

// secretRule finds one kind of secret. The expression is compiled once a text has one of the keywords.
type secretRule struct {
	kind    string
	entropy float64
	short   bool // its secrets may be shorter than leastRun
	source  string
	allowed []*regexp.Regexp
	re      func() *regexp.Regexp
}

// secretRules are the rules of data/secrets.tsv and an index over their keywords.
type secretRules struct {
	rules    []*secretRule
	keywords keywordIndex // of all rules
	short    keywordIndex // of those whose secrets may be short
	allowed  []*regexp.Regexp
}

// shortSecrets are the rules whose secrets need have no stretch of leastRun characters: user:password, two groups of hexadecimals, a
// block with a heading, tokens of few digits. Their keywords are rare.
var shortSecrets = map[string]bool{"curl-auth-header": true, "curl-auth-user": true, "sidekiq-secret": true, "sidekiq-sensitive-url": true, "private-key": true,
	"slack-app-token": true, "slack-legacy-token": true, "slack-legacy-workspace-token": true}

// theSecretRules are read once: they don't differ between recipes.
var theSecretRules = sync.OnceValues(loadSecretRules)

func loadSecretRules() (*secretRules, error) {
	rows, err := embedded("secrets.tsv", 5)
	if err != nil {
		return nil, err
	}
	s, byKind := &secretRules{}, map[string]*secretRule{}
	for _, row := range rows {
		if row[0] == "allow" {
			re, err := regexp.Compile(row[4])
			if err != nil {
				return nil, fmt.Errorf("data/secrets.tsv: %s: %w", row[1], err)
			}
			if r := byKind[row[1]]; r != nil {
				r.allowed = append(r.allowed, re)
			} else {
				s.allowed = append(s.allowed, re)
			}
			continue
		}
		r := &secretRule{kind: row[1], short: shortSecrets[row[1]], source: row[4]}
		r.re = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(r.source) }) // TestSecretRulesFindWhatTheyDescribe compiles all
		if r.entropy, err = strconv.ParseFloat(row[3], 64); err != nil {
			return nil, fmt.Errorf("data/secrets.tsv: %s: %w", row[1], err)
		}
		for word := range strings.SplitSeq(row[2], "|") {
			s.keywords.add(word, len(s.rules))
			if r.short {
				s.short.add(word, len(s.rules))
			}
		}
		s.rules, byKind[r.kind] = append(s.rules, r), r
	}
	return s, nil
}

// find returns the secrets of a text, rule by rule. Most texts have no keyword, or no stretch that could be a key, and are done after one
// pass over their bytes.
func (s *secretRules) find(text string) (hits []Hit) {
	keywords := &s.short
	if hasKeyRun(text) {
		keywords = &s.keywords
	}
	for _, i := range keywords.in(text) {
		r := s.rules[i]
		for _, m := range r.re().FindAllStringSubmatchIndex(text, mostHits) {
			start, end := secretOf(m)
			if secret := text[start:end]; entropyOf(secret) >= r.entropy && !anyMatch(r.allowed, secret) && !anyMatch(s.allowed, secret) {
				hits = append(hits, Hit{r.kind, start, end})
			}
		}
	}
	return hits
}

// mostHits bounds what is looked for of one kind in one text.
const mostHits = 100

// secretOf is the first group that matched, or the whole match where there is none.
func secretOf(m []int) (start, end int) {
	for g := 2; g < len(m); g += 2 {
		if m[g] >= 0 && m[g+1] > m[g] {
			return m[g], m[g+1]
		}
	}
	return m[0], m[1]
}

func anyMatch(all []*regexp.Regexp, s string) bool {
	for _, re := range all {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}

// entropyOf is the Shannon entropy of a text's bytes, in bits a byte.
func entropyOf(s string) (bits float64) {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// leastRun is the shortest stretch of characters that a key is taken for.
const leastRun = 14

// What characters of a key are: runDigit and runUpper tell it from a word with hyphens.
const (
	runOther = 1 << iota
	runLower
	runUpper
	runDigit
)

var runClass = func() (class [256]byte) {
	for _, c := range []byte("_-+/=~.:%@\\!?") {
		class[c] = runOther
	}
	for c := byte('a'); c <= 'z'; c++ {
		class[c], class[c-'a'+'A'] = runLower, runUpper
	}
	for c := byte('0'); c <= '9'; c++ {
		class[c] = runDigit
	}
	return class
}()

// hasKeyRun says whether a text has a stretch of leastRun characters of keys with a digit, or a letter of each case, in it.
func hasKeyRun(text string) bool {
	n, kinds := 0, byte(0)
	for i := range len(text) {
		c := runClass[text[i]]
		if c == 0 {
			n, kinds = 0, 0
			continue
		}
		kinds |= c
		if n++; n >= leastRun && (kinds&runDigit != 0 || kinds&(runLower|runUpper) == runLower|runUpper) {
			return true
		}
	}
	return false
}
