package prompt

import (
	"encoding/json"
	"strconv"

	"github.com/retort-data/retort/schema"
)

// Footer keys by which a Retort shard is known; retort.generation is the deepest of its rows.
const (
	footerRun        = "retort.run"
	footerGeneration = "retort.generation"
)

// maxGeneration bounds what a file may claim, so that one more is still a number.
const maxGeneration = 1 << 20

// Lineage is what a file says of where its text came from. Retort is true of a Retort shard: its own lineage wins over what
// the recipe says.
type Lineage struct {
	Retort  bool
	Deepest int32 // generation in the footer, UnknownGeneration where it has none
}

func fileLineage(footer map[string]string) Lineage {
	l := Lineage{Deepest: schema.UnknownGeneration}
	_, l.Retort = footer[footerRun]
	if n, err := strconv.ParseInt(footer[footerGeneration], 10, 32); err == nil && n >= 0 && n < maxGeneration {
		l.Deepest, l.Retort = int32(n), true
	}
	return l
}

// originOf returns origin and generation of a row of a source that the recipe declares to be of some origin.
func originOf(declared string, row Row) (origin string, generation int32) {
	column, given := generationColumn(row.Columns)
	if row.Lineage.Retort {
		return retortOrigin(row, column, given)
	}
	switch declared {
	case schema.OriginHuman:
		return declared, 0
	case schema.OriginGenerated:
		if given && column > 0 {
			return declared, column
		}
	}
	return declared, schema.UnknownGeneration
}

func retortOrigin(row Row, column int32, given bool) (string, int32) {
	generation := row.Lineage.Deepest
	if _, hasColumn := row.Columns["generation"]; hasColumn {
		generation = schema.UnknownGeneration // null: this row's lineage is unknown
		if given {
			generation = column
		}
	}
	if origin, ok := row.Columns["origin"].(string); ok && (origin == schema.OriginHuman || origin == schema.OriginGenerated) {
		return origin, generation
	}
	switch {
	case generation == 0:
		return schema.OriginHuman, 0
	case generation > 0:
		return schema.OriginGenerated, generation
	}
	return schema.OriginUnknown, generation
}

// AnswerGeneration is the generation of an answer: one more than the deepest of its prompt and of its teacher's training data;
// unknown where either is.
func AnswerGeneration(prompt, teacher int32) int32 {
	if prompt < 0 || teacher < 0 {
		return schema.UnknownGeneration
	}
	return 1 + max(prompt, teacher)
}

// generationColumn reads a column `generation` that holds a whole number from 0.
func generationColumn(columns map[string]any) (int32, bool) {
	text := ""
	switch n := columns["generation"].(type) {
	case json.Number:
		text = n.String()
	case string: // CSV
		text = n
	}
	g, err := strconv.ParseInt(text, 10, 32)
	return int32(g), err == nil && g >= 0 && g < maxGeneration
}
