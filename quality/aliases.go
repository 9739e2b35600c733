package quality

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// Kinds of alias.
const (
	aliasModel   = "model"
	aliasWord    = "word" // a model's name that is also a word or a person's name
	aliasCompany = "company"
)

// aliasPatterns returns, for each kind, a pattern that finds any of its aliases in folded text. more has further lines in the
// format of data/aliases.tsv, as users add them.
func aliasPatterns(more string) (map[string]string, error) {
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
		if r[0] != aliasModel && r[0] != aliasWord && r[0] != aliasCompany {
			return nil, fmt.Errorf("aliases: %s: kind %q, wanted model, word or company", r[1], r[0])
		}
		for _, a := range strings.Split(r[2], "|") {
			if a = foldText(a); a != "" {
				byKind[r[0]] = append(byKind[r[0]], a)
			}
		}
	}
	out := map[string]string{}
	for kind, all := range byKind {
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
	return out, nil
}

func aliasPattern(alias string) string {
	pieces := strings.FieldsFunc(alias, func(r rune) bool { return r == ' ' || r == '-' || r == '.' || r == '_' })
	for i, p := range pieces {
		pieces[i] = regexp.QuoteMeta(p)
	}
	return strings.Join(pieces, `[\s\-._]?`)
}
