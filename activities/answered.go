package activities

import (
	"context"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// answered collects the prompts to which versions of the dataset have decided an answer, admitted or rejected: of each file that any
// version lists one column is read. Prompts whose requests failed or weren't asked aren't among them.
func (r *Rooms) answered(ctx context.Context, d store.Dataset, access *prompt.Access, scratch string) (*prompt.Seen, error) {
	newest, err := NewestVersion(ctx, r.Store, d)
	if err != nil {
		return nil, err
	}
	seen, read := prompt.NewSeen(scratch, 0), map[string]bool{}
	for n := 1; n <= newest && err == nil; n++ {
		var m *schema.Manifest
		if m, err = LoadManifest(ctx, r.Store, d, n); err != nil {
			break
		}
		for _, f := range append(append([]schema.Shard(nil), m.Shards...), m.Rejects...) {
			if read[f.Key] {
				continue
			}
			read[f.Key] = true
			if err = addPrompts(ctx, access, r.Store.Bucket(), f, seen); err != nil {
				break
			}
		}
	}
	if err != nil {
		seen.Close() //nolint:errcheck // the first error counts
		return nil, err
	}
	return seen, nil
}

// addPrompts reads the ids of a file's prompts.
func addPrompts(ctx context.Context, access *prompt.Access, bucket string, f schema.Shard, seen *prompt.Seen) error {
	pinned := schema.PinnedFile{Name: f.URI, Bucket: bucket, Key: f.Key, Bytes: f.Bytes}
	for row, err := range access.Rows(ctx, pinned, prompt.Columns{Want: []string{"prompt_id"}}) {
		if err != nil {
			return err
		}
		if id, ok := row.Columns["prompt_id"].(string); ok && id != "" { // human rows answer no prompt
			if _, err := seen.Add(id); err != nil {
				return err
			}
		}
	}
	return nil
}
