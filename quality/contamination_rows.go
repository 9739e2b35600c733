package quality

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// idColumns are where an evaluation's item may have a name of its own, in this order.
var idColumns = []string{"id", "task_id", "question_id", "item_id", "uid"}

// AddRow takes in a row of an evaluation set: each text of an n-gram's length or more is an item of its own (a question without its
// answer is contamination too); of a row that has none, all texts together. Which row it is stands in the findings as
// FILE:NUMBER (ID) COLUMN. It says how many items were taken; a row too short for an n-gram gives none.
func (e *Evaluations) AddRow(file string, number int64, columns map[string]any) (items int) {
	name := fmt.Sprintf("%s:%d", file, number)
	for _, c := range idColumns {
		if id := idText(columns[c]); id != "" {
			name += " (" + id + ")"
			break
		}
	}
	var all []string
	for _, c := range slices.Sorted(maps.Keys(columns)) {
		if slices.Contains(idColumns, c) {
			continue
		}
		var texts []string
		textsIn(columns[c], &texts, 0)
		for _, t := range texts {
			if e.Add(name+" "+c, t) {
				items++
			}
		}
		all = append(all, texts...)
	}
	if items == 0 && e.Add(name, strings.Join(all, "\n")) {
		items++
	}
	return items
}

// Items is how many were taken in.
func (e *Evaluations) Items() int { return len(e.items) }

func idText(v any) string {
	switch id := v.(type) {
	case string:
		if len(id) <= 80 {
			return id
		}
	case json.Number:
		return id.String()
	}
	return ""
}

// deepest bounds how far lists and objects are looked into.
const deepest = 8

func textsIn(v any, to *[]string, depth int) {
	switch x := v.(type) {
	case string:
		*to = append(*to, x)
	case []any:
		for _, y := range x {
			if depth < deepest {
				textsIn(y, to, depth+1)
			}
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if depth < deepest {
				textsIn(x[k], to, depth+1)
			}
		}
	}
}
