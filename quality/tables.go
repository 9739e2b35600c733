package quality

import (
	"sync"

	"github.com/retort-data/retort/schema"
)

// tables are what the data files say: some megabytes of words and compiled patterns that never change, so all inspectors share them.
type tables struct {
	lexicon    *lexicon
	refusals   []*patterns // by the lexicon's language; nil: none
	identities []*patterns
	leftovers  []leftover
	aliases    aliasMarker
}

var ownTables = sync.OnceValues(func() (*tables, error) { return loadTables("") })

// tablesWith are the tables with further names of models and companies.
func tablesWith(aliases string) (*tables, error) {
	if aliases == "" {
		return ownTables()
	}
	return loadTables(aliases)
}

func loadTables(more string) (t *tables, err error) {
	t = &tables{}
	if t.leftovers, err = loadLeftovers(); err != nil {
		return nil, err
	}
	aliases, err := readAliases(more)
	if err != nil {
		return nil, &schema.Error{Kind: schema.KindInvalid, Code: "aliases", Op: "read", Subject: "aliases", Cause: err,
			Hint: "each line: kind (model, word, person or company), name, aliases separated by |; between them a tab"}
	}
	if t.lexicon, err = loadLexicon(aliasTokens(aliases)); err != nil {
		return nil, err
	}
	t.aliases = newAliasMarker(aliases)
	fill := map[string]string{"name": aliasMarks[aliasModel], "word": aliasMarks[aliasWord], "person": aliasMarks[aliasPerson],
		"org": aliasMarks[aliasCompany] + "|" + aliasMarks[aliasModel]}
	if t.refusals, err = loadPatterns("refusal.tsv", nil, t.lexicon.codes); err != nil {
		return nil, err
	}
	t.identities, err = loadPatterns("identity.tsv", fill, t.lexicon.codes)
	return t, err
}
