package activities

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Anchored says whether a recipe's answers are measured against human text.
func Anchored(r *schema.Recipe) bool { return r.Anchor != nil && r.Anchor.From != "" && !r.Gate.Off }

// Trended says whether a recipe's answers are measured against an earlier version of its dataset, once there is one.
func Trended(r *schema.Recipe) bool { return r.Anchor != nil && r.Anchor.Version > 0 && !r.Gate.Off }

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

// putHumanAnchor cuts human text, unless a run has cut the same text by the same seed before, and returns the anchor's key.
func (r *Rooms) putHumanAnchor(ctx context.Context, run store.Run, recipe *schema.Recipe, access *prompt.Access, files []schema.PinnedFile) (string, error) {
	return r.putAnchor(ctx, run, []any{"human/1", recipe.Seed, recipe.Anchor.Holdout, recipe.Anchor.Text, recipe.Anchor.Key, contents(files)},
		func() (*quality.Anchor, error) { return CutAnchor(ctx, access, recipe, files) })
}

// putAnchor puts the anchor that follows from the parts of its name, once.
func (r *Rooms) putAnchor(ctx context.Context, run store.Run, name []any, cut func() (*quality.Anchor, error)) (string, error) {
	key := run.Dataset.Anchor(digest([]byte(fmt.Sprintf("%q", name))))
	if _, err := r.Store.Head(ctx, key); err == nil || !notFound(err) {
		return key, err
	}
	anchor, err := cut()
	if err != nil {
		return "", err
	}
	body, err := quality.EncodeAnchor(anchor)
	if err != nil {
		return "", err
	}
	return key, r.putOnce(ctx, key, body, func() error { return nil }) // equal by construction
}

// openAnchor decodes an anchor, once a worker and run.
func (r *Rooms) openAnchor(ctx context.Context, recipe *Recipe, key string) (*quality.Anchor, error) {
	c := &recipe.anchors
	c.mu.Lock()
	defer c.mu.Unlock()
	if got, ok := c.byKey[key]; ok {
		return got, nil
	}
	body, err := r.Store.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	got, err := quality.DecodeAnchor(body)
	if err != nil {
		return nil, err
	}
	if c.byKey == nil {
		c.byKey = map[string]*quality.Anchor{}
	}
	c.byKey[key] = got
	return got, nil
}

// contents name what files hold, wherever they stand: a file that was sent with a run has its digest in its name.
func contents(files []schema.PinnedFile) (names []string) {
	for _, f := range files {
		names = append(names, fmt.Sprintf("%s %s %d", path.Base(f.Key), f.ETag, f.Bytes))
	}
	slices.Sort(names)
	return names
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
