package prompt

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/retort-data/retort/schema"
)

// Plan is what prompts are made of.
type Plan struct {
	Recipe  *schema.Recipe
	Sources []Source // pinned, in the recipe's order
	Access  *Access

	LeftOut func(license string) // told of each row that the recipe leaves out by its licence; may be nil
}

// Stream yields the prompts in the order of sources, files, rows and combinations of vary, repeats included. A fault of a row
// (schema.Faults) may be followed by further prompts, so that a caller can collect several; any other error is the last, such as
// the hold when a pinned file has changed. A source without rows is a fault.
func Stream(ctx context.Context, p Plan) iter.Seq2[schema.Prompt, error] {
	return func(yield func(schema.Prompt, error) bool) {
		renderer, err := NewRenderer(p.Recipe)
		if err != nil {
			yield(schema.Prompt{}, err)
			return
		}
		s := &streamer{plan: p, renderer: renderer, vary: newCombinations(p.Recipe.Vary), yield: yield}
		for _, source := range p.Sources {
			if !s.source(ctx, source) {
				return
			}
		}
		if s.leftOut > 0 && s.kept == 0 {
			yield(schema.Prompt{}, schema.Faults{p.Recipe.At("licenses.exclude", "leaves out every row of the sources", "allow a licence that some have, or name other sources")})
		}
	}
}

type streamer struct {
	kept, leftOut int64 // rows
	plan          Plan
	renderer      *Renderer
	vary          *combinations
	yield         func(schema.Prompt, error) bool
}

// source returns false where the stream ends.
func (s *streamer) source(ctx context.Context, source Source) bool {
	wanted := s.wanted(source)
	var rows int64
	for _, f := range source.Files {
		for row, err := range s.plan.Access.Rows(ctx, f, wanted) {
			if err != nil {
				if !s.fail(source, err) {
					return false
				}
				rows++ // a row that can't be read is a row: an empty source is another fault
				continue
			}
			rows++
			if !s.row(source, row, rows) {
				return false
			}
			if rows == source.Limit {
				return true
			}
		}
		if ctx.Err() != nil {
			return s.yield(schema.Prompt{}, ctx.Err()) && false
		}
	}
	if rows == 0 {
		path := fmt.Sprintf("prompts[%d].from", source.Index)
		return s.fail(source, schema.Faults{s.plan.Recipe.At(path, fmt.Sprintf("%q has no rows", source.From), "give a source with at least one row")})
	}
	return true
}

// wanted are the columns to be read. A key that the recipe gives for the source must be there; the anchor's, taken over as the
// default, need not.
func (s *streamer) wanted(source Source) Columns {
	var c Columns
	c.Need, c.All = s.renderer.Columns()
	c.Need = append(slices.Clone(c.Need), licenseColumns(source)...)
	if source.Key == "" {
		return c
	}
	if _, given := s.plan.Recipe.Places[fmt.Sprintf("prompts[%d].key", source.Index)]; given {
		c.Need = append(slices.Clone(c.Need), source.Key)
	} else {
		c.Want = append(c.Want, source.Key)
	}
	return c
}

// fail yields an error and says whether the stream may go on.
func (s *streamer) fail(source Source, err error) bool {
	var missing *noColumn
	if errors.As(err, &missing) {
		err = schema.Faults{s.missing(source, missing)}
	}
	var faults schema.Faults
	return s.yield(schema.Prompt{}, err) && errors.As(err, &faults)
}

// missing shows the place in the recipe that wants a column which a source doesn't have.
func (s *streamer) missing(source Source, n *noColumn) schema.Fault {
	mend := "its columns are: " + joinSome(n.columns)
	if near := schema.Nearest(n.column, n.columns); near != "" {
		mend = "did you mean " + near + "? " + mend
	}
	what := fmt.Sprintf("column %q is missing in %s", n.column, n.file)
	if n.column == source.Key {
		path := fmt.Sprintf("prompts[%d].key", source.Index)
		return s.plan.Recipe.At(path, what, mend)
	}
	for i, m := range s.plan.Recipe.Messages {
		if use, _ := schema.CheckTemplate(m.Content); slices.Contains(use.Columns, n.column) {
			return s.renderer.faultAt(i, 1, 0, what, mend)
		}
	}
	return s.plan.Recipe.At("messages", what, mend)
}

func joinSome(names []string) string {
	row := Row{Columns: map[string]any{}}
	for _, n := range names {
		row.Columns[n] = nil
	}
	return row.columnNames()
}

// row yields the prompts of a row, whose number in the source is from 1.
func (s *streamer) row(source Source, row Row, number int64) bool {
	for _, name := range s.vary.names {
		if _, clash := row.Columns[name]; clash {
			f := s.plan.Recipe.At("vary."+name, fmt.Sprintf("%s has a column %q too", row.File, name), "give the values of vary another name")
			return s.fail(source, schema.Faults{f})
		}
	}
	license := licenseOf(source, row)
	if s.plan.Recipe.Licenses.Excluded(license) {
		s.leftOut++
		if s.plan.LeftOut != nil {
			s.plan.LeftOut(license)
		}
		return true
	}
	s.kept++
	origin, generation := originOf(source.Origin, row)
	if deepest := s.plan.Recipe.MaxGeneration; deepest != nil && generation >= 0 && AnswerGeneration(generation, 0) > int32(*deepest) {
		f := s.plan.Recipe.At("max_generation", fmt.Sprintf("is %d, and an answer to %s would be of generation %d", *deepest, row.Place(), generation+1),
			"choose sources nearer to human text, or allow more generations")
		return s.fail(source, schema.Faults{f})
	}
	key, err := s.key(source, row)
	if err != nil {
		return s.fail(source, err)
	}
	for _, i := range s.vary.forRow(s.plan.Recipe.Seed, source.Index, number) {
		messages, err := s.renderer.Render(row, s.vary.at(i))
		if err != nil {
			if !s.fail(source, err) {
				return false
			}
			continue
		}
		p := schema.Prompt{ID: schema.PromptID(messages), Messages: messages, Source: source.From, License: license, Origin: origin, Generation: generation, Key: key}
		if !s.yield(p, nil) {
			return false
		}
	}
	return true
}

// key is the row's key as text, or "" where it has none.
func (s *streamer) key(source Source, row Row) (string, error) {
	v := row.Columns[source.Key]
	if source.Key == "" || v == nil {
		return "", nil
	}
	text, err := textOf(v)
	if err != nil {
		f := s.plan.Recipe.At(fmt.Sprintf("prompts[%d].key", source.Index), fmt.Sprintf("column %q %v in %s", source.Key, err, row.Place()), "use a column of texts or numbers")
		return "", schema.Faults{f}
	}
	return text, nil
}
