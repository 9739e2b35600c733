package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/inspect"
	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Roles of sources that a run's answers are compared with. They are pinned with the others when the run begins, so that every
// attempt at a page compares with the same.
const (
	RoleEarlier = "earlier" // the dataset's newest version, From: NAME@N
	RoleAgainst = "against" // checks.near.against: a dataset's version, From: NAME@N; files; the recipe's anchor
)

func againstPath(i int) string { return fmt.Sprintf("checks.near.against[%d]", i) }

// ResolveAgainst finds and pins what checks.near.against names: the newest version of a dataset where none is given. Files are found by
// resolve, access.Resolve or what stands for it, at a key path of the recipe.
func ResolveAgainst(ctx context.Context, access *prompt.Access, recipe *schema.Recipe, resolve func(path, from string) ([]schema.PinnedFile, error)) (out []schema.ManifestSource, err error) {
	for i, against := range recipe.Checks.Near.Against {
		path := againstPath(i)
		var source schema.ManifestSource
		switch _, _, isFile := schema.SourceFormat(against); {
		case against == schema.AgainstAnchor:
			a := recipe.Anchor
			if a == nil || a.From == "" {
				return nil, schema.Faults{recipe.At(path, "the recipe has no human text as its anchor", "give anchor.from, or name a dataset called anchor as anchor@N")}
			}
			source = schema.ManifestSource{From: schema.AgainstAnchor, License: a.License, Origin: schema.OriginHuman}
			source.Files, err = resolve(anchorPath, a.From)
		case isFile || strings.Contains(against, "://"):
			source = schema.ManifestSource{From: against, Origin: schema.OriginUnknown}
			source.Files, err = resolve(path, against)
		default:
			source, err = resolveDataset(ctx, access, recipe, path, against)
		}
		if err != nil {
			return nil, err
		}
		source.Role = RoleAgainst
		if err := firstTexts(ctx, access, corpusOf(recipe, source)); err != nil {
			return nil, err
		}
		out = append(out, source)
	}
	return out, nil
}

// firstTexts reads the first row of each file, so that a wrong column is said before anything begins.
func firstTexts(ctx context.Context, access *prompt.Access, c corpus) error {
	for _, f := range c.files {
		for row, err := range access.Rows(ctx, f, wantedOf(&c)) {
			if err == nil {
				_, _, err = inspect.TextOf(row, c.column)
			}
			if err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// resolveDataset pins a version of a dataset in the store.
func resolveDataset(ctx context.Context, access *prompt.Access, recipe *schema.Recipe, path, against string) (out schema.ManifestSource, err error) {
	name, n, err := schema.ParseDatasetVersion(against)
	if err != nil {
		return out, schema.Faults{recipe.At(path, err.Error(), "give files, or a dataset as NAME or NAME@VERSION")}
	}
	if access.Store == nil {
		return out, &schema.Error{Kind: schema.KindInvalid, Code: "no_store", Op: "read", Subject: against, Cause: errors.New("no store is configured"), Hint: "Configure a store in temporal.yaml."}
	}
	d := store.NewDataset(access.Store.Bucket(), access.Config.Store.Prefix, name)
	if n == 0 {
		if n, err = NewestVersion(ctx, access.Store, d); err != nil {
			return out, err
		}
	}
	m, err := LoadManifest(ctx, access.Store, d, n)
	if n == 0 || notFound(err) {
		return out, schema.Faults{recipe.At(path, fmt.Sprintf("there is no dataset or version %q in %s", against, d.Home()), "see retort versions "+name)}
	}
	if err != nil {
		return out, err
	}
	return schema.ManifestSource{From: fmt.Sprintf("%s@%d", name, n), License: m.License, Origin: schema.OriginGenerated}, nil
}

// compared pins what the run's answers are compared with: the dataset's own newest version, where there is one, and what the recipe names.
func (b *Beginning) compared(ctx context.Context, s store.Store, run store.Run) (out []schema.ManifestSource, err error) {
	n, err := NewestVersion(ctx, s, run.Dataset)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		out = append(out, schema.ManifestSource{From: fmt.Sprintf("%s@%d", run.Name, n), License: b.Recipe.License, Origin: schema.OriginGenerated, Role: RoleEarlier})
	}
	for _, source := range b.Against {
		if source.Files, err = uploadFiles(ctx, s, run.File, source.Files); err != nil {
			return nil, err
		}
		out = append(out, source)
	}
	return out, nil
}

// compared are the indexes that a run's answers are compared with, in order, beside its own.
type compared struct {
	Layers []comparedLayer `json:"layers"`
}

// comparedLayer is searched as one; see dedup.LayerRef for scopes.
type comparedLayer struct {
	Name  string         `json:"name"` // as pinned: NAME@N, a file, anchor
	Scope string         `json:"scope"`
	Own   bool           `json:"own,omitempty"` // earlier versions of the dataset itself
	Parts []comparedPart `json:"parts"`
}

// comparedPart is an index: a run's own, with request ids, or one made of texts, with the ids of their rows.
type comparedPart struct {
	Name  string `json:"name"`
	Run   string `json:"run,omitempty"` // whose records its entries are
	Root  string `json:"root"`
	Built bool   `json:"built,omitempty"` // from texts, under the dataset's layers
}

// comparedWith reads what putCompared wrote, once; a run that an earlier program has planned is compared with itself alone.
func (r *Rooms) comparedWith(ctx context.Context, run store.Run, recipe *Recipe) (*compared, error) {
	if c := recipe.compared.Load(); c != nil {
		return c, nil
	}
	c := &compared{}
	if err := r.getJSON(ctx, run.Compared(), c); err != nil && !notFound(err) {
		return nil, err
	}
	recipe.compared.Store(c)
	return c, nil
}

// refs are the layers as an index takes them.
func (c *compared) refs() (out []dedup.LayerRef) {
	for _, l := range c.Layers {
		ref := dedup.LayerRef{Name: l.Name, Scope: l.Scope}
		for _, p := range l.Parts {
			ref.Parts = append(ref.Parts, dedup.Part{Name: p.Name, Root: p.Root})
		}
		out = append(out, ref)
	}
	return out
}

// recordID is what a decision calls an entry: the request of the run itself; of other runs the record, of texts their row.
func (c *compared) recordID(part, entry string) string {
	id, _ := splitOfEntry(entry)
	if record, ok := strings.CutPrefix(id, recordMark); ok {
		return record
	}
	for _, l := range c.Layers {
		for _, p := range l.Parts {
			if p.Name == part && p.Run != "" {
				return schema.RecordID(p.Run, id)
			}
		}
	}
	return id
}

// ownPart says whether a part holds records of the dataset itself, which stand in its splits.
func (c *compared) ownPart(part string) bool {
	for _, l := range c.Layers {
		if l.Own && slices.ContainsFunc(l.Parts, func(p comparedPart) bool { return p.Name == part }) {
			return true
		}
	}
	return false
}

const (
	// splitMark stands between an entry's request and its split; no id has it.
	splitMark = "\x1f"
	// recordMark begins the entry of a record that answers no request: a human row.
	recordMark = "\x1e"
)

// entryID is what an index calls a record: its request, and the split that it stands in where that isn't train.
func entryID(request, split string) string {
	if split == "" || split == trainSplit {
		return request
	}
	return request + splitMark + split
}

// splitOfEntry takes an entryID apart.
func splitOfEntry(entry string) (request, split string) {
	request, split, ok := strings.Cut(entry, splitMark)
	if !ok {
		split = trainSplit
	}
	return request, split
}
