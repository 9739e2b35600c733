package workflows

import (
	"maps"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// SearchAttributes are what Temporal's UI finds runs by, where the namespace has them, with their types. Where it lacks one all else works.
var SearchAttributes = map[string]string{"RetortDataset": "Keyword", "RetortRun": "Keyword", "RetortState": "Keyword", "RetortVersion": "Int", "RetortCostUSD": "Double"}

// Searchable are those of the attributes that a namespace has, in order; there says of one whether it is there.
func Searchable(there func(name string) bool) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(SearchAttributes)) {
		if there(name) {
			names = append(names, name)
		}
	}
	return names
}

// index lets Temporal's own tools find the run, at every change of its state. A workflow that sets an attribute which its namespace lacks would
// be stuck, so whoever starts a run says which there are.
func (g *generation) index() {
	if len(g.in.Search) == 0 || g.indexed == g.Status.State {
		return
	}
	g.indexed = g.Status.State
	s := &g.Status
	var set []temporal.SearchAttributeUpdate
	for _, name := range g.in.Search {
		switch name {
		case "RetortDataset":
			set = append(set, temporal.NewSearchAttributeKeyKeyword(name).ValueSet(s.Dataset))
		case "RetortRun":
			set = append(set, temporal.NewSearchAttributeKeyKeyword(name).ValueSet(s.Run))
		case "RetortState":
			set = append(set, temporal.NewSearchAttributeKeyKeyword(name).ValueSet(s.State))
		case "RetortVersion":
			set = append(set, temporal.NewSearchAttributeKeyInt64(name).ValueSet(int64(s.Version)))
		case "RetortCostUSD":
			set = append(set, temporal.NewSearchAttributeKeyFloat64(name).ValueSet(float64(s.Cost.Micros)/1e6))
		}
	}
	if err := workflow.UpsertTypedSearchAttributes(g.ctx, set...); err != nil {
		workflow.GetLogger(g.ctx).Warn("search attributes could not be set", "run", g.in.Run)
	}
}
