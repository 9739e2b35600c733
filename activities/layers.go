package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/inspect"
	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// layerFormat is the version of how texts become a layer.
const layerFormat = "retort/layer/1"

// indexRoot is what a run leaves for those that are compared with it.
type indexRoot struct {
	Root   string       `json:"root"`
	Params dedup.Params `json:"params"`
}

// compares says whether a recipe looks for duplicates at all.
func compares(r *schema.Recipe) bool {
	return r.Checks.Exact.Do != schema.DoOff || r.Checks.Near.Do != schema.DoOff
}

// putCompared finds the indexes of what the run is compared with, and makes those that don't exist: before anyone is asked, and once.
func (r *Rooms) putCompared(ctx context.Context, run store.Run, recipe *Recipe, access *prompt.Access) error {
	if !compares(recipe.Recipe) {
		return nil
	}
	if _, err := r.Store.Head(ctx, run.Compared()); err == nil || !notFound(err) {
		return err
	}
	var pinned []schema.ManifestSource
	if err := r.getJSON(ctx, run.Sources(), &pinned); err != nil {
		return err
	}
	b := &layerBuilder{rooms: r, run: run, recipe: recipe, access: access}
	if err := b.all(ctx, pinned); err != nil {
		return err
	}
	return r.putJSON(ctx, run.Compared(), b.out, nil)
}

// layerBuilder collects a run's layers.
type layerBuilder struct {
	rooms  *Rooms
	run    store.Run
	recipe *Recipe
	access *prompt.Access
	out    compared

	again string // an object of a layer that is to be made again, though it stands as whole
	made  bool   // it was
}

// all adds what is pinned.
func (b *layerBuilder) all(ctx context.Context, pinned []schema.ManifestSource) error {
	for _, s := range pinned {
		var err error
		switch s.Role {
		case RoleEarlier:
			err = b.earlier(ctx, s.From)
		case RoleAgainst:
			err = b.against(ctx, s)
		case RoleAnchor:
			if Mixes(b.recipe.Recipe) && len(b.recipe.Output.Splits) > 0 { // a human row and its copy might stand in two splits
				s.From = schema.AgainstAnchor
				err = b.against(ctx, s)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// earlier adds the runs of the dataset's versions: those that the new version will stand beside with the scope of the checks; those
// that are, or will be, superseded only where there are splits, so that what is alike stays in one.
func (b *layerBuilder) earlier(ctx context.Context, from string) error {
	_, newest, err := schema.ParseDatasetVersion(from)
	if err != nil {
		return err
	}
	m, err := LoadManifest(ctx, b.rooms.Store, b.run.Dataset, newest)
	if err != nil {
		return err
	}
	var beside, before []runShards
	if b.recipe.Output.Previous == "keep" {
		beside = runsOf(m)
	}
	if len(b.recipe.Output.Splits) > 0 {
		if before, err = b.superseded(ctx, newest, beside); err != nil {
			return err
		}
	}
	if err := b.addRuns(ctx, "versions before "+from+" that it superseded", b.run.Dataset, dedup.ScopeNone, before); err != nil {
		return err
	}
	return b.addRuns(ctx, from, b.run.Dataset, dedup.ScopeChecks, beside)
}

// superseded are the runs of all versions up to newest that aren't in beside.
func (b *layerBuilder) superseded(ctx context.Context, newest int, beside []runShards) (out []runShards, err error) {
	seen := map[string]bool{}
	for _, r := range beside {
		seen[r.run] = true
	}
	for n := 1; n <= newest; n++ {
		m, err := LoadManifest(ctx, b.rooms.Store, b.run.Dataset, n)
		if notFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, r := range runsOf(m) {
			if !seen[r.run] {
				seen[r.run] = true
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// against adds a dataset's version, or files.
func (b *layerBuilder) against(ctx context.Context, s schema.ManifestSource) error {
	if len(s.Files) > 0 {
		root, err := b.build(ctx, corpusOf(b.recipe.Recipe, s))
		b.out.Layers = append(b.out.Layers, comparedLayer{Name: s.From, Scope: schema.ScopeDataset, Parts: []comparedPart{{Name: s.From, Root: root, Built: true}}})
		return err
	}
	name, n, err := schema.ParseDatasetVersion(s.From)
	if err != nil {
		return err
	}
	d := store.NewDataset(b.run.Bucket, b.run.Prefix, name)
	m, err := LoadManifest(ctx, b.rooms.Store, d, n)
	if err != nil {
		return err
	}
	return b.addRuns(ctx, s.From, d, schema.ScopeDataset, runsOf(m))
}

// runShards are the shards of a run in a version.
type runShards struct {
	run    string
	shards []schema.Shard
}

// runsOf takes a version's shards apart by the runs that wrote them, in their order.
func runsOf(m *schema.Manifest) (out []runShards) {
	for _, s := range m.Shards {
		i := slices.IndexFunc(out, func(r runShards) bool { return r.run == s.Run })
		if i < 0 {
			i, out = len(out), append(out, runShards{run: s.Run})
		}
		out[i].shards = append(out[i].shards, s)
	}
	return out
}

func (b *layerBuilder) addRuns(ctx context.Context, name string, d store.Dataset, scope string, runs []runShards) error {
	layer := comparedLayer{Name: name, Scope: scope, Own: scope != schema.ScopeDataset}
	for _, r := range runs {
		root, built, err := b.rootOf(ctx, d, r)
		if err != nil {
			return err
		}
		if root != "" {
			layer.Parts = append(layer.Parts, comparedPart{Name: d.Name + "/" + r.run, Run: r.run, Root: root, Built: built})
		}
	}
	if len(layer.Parts) > 0 {
		b.out.Layers = append(b.out.Layers, layer)
	}
	return nil
}

// rootOf is the root of a run's index, or, where it has none that fits (other parameters, an earlier program), of one that is made
// from its shards.
func (b *layerBuilder) rootOf(ctx context.Context, d store.Dataset, r runShards) (root string, built bool, err error) {
	var own indexRoot
	switch err := b.rooms.getJSON(ctx, d.Run(r.run).IndexRoot(), &own); {
	case err == nil && own.Params == b.recipe.sketches:
		return own.Root, false, nil
	case err != nil && !notFound(err):
		return "", false, err
	}
	root, err = b.build(ctx, shardCorpus(d, r))
	return root, true, err
}

// corpus is texts in files, which become an index.
type corpus struct {
	name   string
	files  []schema.PinnedFile
	splits []string // of each file; nil: a corpus of other texts
	column string   // "" is looked for
}

// corpusOf is a source of checks.near.against.
func corpusOf(recipe *schema.Recipe, s schema.ManifestSource) corpus {
	c := corpus{name: s.From, files: s.Files}
	if s.From == schema.AgainstAnchor && recipe.Anchor != nil {
		c.column = recipe.Anchor.Text
	}
	return c
}

func shardCorpus(d store.Dataset, r runShards) corpus {
	c := corpus{name: d.Name + "/" + r.run}
	for _, s := range r.shards {
		c.files = append(c.files, schema.PinnedFile{Name: s.URI, Bucket: d.Bucket, Key: s.Key, Bytes: s.Bytes, ETag: "", Version: ""})
		c.splits = append(c.splits, s.Split)
	}
	return c
}

// digest is of the content and of how it is read: equal corpora share an index.
func (c *corpus) digest(p dedup.Params) (string, error) {
	type file struct {
		ETag, Key, Split string
		Bytes            int64
	}
	var of struct {
		Format, Column string
		Params         dedup.Params
		Files          []file
	}
	of.Format, of.Column, of.Params = layerFormat, c.column, p
	for i, f := range c.files {
		one := file{ETag: f.ETag, Bytes: f.Bytes}
		if c.splits != nil { // a shard never changes under its key
			one.Key, one.Split = f.Key, c.splits[i]
		}
		of.Files = append(of.Files, one)
	}
	b, err := json.Marshal(of)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), err
}

// builtLayer says that a layer is whole.
type builtLayer struct {
	Format string   `json:"format"`
	Name   string   `json:"name"` // of the corpus it was first built for
	Root   string   `json:"root"`
	Files  []string `json:"files"`
}

// build returns the root of the corpus's index, which is made where there is none: for any run, once.
func (b *layerBuilder) build(ctx context.Context, c corpus) (string, error) {
	digest, err := c.digest(b.recipe.sketches)
	if err != nil {
		return "", err
	}
	prefix := b.run.Layer(digest)
	var done builtLayer
	err = b.rooms.getJSON(ctx, prefix+"layer.json", &done)
	again := err == nil && b.again != "" && strings.HasPrefix(b.again, prefix)
	if err == nil && !again || err != nil && !notFound(err) {
		return done.Root, err
	}
	root, err := b.write(ctx, c, prefix)
	if err != nil {
		return "", err
	}
	if again {
		if b.made = true; root != done.Root {
			return "", lostIndex(done.Root, fmt.Errorf("its texts lead to %q", root))
		}
		return root, nil
	}
	done.Root = root
	done.Format, done.Name = layerFormat, c.name
	for _, f := range c.files {
		done.Files = append(done.Files, f.Name)
	}
	return done.Root, b.rooms.putJSON(ctx, prefix+"layer.json", done, &done)
}

func (b *layerBuilder) write(ctx context.Context, c corpus, prefix string) (string, error) {
	opts := b.rooms.indexOptions(b.recipe)
	opts.Exact.Scope = schema.ScopeDataset
	if c.splits != nil {
		opts.Exact.Scope = schema.ScopePrompt // an answer to another prompt counts by itself
	}
	return b.rooms.clearing(ctx, func() (string, error) { return dedup.WriteLayer(ctx, b.rooms.Store, prefix, b.items(ctx, c), opts) })
}

// items sketches a corpus's texts in order.
func (b *layerBuilder) items(ctx context.Context, c corpus) iter.Seq2[dedup.Item, error] {
	return func(yield func(dedup.Item, error) bool) {
		sketcher, err := dedup.NewSketcher(b.recipe.sketches)
		if err != nil {
			yield(dedup.Item{}, err)
			return
		}
		beat := beatOf(ctx)
		for i, f := range c.files {
			for row, err := range b.access.Rows(ctx, f, wantedOf(&c)) {
				var item dedup.Item
				if err == nil {
					item, err = itemOf(sketcher, &c, i, row)
				}
				if !yield(item, err) || err != nil {
					return
				}
				beat.done.Add(1)
			}
		}
	}
}

func wantedOf(c *corpus) prompt.Columns {
	want := inspect.Wanted(c.column)
	want.Want = append(want.Want, "prompt_id", "request_id")
	return want
}

func itemOf(sketcher *dedup.Sketcher, c *corpus, file int, row prompt.Row) (dedup.Item, error) {
	text, before, err := inspect.TextOf(row, c.column)
	if err != nil {
		return dedup.Item{}, err
	}
	var without []string
	for _, m := range before {
		without = append(without, m.Content)
	}
	item := dedup.Item{ID: fmt.Sprintf("%s:%d", row.File, row.Line), Live: true, Sketch: sketcher.Sketch(text, without...)}
	if c.splits == nil {
		return item, nil
	}
	item.PromptID, _ = row.Columns["prompt_id"].(string)
	request, _ := row.Columns["request_id"].(string)
	if request == "" { // a human row
		id, _ := row.Columns["id"].(string)
		request = recordMark + id
	}
	item.ID = entryID(request, c.splits[file])
	return item, nil
}
