package quality

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
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

// aliasPatterns returns, for each kind, a pattern that finds any of its aliases in folded text.
func aliasPatterns(byKind map[string][]string) map[string]string {
	out := map[string]string{}
	for kind, all := range byKind {
		all = slices.Clone(all)
		// Longest first: RE2 takes the first alternative that matches.
		sort.Slice(all, func(i, j int) bool {
			if len(all[i]) != len(all[j]) {
				return len(all[i]) > len(all[j])
			}
			return all[i] < all[j]
		})
		for i, a := range all {
			all[i] = aliasPattern(a)
		}
		out[kind] = strings.Join(all, "|")
	}
	return out
}

// aliasTokens returns the words by which a text is found to have an alias in it: its first piece, and all pieces as one
// word. Characters of Chinese and Japanese are listed in identity.tsv.
func aliasTokens(byKind map[string][]string) []string {
	var out []string
	for _, all := range byKind {
		for _, a := range all {
			p := pieces(a)
			out = append(out, p[0], strings.Join(p, ""))
		}
	}
	return out
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
