package inspect

import (
	"context"
	"errors"
	"iter"
	"path"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// Corpus is text that no row may repeat, nearly or exactly, whatever its prompt.
type Corpus struct {
	Name   string // in reports of what was rejected
	Files  string // a path; * and ? match within a name
	Column string // with the text; "" is the first of text, completion, answer, response and messages that a row has
}

// layers are the corpora as the index searches them. Their rows are read when the index opens.
func layers(ctx context.Context, o *Options) (out []dedup.LayerRef, err error) {
	for _, c := range o.Against {
		from, err := openFiles(ctx, []string{c.Files}, o.Scratch)
		if err != nil {
			return nil, err
		}
		sketcher, err := dedup.NewSketcher(dedup.ParamsOf(o.Checks.Near))
		if err != nil {
			return nil, err
		}
		out = append(out, dedup.LayerRef{Name: c.Name, Scope: schema.ScopeDataset, Items: corpusItems(ctx, from, c.Column, sketcher)})
	}
	return out, nil
}

func corpusItems(ctx context.Context, from *files, column string, sketcher *dedup.Sketcher) iter.Seq2[dedup.Item, error] {
	return func(yield func(dedup.Item, error) bool) {
		for got, err := range from.rows(ctx, Columns{Text: column}, false) {
			if err != nil {
				yield(dedup.Item{}, sayColumns(err))
				return
			}
			if !yield(dedup.Item{ID: got.id, Sketch: sketcher.Sketch(got.text), Live: true}, nil) {
				return
			}
		}
	}
}

// sayColumns mends what is said of a row without a text: there is no --text where a recipe names files.
func sayColumns(err error) error {
	var faults schema.Faults
	if errors.As(err, &faults) {
		for i := range faults {
			faults[i].Mend = "the text is the column text, completion, answer or response, or the last assistant message of messages"
		}
	}
	return err
}

// evaluations reads the evaluation sets that contamination is judged against; nil where there are none.
func evaluations(ctx context.Context, o *Options) (*quality.Evaluations, error) {
	c := o.Checks.Contamination
	if c.Do == schema.DoOff || len(c.Against) == 0 {
		return nil, nil
	}
	from, err := openFiles(ctx, c.Against, o.Scratch)
	if err != nil {
		return nil, err
	}
	e := quality.NewEvaluations(c.NGram, c.Share)
	for _, f := range from.pinned {
		n := int64(0)
		for row, err := range from.access.Rows(ctx, f, prompt.Columns{All: true}) {
			if err != nil {
				return nil, err
			}
			n++
			e.AddRow(path.Base(f.Name), n, row.Columns)
		}
	}
	e.Seal()
	return e, nil
}
