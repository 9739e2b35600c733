package inspect

import (
	"context"
	"path"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

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
