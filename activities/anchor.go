package activities

import (
	"context"
	"errors"
	"fmt"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Anchored says whether a recipe's answers are measured against human text.
func Anchored(r *schema.Recipe) bool { return r.Anchor != nil && r.Anchor.From != "" && !r.Gate.Off }

// CutAnchor reads human text, and cuts it by the recipe's seed into profile, twins and holdout. The same files and seed give the
// same anchor. A row without text, or too few rows, are faults.
func CutAnchor(ctx context.Context, access *prompt.Access, recipe *schema.Recipe, files []schema.PinnedFile) (*quality.Anchor, error) {
	b := quality.NewAnchorBuilder(quality.AnchorOptions{Seed: recipe.Seed, HoldoutShare: recipe.Anchor.Holdout})
	a := recipe.Anchor
	columns := prompt.Columns{Need: []string{a.Text}}
	if a.Key != "" {
		columns.Need = append(columns.Need, a.Key)
	}
	for _, f := range files {
		for row, err := range access.Rows(ctx, f, columns) {
			if err != nil {
				return nil, err
			}
			text, ok := row.Columns[a.Text].(string)
			if !ok {
				return nil, schema.Faults{recipe.At("anchor.text", fmt.Sprintf("column %q isn't text in %s", a.Text, row.Place()), "name the column that holds the human text")}
			}
			key := ""
			if a.Key != "" {
				key = fmt.Sprint(row.Columns[a.Key])
			}
			b.Add(quality.AnchorRecord{Key: key, Text: text})
		}
	}
	anchor, err := b.Build()
	var e *schema.Error
	if errors.As(err, &e) {
		return nil, schema.Faults{recipe.At("anchor.from", e.Error(), e.Hint)}
	}
	return anchor, err
}

// putAnchor cuts the run's anchor once.
func (r *Rooms) putAnchor(ctx context.Context, run store.Run, recipe *schema.Recipe, access *prompt.Access) error {
	if !Anchored(recipe) {
		return nil
	}
	if _, err := r.Store.Head(ctx, run.Anchor()); err == nil || !notFound(err) {
		return err
	}
	files, err := r.anchorFiles(ctx, run)
	if err != nil {
		return err
	}
	anchor, err := CutAnchor(ctx, access, recipe, files)
	if err != nil {
		return err
	}
	body, err := quality.EncodeAnchor(anchor)
	if err != nil {
		return err
	}
	return r.putOnce(ctx, run.Anchor(), body, func() error { return nil }) // equal by construction
}

// anchorFiles are the files of human text as they were pinned when the run began.
func (r *Rooms) anchorFiles(ctx context.Context, run store.Run) ([]schema.PinnedFile, error) {
	var pinned []schema.ManifestSource
	if err := r.getJSON(ctx, run.Sources(), &pinned); err != nil {
		return nil, err
	}
	for _, s := range pinned {
		if s.Role == RoleAnchor {
			return s.Files, nil
		}
	}
	return nil, broken(run.Sources(), errors.New("it pins no anchor"))
}
