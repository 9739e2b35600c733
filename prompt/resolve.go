package prompt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// MaxFiles bounds the files of one source.
const MaxFiles = 100_000

// Source is an entry of the recipe's prompts with its files, pinned.
type Source struct {
	schema.Source
	Index int // in Recipe.Prompts
	Files []schema.PinnedFile
}

// localTag begins the ETag of a file on this machine; its sha256 in hex follows. Such a file has no bucket, and its path as key.
const localTag = "sha256:"

// IsLocal says whether a pinned file is on this machine and has to be uploaded before workers can read it.
func IsLocal(f schema.PinnedFile) bool { return f.Bucket == "" }

// LocalSHA256 returns the digest of a local pinned file in hex.
func LocalSHA256(f schema.PinnedFile) string { return strings.TrimPrefix(f.ETag, localTag) }

// ResolveAll finds and pins the files of all prompt sources. Faults of all of them are returned together.
func (a *Access) ResolveAll(ctx context.Context, r *schema.Recipe) ([]Source, error) {
	var sources []Source
	var faults schema.Faults
	for i, s := range r.Prompts {
		files, err := a.Resolve(ctx, r, fmt.Sprintf("prompts[%d].from", i), s.From)
		var fs schema.Faults
		switch {
		case errors.As(err, &fs):
			faults = append(faults, fs...)
		case err != nil:
			return nil, err
		}
		sources = append(sources, Source{Source: s, Index: i, Files: files})
	}
	if len(faults) > 0 {
		return nil, faults.Err()
	}
	return sources, nil
}

// Resolve finds and pins the files that from names, in order of their names. keyPath, such as "anchor.from", is where faults
// are shown. Local files are relative to the recipe's folder; they are read once here, for their digest.
func (a *Access) Resolve(ctx context.Context, r *schema.Recipe, keyPath, from string) ([]schema.PinnedFile, error) {
	var files []schema.PinnedFile
	var err error
	if bucket, key, ok := schema.SplitS3(from); ok {
		files, err = a.resolveObjects(ctx, r, keyPath, from, bucket, key)
	} else {
		files, err = a.resolveLocal(ctx, r, keyPath, from)
	}
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, schema.Faults{r.At(keyPath, fmt.Sprintf("no file matches %q", from), "* and ? match within a name, not across /")}
	}
	for _, f := range files {
		if _, _, ok := schema.SourceFormat(f.Name); !ok {
			return nil, schema.Faults{r.At(keyPath, fmt.Sprintf("matches %s, which is no format that is read", f.Name), "match files that end in .parquet, .jsonl, .csv or .txt alone, or these with .gz or .zst")}
		}
	}
	return files, nil
}

func (a *Access) resolveObjects(ctx context.Context, r *schema.Recipe, keyPath, from, bucket, key string) ([]schema.PinnedFile, error) {
	fixed := fixedPart(key)
	for part := range strings.SplitSeq(key, "/") {
		if part == "." || part == ".." {
			return nil, schema.Faults{r.At(keyPath, fmt.Sprintf("%q has a part . or ..", from), "write the key as it is")}
		}
	}
	if !a.mayReadKey(bucket, key) {
		return nil, schema.Faults{r.At(keyPath, fmt.Sprintf("recipes may not read %q", from), a.mendKey(bucket, key))}
	}
	s, err := a.bucket(bucket)
	if err != nil {
		return nil, err
	}
	if fixed == key {
		info, err := s.Head(ctx, key)
		if errors.Is(err, store.ErrNotFound) {
			return nil, schema.Faults{r.At(keyPath, fmt.Sprintf("there is no object %q", from), "check bucket and key; keys are case-sensitive")}
		}
		if err != nil {
			return nil, err
		}
		return []schema.PinnedFile{pinObject(bucket, info)}, nil
	}
	return listObjects(ctx, s, r, keyPath, bucket, key, fixed)
}

func listObjects(ctx context.Context, s store.Store, r *schema.Recipe, keyPath, bucket, pattern, fixed string) ([]schema.PinnedFile, error) {
	var files []schema.PinnedFile
	glob := escapeClasses(pattern)
	for info, err := range s.List(ctx, fixed, "") {
		if err != nil {
			return nil, err
		}
		if ok, err := path.Match(glob, info.Key); err != nil || !ok {
			continue
		}
		if len(files) == MaxFiles {
			return nil, tooManyFiles(r, keyPath)
		}
		files = append(files, pinObject(bucket, info))
	}
	return files, nil
}

func tooManyFiles(r *schema.Recipe, keyPath string) error {
	return schema.Faults{r.At(keyPath, fmt.Sprintf("matches more than %d files", MaxFiles), "match fewer, or join small files into larger ones")}
}

func pinObject(bucket string, info store.Info) schema.PinnedFile {
	return schema.PinnedFile{Name: "s3://" + bucket + "/" + info.Key, Bucket: bucket, Key: info.Key, ETag: info.ETag, Version: info.Version, Bytes: info.Size}
}

// fixedPart is what stands before the first glob character.
func fixedPart(pattern string) string {
	if i := strings.IndexAny(pattern, "*?"); i >= 0 {
		return pattern[:i]
	}
	return pattern
}

// escapeClasses leaves * and ? as the only glob characters.
func escapeClasses(pattern string) string {
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(pattern)
}

func (a *Access) resolveLocal(ctx context.Context, r *schema.Recipe, keyPath, from string) ([]schema.PinnedFile, error) {
	fixed := fixedPart(from)
	if fixed == from {
		real, fault := a.realPath(r, keyPath, from)
		if fault != nil {
			return nil, schema.Faults{*fault}
		}
		return pinLocals(ctx, r, keyPath, []named{{from, real}})
	}
	base := fixed[:strings.LastIndexByte(fixed, '/')+1]
	folder := base
	if folder == "" {
		folder = "."
	}
	real, fault := a.realPath(r, keyPath, folder)
	if fault != nil {
		return nil, schema.Faults{*fault}
	}
	matches, err := globIn(real, from[len(base):])
	if err != nil {
		return nil, schema.Faults{r.At(keyPath, fmt.Sprintf("%q can't be listed: %v", from, causeOf(err)), "check the folder's permissions")}
	}
	if len(matches) > MaxFiles {
		return nil, tooManyFiles(r, keyPath)
	}
	var found []named
	for _, rel := range matches {
		real, fault := a.realPath(r, keyPath, base+rel) // a link in the folder may lead out of it
		if fault != nil {
			return nil, schema.Faults{*fault}
		}
		found = append(found, named{base + rel, real})
	}
	return pinLocals(ctx, r, keyPath, found)
}

// named is a file with its name as the recipe would give it.
type named struct{ name, path string }

// globIn lists the files under folder that match a pattern of names separated by /, in order.
func globIn(folder, pattern string) ([]string, error) {
	head, rest, deeper := strings.Cut(pattern, "/")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if ok, err := path.Match(escapeClasses(head), e.Name()); err != nil || !ok || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		full := filepath.Join(folder, e.Name())
		info, err := os.Stat(full)
		if err != nil || info.IsDir() != deeper {
			continue
		}
		if !deeper {
			out = append(out, e.Name())
			continue
		}
		below, err := globIn(full, rest)
		if err != nil {
			return nil, err
		}
		for _, b := range below {
			out = append(out, e.Name()+"/"+b)
		}
	}
	slices.Sort(out)
	return out, nil
}

func pinLocals(ctx context.Context, r *schema.Recipe, keyPath string, files []named) ([]schema.PinnedFile, error) {
	var out []schema.PinnedFile
	for _, f := range files {
		pinned, err := pinLocal(ctx, f)
		if err != nil {
			return nil, schema.Faults{r.At(keyPath, fmt.Sprintf("%s can't be read: %v", f.name, causeOf(err)), "give files that can be read")}
		}
		out = append(out, pinned)
	}
	return out, nil
}

func pinLocal(ctx context.Context, f named) (schema.PinnedFile, error) {
	file, err := openRegular(f.path)
	if err != nil {
		return schema.PinnedFile{}, err
	}
	defer file.Close() //nolint:errcheck // only read
	h := sha256.New()
	n, err := io.Copy(h, contextReader{ctx, file})
	if err != nil {
		return schema.PinnedFile{}, err
	}
	return schema.PinnedFile{Name: f.name, Key: f.path, ETag: localTag + hex.EncodeToString(h.Sum(nil)), Bytes: n}, nil
}

// causeOf is an error without the path that the message already names.
func causeOf(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// contextReader ends a long read when the context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
