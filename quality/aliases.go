package quality

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// Kinds of alias.
const (
	aliasModel   = "model"
	aliasWord    = "word"   // a model's name that is also a word
	aliasPerson  = "person" // a model's name that is more often a person's or a thing's
	aliasCompany = "company"
)

// readAliases returns the folded aliases by kind. more has further lines in the format of data/aliases.tsv, as users add
// them.
func readAliases(more string) (map[string][]string, error) {
	rows, err := embedded("aliases.tsv", 3)
	if err != nil {
		return nil, err
	}
	own, err := readTable("aliases", more, 3)
	if err != nil {
		return nil, err
	}
	byKind := map[string][]string{}
	for _, r := range append(rows, own...) {
		if r[0] != aliasModel && r[0] != aliasWord && r[0] != aliasPerson && r[0] != aliasCompany {
			return nil, fmt.Errorf("aliases: %s: kind %q, wanted model, word, person or company", r[1], r[0])
		}
		for _, a := range strings.Split(r[2], "|") {
			if a = foldText(a); len(pieces(a)) > 0 {
				byKind[r[0]] = append(byKind[r[0]], a)
			}
		}
	}
	return byKind, nil
}

// marks stand for aliases in folded text, so that patterns are small: {name} is written as aliasMarks[aliasModel].
var aliasMarks = map[string]string{aliasModel: "qzn", aliasWord: "qzw", aliasPerson: "qzp", aliasCompany: "qzo"}

// aliasMarker puts marks in place of the aliases in folded text.
type aliasMarker struct {
	re    *regexp.Regexp
	marks map[string]string // by alias without spaces, hyphens and dots
}

func newAliasMarker(byKind map[string][]string) aliasMarker {
	m := aliasMarker{marks: map[string]string{}}
	var latin, other []string
	for _, kind := range []string{aliasModel, aliasWord, aliasPerson, aliasCompany} {
		for _, a := range byKind[kind] {
			key := strings.Join(pieces(a), "")
			if m.marks[key] != "" {
				continue
			}
			m.marks[key] = aliasMarks[kind]
			if a[0] < utf8.RuneSelf && a[len(a)-1] < utf8.RuneSelf {
				latin = append(latin, a)
			} else {
				other = append(other, a)
			}
		}
	}
	m.re = regexp.MustCompile(`\b(?:` + anyAlias(latin) + `)\b|` + anyAlias(other))
	return m
}

// anyAlias matches any of them, longest first: RE2 takes the first one that matches.
func anyAlias(all []string) string {
	all = slices.Clone(all)
	sort.Slice(all, func(i, j int) bool {
		if len(all[i]) != len(all[j]) {
			return len(all[i]) > len(all[j])
		}
		return all[i] < all[j]
	})
	for i, a := range all {
		all[i] = aliasPattern(a)
	}
	return strings.Join(all, "|")
}

func (m aliasMarker) mark(folded string) string {
	return m.re.ReplaceAllStringFunc(folded, func(s string) string { return m.marks[strings.Join(pieces(s), "")] })
}

// aliasTokens returns the words by which a text is found to have an alias in it: all pieces as one word, and the first two
// as a pair. Characters of Chinese and Japanese are listed in identity.tsv.
func aliasTokens(byKind map[string][]string) (words []string, pairs [][2]string) {
	for _, all := range byKind {
		for _, a := range all {
			p := pieces(a)
			words = append(words, strings.Join(p, ""))
			if len(p) > 1 {
				pairs = append(pairs, [2]string{p[0], p[1]})
			}
		}
	}
	return words, pairs
}

func pieces(alias string) []string {
	return strings.FieldsFunc(alias, func(r rune) bool { return r == ' ' || r == '-' || r == '.' || r == '_' })
}

func aliasPattern(alias string) string {
	all := pieces(alias)
	for i, p := range all {
		all[i] = regexp.QuoteMeta(p)
	}
	return strings.Join(all, `[\s\-._]?`)
}
