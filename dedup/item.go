package dedup

import (
	"github.com/retort-data/retort/schema"
	"github.com/zeebo/xxh3"
)

// Item is a text to be decided about.
type Item struct {
	ID       string // request id
	PromptID string
	Sketch   Sketch
	Live     bool // false: rejected by another check; it is not compared and not entered
}

// Names of the checks in Decision.Check, as the recipe has them.
const (
	CheckExact = "exact"
	CheckNear  = "near"
)

// Decision is what the index says of one item.
type Decision struct {
	Check   string  // CheckExact or CheckNear where the item is a duplicate within the check's scope, else ""
	Of      string  // id of the entry that it duplicates: the first equal one, or the most alike (the first of those)
	OfIn    string  // part of a layer that Of stands in, "" for the index's own entries
	Jaccard float64 // similarity to Of
	Drop    bool    // the check's `do` is drop

	Near        string  // id of the first entry outside the scope (another prompt's) that it is alike; a flag only
	NearIn      string  // part of a layer that Near stands in
	NearJaccard float64 // similarity to Near

	Enter bool // Commit enters the item: it is live, not dropped, not empty, and admitted

	// Capped is the number of the item's band keys under which so many entries stand already that it was not entered
	// there as well: later texts that are alike find those, and, it may be, not this one.
	Capped int

	// How the entry is linked with others, as Decide found it.
	linked bool
	mask   uint64 // bands to be entered
	first  bool   // first entry with its exact hash
	prev   uint32 // the entry before with the same prompt, plus 1
}

// Link is an entry that an item hangs together with: it is alike, or an answer to the same prompt.
type Link struct {
	ID   string
	In   string // part of a layer, "" for the index's own entries
	Same bool   // of the same prompt
}

// withDefaults fills what a recipe left out.
func withDefaults(exact *schema.ExactCheck, near *schema.NearCheck) {
	setDefault(&exact.Do, schema.DoDrop)
	setDefault(&exact.Scope, schema.ScopePrompt)
	setDefault(&near.Do, schema.DoDrop)
	setDefault(&near.Scope, schema.ScopePrompt)
	if near.Jaccard == 0 {
		near.Jaccard = 0.8
	}
}

func setDefault(s *string, to string) {
	if *s == "" {
		*s = to
	}
}

// compared says whether the item takes part at all.
func (it *Item) compared() bool { return it.Live && !it.Sketch.Empty() }

func (it *Item) meta() meta {
	return meta{prompt: promptHash(it.PromptID), bits: it.Sketch.Bits, size: uint32(len(it.Sketch.Set))}
}

// promptHash is 0 for no prompt.
func promptHash(id string) uint64 {
	if id == "" {
		return 0
	}
	return max(xxh3.HashString(id), 1)
}
