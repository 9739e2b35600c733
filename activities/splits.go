package activities

import (
	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/schema"
)

// Splits are drawn when a record is admitted, for good: by its prompt, unless it hangs together with what stands already, of this run
// or of an earlier version. Then it goes where that is. What hangs together with two splits is rejected: wherever it went, a reader of
// the one would see what the other tests.

// pageSplits draws the splits of a page's records.
type pageSplits struct {
	recipe  *schema.Recipe
	with    *compared
	prompts map[string]string // splits of prompts, as far as the page has shown them
}

// newPageSplits is nil where all records go into one split.
func newPageSplits(recipe *schema.Recipe, with *compared) *pageSplits {
	if len(recipe.Output.Splits) == 0 {
		return nil
	}
	return &pageSplits{recipe: recipe, with: with, prompts: map[string]string{}}
}

// place returns the split of a record with what it is linked with, and, where that stands in two splits, a link that is in another.
func (p *pageSplits) place(prompt string, links []dedup.Link) (split string, other *dedup.Link) {
	split = p.prompts[prompt]
	for i := range links {
		if l := &links[i]; l.Same {
			if at := p.of(l); at != "" && split == "" {
				split = at
				p.prompts[prompt] = at
			}
		}
	}
	for i := range links {
		switch at := p.of(&links[i]); {
		case at == "":
		case split == "":
			split = at
		case split != at:
			return "", &links[i]
		}
	}
	if split == "" {
		split = drawSplit(p.recipe, prompt)
	}
	return split, nil
}

// of is the split of a linked entry; "" for the texts of a corpus and of other datasets.
func (p *pageSplits) of(l *dedup.Link) string {
	if l.In != "" && !p.with.ownPart(l.In) {
		return ""
	}
	_, split := splitOfEntry(l.ID)
	return split
}
