package prompt

import (
	"context"
	"errors"
	"os"
	"path"
	"strings"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Upload puts local pinned files under a folder of keys, so that any worker can read them, and returns them pinned there under
// the names that they had. Objects are named by their content: a repeated upload finds them, and files that are on S3 already
// stay as they are.
func Upload(ctx context.Context, s store.Store, folder string, files []schema.PinnedFile) ([]schema.PinnedFile, error) {
	out := make([]schema.PinnedFile, len(files))
	for i, f := range files {
		out[i] = f
		if !IsLocal(f) {
			continue
		}
		pinned, err := upload(ctx, s, folder, f)
		if err != nil {
			return nil, err
		}
		out[i] = pinned
	}
	return out, nil
}

func upload(ctx context.Context, s store.Store, folder string, f schema.PinnedFile) (schema.PinnedFile, error) {
	now, err := pinLocal(ctx, named{f.Name, f.Key})
	if err != nil {
		return f, changed(f, causeOf(err))
	}
	if now.ETag != f.ETag {
		return f, changed(f, errors.New("its content differs"))
	}
	file, err := os.Open(f.Key)
	if err != nil {
		return f, changed(f, causeOf(err))
	}
	defer file.Close() //nolint:errcheck // only read
	key := path.Join(folder, LocalSHA256(f)+extensions(f.Name))
	if err := s.PutFileNew(ctx, key, file, f.Bytes); err != nil && !errors.Is(err, store.ErrExists) {
		return f, err
	}
	info, err := s.Head(ctx, key)
	if err != nil {
		return f, err
	}
	f.Bucket, f.Key, f.ETag, f.Version = s.Bucket(), key, info.ETag, info.Version
	return f, nil
}

// extensions are format and packing, such as .jsonl.gz, for people who look at the bucket.
func extensions(name string) string {
	format, packing, _ := schema.SourceFormat(strings.ToLower(name))
	return format + packing
}
