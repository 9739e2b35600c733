package activities

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Setting is a schedule as a person set it: what a worker needs to begin a run of it without the machine where it was set. Objects on
// S3 are found and pinned anew each night; local files stay as they were sent.
type Setting struct {
	Recipe  string                         `json:"recipe"`          // as a person wrote it
	Shape   json.RawMessage                `json:"shape,omitempty"` // JSON Schema of an answer
	Local   map[string][]schema.PinnedFile `json:"local,omitempty"` // key path of the recipe → files that were sent
	Every   schema.Duration                `json:"every,omitempty"` // instead of the recipe's cron, for trying a schedule out
	Set     time.Time                      `json:"set"`
	Who     string                         `json:"who"`
	Program string                         `json:"program"`
}

// Set puts a schedule's setting, by content, and the local files that its recipe reads; it returns the setting's digest.
func (b *Beginning) Set(ctx context.Context, s store.Store, d store.Dataset, setting Setting) (string, error) {
	setting.Recipe, setting.Shape, setting.Local = string(b.Text), b.Shape, map[string][]schema.PinnedFile{}
	send := func(path string, files []schema.PinnedFile) (err error) {
		if len(files) == 0 || !prompt.IsLocal(files[0]) { // what from: names is all here, or all there
			return nil
		}
		setting.Local[path], err = uploadFiles(ctx, s, d.SettingFile, files)
		return err
	}
	for i := range b.Sources {
		if err := send(promptsPath(i), b.Sources[i].Files); err != nil {
			return "", err
		}
	}
	if err := send(anchorPath, b.Anchor); err != nil {
		return "", err
	}
	for i := range b.Evaluations {
		if err := send(evaluationsPath(i), b.Evaluations[i].Files); err != nil {
			return "", err
		}
	}
	for i, source := range b.Against {
		path := againstPath(i)
		if source.From == schema.AgainstAnchor {
			path = anchorPath
		}
		if err := send(path, source.Files); err != nil {
			return "", err
		}
	}
	body, err := json.MarshalIndent(setting, "", " ")
	if err != nil {
		return "", err
	}
	name := digest(body)
	return name, put(ctx, s, d.Setting(name), body)
}

// ReadsLocal says whether the recipe reads files of this machine.
func (b *Beginning) ReadsLocal() bool {
	local := func(files []schema.PinnedFile) bool { return len(files) > 0 && prompt.IsLocal(files[0]) }
	return local(b.Anchor) || slices.ContainsFunc(b.Evaluations, func(s schema.ManifestSource) bool { return local(s.Files) }) || slices.ContainsFunc(b.Against, func(s schema.ManifestSource) bool { return local(s.Files) }) || slices.ContainsFunc(b.Sources, func(s prompt.Source) bool { return local(s.Files) })
}
