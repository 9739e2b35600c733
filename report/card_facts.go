package report

import (
	"fmt"
	"slices"
	"strings"
)

// SplitRow is a split's part of the table.
type SplitRow struct {
	Name        string
	Rows, Bytes int64
	Shards      int
}

// SplitRows sums the shards of each split.
func (p *Papers) SplitRows() (rows []SplitRow) {
	names, shards := p.Splits()
	for _, name := range names {
		row := SplitRow{Name: name, Shards: len(shards[name])}
		for _, s := range shards[name] {
			row.Rows, row.Bytes = row.Rows+s.Rows, row.Bytes+s.Bytes
		}
		rows = append(rows, row)
	}
	return rows
}

// Generated counts the records that no person wrote.
func (p *Papers) Generated() int64 { return p.Rows() - p.Manifest.Generations["0"] }

// SourceLicenses names the licences of what the records have of their sources, as Markdown.
func (p *Papers) SourceLicenses() string {
	var all []string
	for _, s := range p.Sources() {
		if s.Role == "prompts" || s.Role == "anchor" && p.Manifest.Counts.Human > 0 {
			all = append(all, code(s.License))
		}
	}
	if p.Summary != nil {
		for _, l := range p.Summary.Licenses { // rows of one source may differ
			all = append(all, code(l.Name))
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// CostText says what the run cost, and of how much that isn't known.
func (p *Papers) CostText() string {
	c := p.Manifest.Cost
	switch {
	case c.Unknown > 0 && c.Micros == 0:
		return fmt.Sprintf("unknown (%s answers of teachers that declare no price)", number(c.Unknown))
	case c.Unknown > 0:
		return fmt.Sprintf("%s, and an unknown sum for %s answers of teachers that declare no price", dollars(c.Micros), number(c.Unknown))
	}
	return dollars(c.Micros)
}

// GateText says how the run was judged.
func (p *Papers) GateText() string {
	g := p.Manifest.Gate
	switch g.Verdict {
	case "pass":
		return fmt.Sprintf("The answers were compared with the anchor, one by one and before any check dropped some; nothing showed at a false-alarm bound of %g.", g.Alpha)
	case "released":
		return "The gate held this run, and a person let it go on (below)."
	}
	return "Not measured: the recipe names no anchor."
}

// Limits are what a reader should know before training on it.
func (p *Papers) Limits() (all []string) {
	m := p.Manifest
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	add("Answers of language models can be wrong, biased or made up. Retort checks form, repetition, language, duplicates and degradation; it doesn't check whether an answer is true.")
	switch m.Gate.Verdict {
	case "released":
		add("The gate found that the answers degrade against the anchor. They were published on a person's word.")
	case "none", "no-anchor", "":
		add("There was no anchor, so whether the answers degrade against human text was not measured.")
	}
	if n := m.Generations["unknown"]; n > 0 {
		add("The lineage of %s records is unknown: they may already be copies of copies.", number(n))
	}
	if m.HumanShare == 0 {
		add("It has no human text. Training on it alone, generation after generation, is known to lose the tails of the distribution first; mix human text in.")
	}
	if m.Counts.Failed > 0 || m.Counts.Unasked > 0 {
		add("%s planned requests failed and %s were not asked, so what they would have covered is missing.", number(m.Counts.Failed), number(m.Counts.Unasked))
	}
	if s := p.Summary; s != nil && len(s.Languages) == 0 {
		add("The language of the answers was not recognised.")
	}
	add("Near-duplicates are found by words (MinHash, exact Jaccard on candidates): answers that say the same in other words are not.")
	for _, w := range m.Warnings {
		add("%s", w)
	}
	return all
}
