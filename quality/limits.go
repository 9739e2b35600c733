package quality

import (
	"fmt"
	"sort"
	"strconv"

	"github.com/retort-data/retort/schema"
)

// limit is a bound of one signal.
type limit struct {
	signal string
	low    bool // value is the least allowed
	value  float64
}

func (l limit) broken(v float64) bool {
	if l.low {
		return v < l.value
	}
	return v > l.value
}

// limits are bounds by language; "*" holds for a language without its own.
type limits map[string][]limit

func loadLimits() (limits, error) {
	rows, err := embedded("limits.tsv", 5)
	if err != nil {
		return nil, err
	}
	ls := limits{}
	for _, r := range rows {
		v, err := strconv.ParseFloat(r[3], 64)
		if err != nil || family[r[1]] == "" || r[2] != "min" && r[2] != "max" {
			return nil, fmt.Errorf("data/limits.tsv: %v: unknown signal, bound or number", r)
		}
		ls[r[0]] = append(ls[r[0]], limit{r[1], r[2] == "min", v})
	}
	for lang := range ls {
		for _, l := range ls["*"] {
			if lang != "*" && !ls.has(lang, l) {
				ls[lang] = append(ls[lang], l)
			}
		}
	}
	return ls, nil
}

func (ls limits) has(lang string, of limit) bool {
	for _, l := range ls[lang] {
		if l.signal == of.signal && l.low == of.low {
			return true
		}
	}
	return false
}

// of returns the limits of a check's family for every language, with the recipe's own in place.
func (ls limits) of(check string, own map[string]float64) (limits, error) {
	names := make([]string, 0, len(own))
	for name := range own {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if family[name] != check {
			return nil, &schema.Error{Kind: schema.KindInvalid, Code: "limit", Op: "checks." + check + ".limits", Subject: name,
				Cause: fmt.Errorf("not a signal of this check"), Hint: "signals of " + check + ": " + signalsOf(check)}
		}
	}
	out := limits{}
	for lang, all := range ls {
		for _, l := range all {
			if _, given := own[l.signal]; family[l.signal] == check && !given {
				out[lang] = append(out[lang], l)
			}
		}
		for _, name := range names {
			out[lang] = append(out[lang], limit{name, lowBound[name], own[name]})
		}
	}
	return out, nil
}

func signalsOf(check string) string {
	var names []string
	for n, f := range family {
		if f == check {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return fmt.Sprint(names)
}

// forLanguage returns the limits of a language, or the language-neutral ones.
func (ls limits) forLanguage(lang string) []limit {
	if l, ok := ls[lang]; ok {
		return l
	}
	return ls["*"]
}
