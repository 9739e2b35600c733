package activities

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// PinVersion finds the version that a recipe's answers are to be measured against. It returns nil where the dataset has no version
// yet, for then there is no trend. What is wrong with the version is a fault of the recipe.
func PinVersion(ctx context.Context, s store.Store, d store.Dataset, recipe *schema.Recipe) (*schema.ManifestSource, error) {
	if !Trended(recipe) {
		return nil, nil
	}
	n := recipe.Anchor.Version
	fault := func(what, mend string) error { return schema.Faults{recipe.At("anchor.version", what, mend)} }
	m, err := LoadManifest(ctx, s, d, n)
	if notFound(err) {
		newest, err := NewestVersion(ctx, s, d)
		if err != nil || newest == 0 {
			return nil, err
		}
		return nil, fault(fmt.Sprintf("%s has no version %d; its newest is %d", d.Name, n, newest), fmt.Sprintf("pin a version from 1 to %d", newest))
	}
	if err != nil {
		return nil, err
	}
	if said := m.Counts.Planned - m.Counts.Failed - m.Counts.Unasked; said < quality.FewestPinned {
		return nil, fault(fmt.Sprintf("version %d has %d answers of its own run; %d of 8 words or more are needed to measure against it", n, said, quality.FewestPinned), "pin a larger version, or leave it out")
	}
	if _, err := s.Head(ctx, d.Run(m.Run).Decisions(0)); notFound(err) {
		return nil, fault(fmt.Sprintf("the answers of version %d aren't there any more (run %s)", n, m.Run), "pin a version whose run still stands under "+d.URI(d.Runs()))
	} else if err != nil {
		return nil, err
	}
	info, err := s.Head(ctx, d.Manifest(n))
	if err != nil {
		return nil, err
	}
	return &schema.ManifestSource{From: fmt.Sprintf("%s@%d", d.Name, n), License: m.License, Origin: schema.OriginGenerated, Role: RoleVersion,
		Files: []schema.PinnedFile{{Name: fmt.Sprintf("%s@%d", d.Name, n), Bucket: s.Bucket(), Key: d.Manifest(n), ETag: info.ETag, Version: info.Version, Bytes: info.Size}}}, nil
}

// putVersionAnchor cuts what a version's teachers said, before any filter, unless that was done before.
func (r *Rooms) putVersionAnchor(ctx context.Context, run store.Run, recipe *Recipe, m *schema.Manifest, byTeacher bool) (string, error) {
	return r.putAnchor(ctx, run, []any{"version/2", recipe.Seed, m.Run, m.Version, byTeacher}, func() (*quality.Anchor, error) {
		b := quality.NewAnchorBuilder(quality.AnchorOptions{Seed: recipe.Seed, Pinned: true})
		if err := r.saidIn(ctx, schema.RunRef{Dataset: run.Name, Run: m.Run}, func(teacher string, row *Decided) {
			b.Add(quality.AnchorRecord{Key: row.Request.Key, PromptID: row.Request.ID, Stratum: stratum(&row.Request, &row.Inspection, teacher, byTeacher),
				Text: row.Response.Text, Asked: quality.AskedOf(lastUser(row.Request.Messages))})
		}); err != nil {
			return nil, err
		}
		anchor, err := b.Build()
		var e *schema.Error
		if errors.As(err, &e) {
			return nil, schema.Faults{recipe.At("anchor.version", fmt.Sprintf("version %d: %s", m.Version, e.Error()), e.Hint)}
		}
		return anchor, err
	})
}

// saidIn yields every answer of a run, whatever was decided about it.
func (r *Rooms) saidIn(ctx context.Context, ref schema.RunRef, yield func(teacher string, row *Decided)) error {
	beat := beatOf(ctx)
	for seq := 0; ; seq++ {
		teacher, rows, err := r.Decided(ctx, ref, seq)
		if notFound(err) && seq > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range rows {
			if !rows[i].Response.Failed() {
				yield(teacher, &rows[i])
			}
		}
		beat.done.Add(int64(len(rows)))
	}
}

// lastUser is what was asked last.
func lastUser(messages []schema.Message) string {
	for _, m := range slices.Backward(messages) {
		if m.Role == "user" {
			return m.Content
		}
	}
	return ""
}

// sameTemplate says whether two recipes make prompts of their rows in the same way.
func sameTemplate(a, b *schema.Recipe) bool {
	x, errX := json.Marshal([]any{a.Messages, a.Vary})
	y, errY := json.Marshal([]any{b.Messages, b.Vary})
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// stratum is the kind of an answer: answers are compared within it.
func stratum(req *schema.Request, in *schema.Inspection, teacher string, byTeacher bool) string {
	s := req.Source + "\x1f" + in.Language
	if byTeacher {
		s += "\x1f" + teacher
	}
	return s
}

// sameTeachers says whether a recipe asks the very models that a version was made by.
func sameTeachers(recipe *Recipe, m *schema.Manifest) bool {
	type model struct{ name, model, revision string }
	var now, then []model
	for _, t := range recipe.teachers {
		now = append(now, model{t.Name, t.Model, t.Revision})
	}
	for _, t := range m.Teachers {
		then = append(then, model{t.Name, t.Model, t.Revision})
	}
	order := func(a, b model) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.model, b.model), cmp.Compare(a.revision, b.revision))
	}
	slices.SortFunc(now, order)
	slices.SortFunc(then, order)
	return slices.Equal(now, then)
}

// samePrompts says whether two runs took their prompts from files of the same content.
func samePrompts(a, b []schema.ManifestSource) bool {
	files := func(all []schema.ManifestSource) (names []string) {
		for _, s := range all {
			if s.Role == RolePrompts {
				names = append(names, contents(s.Files)...)
			}
		}
		slices.Sort(names)
		return names
	}
	return slices.Equal(files(a), files(b))
}
