package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Roles of sources in manifests.
const (
	RolePrompts     = "prompts"
	RoleAnchor      = "anchor"
	RoleVersion     = "version"     // the pinned earlier version
	RoleEvaluations = "evaluations" // evaluation sets that contamination is judged against
)

// Beginning is a checked recipe with what it reads, ready to become a run.
type Beginning struct {
	Recipe      *schema.Recipe
	Text        []byte // as a person wrote it
	Shape       []byte // JSON Schema of an answer, or nil
	Sources     []prompt.Source
	Anchor      []schema.PinnedFile     // files of the anchor, where answers are measured against human text
	Against     []schema.ManifestSource // what checks.near.against names, pinned
	Evaluations []schema.ManifestSource // evaluation sets, for contamination
	Config      *schema.Config
	Begun       Begun
}

// Begun says how a run was begun, beside its recipe.
type Begun struct {
	Program string    `json:"program"`
	At      time.Time `json:"at"`
	Most    int64     `json:"most_prompts,omitempty"` // plan no more prompts than this: a preview or a pilot
	Of      int64     `json:"of_prompts,omitempty"`   // of a pilot: its prompts are spread over so many
	New     bool      `json:"new,omitempty"`          // plan only prompts that the dataset has decided no answer to
	Night   time.Time `json:"night,omitzero"`         // the time of the schedule that began it

	Reuse []EarlierRun `json:"reuse,omitempty"` // runs whose answers may be taken, pinned as the sources are
}

// NewRunID returns an id that sorts by time.
func NewRunID(now time.Time) string {
	return strings.ToLower(ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String())
}

// Begin puts on S3 what workers need of a run: recipe, teachers as declared, the shape of answers, pinned sources, local files.
// Nothing is put before all was checked; what a failed beginning leaves behind belongs to a run that nobody knows.
func (b *Beginning) Begin(ctx context.Context, s store.Store, run store.Run) error {
	declared, err := b.DeclaredTeachers(ctx, s)
	if err != nil {
		return err
	}
	sources, err := b.upload(ctx, s, run)
	if err != nil {
		return err
	}
	compared, err := b.compared(ctx, s, run)
	if err != nil {
		return err
	}
	sources = append(sources, compared...)
	if version, err := PinVersion(ctx, s, run.Dataset, b.Recipe); err != nil {
		return err
	} else if version != nil {
		sources = append(sources, *version)
	}
	if err := putValue(ctx, s, run.Teachers(), declared); err != nil {
		return err
	}
	if err := putValue(ctx, s, run.Sources(), sources); err != nil {
		return err
	}
	if b.Shape != nil {
		if err := put(ctx, s, run.Shape(), b.Shape); err != nil {
			return err
		}
	}
	if err := put(ctx, s, run.RecipeText(), b.Text); err != nil {
		return err
	}
	if b.Begun.Most == 0 {
		if b.Begun.Reuse, err = earlierRuns(ctx, s, run, b.Recipe.Reuse); err != nil {
			return err
		}
	}
	return putValue(ctx, s, run.Begun(), b.Begun)
}

func putValue(ctx context.Context, s store.Store, key string, value any) error {
	body, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	return put(ctx, s, key, body)
}

// put puts if absent; what stands there is this run's own, of an attempt before.
func put(ctx context.Context, s store.Store, key string, body []byte) error {
	if err := s.PutNew(ctx, key, body); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil
}

// upload sends local files along, so that any worker can read them, and returns all sources as pinned objects.
func (b *Beginning) upload(ctx context.Context, s store.Store, run store.Run) ([]schema.ManifestSource, error) {
	var out []schema.ManifestSource
	for _, src := range b.Sources {
		pinned := schema.ManifestSource{From: src.From, License: src.License, Origin: src.Origin, Role: RolePrompts}
		var err error
		if pinned.Files, err = uploadFiles(ctx, s, run.File, src.Files); err != nil {
			return nil, err
		}
		out = append(out, pinned)
	}
	for _, set := range b.Evaluations {
		var err error
		if set.Files, err = uploadFiles(ctx, s, run.File, set.Files); err != nil {
			return nil, err
		}
		out = append(out, set)
	}
	if b.Anchor == nil {
		return out, nil
	}
	files, err := uploadFiles(ctx, s, run.File, b.Anchor)
	a := b.Recipe.Anchor
	return append(out, schema.ManifestSource{From: a.From, License: a.License, Origin: schema.OriginHuman, Role: RoleAnchor, Files: files}), err
}

// uploadFiles sends those that are on this machine; keyOf gives their keys.
func uploadFiles(ctx context.Context, s store.Store, keyOf func(string) string, files []schema.PinnedFile) (out []schema.PinnedFile, err error) {
	for _, f := range files {
		if prompt.IsLocal(f) {
			if f, err = uploadFile(ctx, s, keyOf, f); err != nil {
				return nil, err
			}
		}
		out = append(out, f)
	}
	return out, nil
}

func uploadFile(ctx context.Context, s store.Store, keyOf func(string) string, f schema.PinnedFile) (schema.PinnedFile, error) {
	key := keyOf(prompt.LocalSHA256(f)[:16] + "-" + path.Base(f.Name))
	local, err := os.Open(f.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return f, sourceChanged(f.Name, err)
	}
	if err != nil {
		return f, err
	}
	defer local.Close()
	if err := s.PutFileNew(ctx, key, local, f.Bytes); err != nil && !errors.Is(err, store.ErrExists) {
		return f, err
	}
	if err := unchanged(local, f); err != nil {
		return f, err
	}
	info, err := s.Head(ctx, key)
	if err != nil {
		return f, err
	}
	if info.Size != f.Bytes {
		return f, sourceChanged(f.Name, fmt.Errorf("%d bytes became %d", f.Bytes, info.Size))
	}
	return schema.PinnedFile{Name: f.Name, Bucket: s.Bucket(), Key: key, ETag: info.ETag, Version: info.Version, Bytes: info.Size}, nil
}

// unchanged reads a file again after it was sent: what stands on S3 is what was checked.
func unchanged(local *os.File, f schema.PinnedFile) error {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(local, 0, f.Bytes)); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != prompt.LocalSHA256(f) {
		return sourceChanged(f.Name, fmt.Errorf("its sha256 is %s, not %s", got, prompt.LocalSHA256(f)))
	}
	return nil
}

func sourceChanged(name string, cause error) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "source_changed", Op: "read", Subject: name, Cause: cause,
		Hint: "The file changed while the run was being started; start it again."}
}

// DeclaredTeachers are the recipe's teachers with the depth of what they were trained on. A version that isn't there is an error.
func (b *Beginning) DeclaredTeachers(ctx context.Context, s store.Store) ([]DeclaredTeacher, error) {
	var out []DeclaredTeacher
	for _, use := range b.Recipe.Teachers {
		t := b.Config.Teacher(use.Name)
		if t == nil {
			return nil, schema.CheckTeachers(b.Recipe, b.Config).Err()
		}
		d := DeclaredTeacher{Teacher: *t}
		for _, trained := range t.TrainedOn {
			g, err := deepest(ctx, s, b.Config.Store.Prefix, trained)
			if err != nil {
				return nil, err
			}
			if g == schema.UnknownGeneration || d.Generation == schema.UnknownGeneration {
				d.Generation = schema.UnknownGeneration
				continue
			}
			d.Generation = max(d.Generation, g)
		}
		out = append(out, d)
	}
	return out, nil
}

// deepest is the deepest generation of a version, written DATASET@N.
func deepest(ctx context.Context, s store.Store, prefix, trained string) (int32, error) {
	dataset, n, err := schema.ParseDatasetVersion(trained)
	if err != nil {
		return 0, err
	}
	m, err := LoadManifest(ctx, s, store.NewDataset(s.Bucket(), prefix, dataset), n)
	if notFound(err) {
		return 0, &schema.Error{Kind: schema.KindInvalid, Code: "trained_on", Op: "read lineage of", Subject: trained, Cause: errors.New("there is no such version"),
			Hint: "trained_on names versions of Retort datasets in this store, as DATASET@N."}
	}
	if err != nil {
		return 0, err
	}
	return DeepestGeneration(m), nil
}

// DeepestGeneration of a version's records, UnknownGeneration where one is unknown.
func DeepestGeneration(m *schema.Manifest) int32 {
	var deep int32
	for g := range m.Generations {
		var n int32
		if _, err := fmt.Sscanf(g, "%d", &n); err != nil {
			return schema.UnknownGeneration
		}
		deep = max(deep, n)
	}
	return deep
}
