package prompt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Access opens what a recipe may read: folders under allow.paths, objects under the store's own prefix or allow.read.
type Access struct {
	Config *schema.Config
	// Store is the configured bucket; nil where there is none (sources on S3 are then refused with a hint).
	Store store.Store
	// Bucket opens another bucket that allow.read names; nil where there is none.
	Bucket func(bucket string) (store.Store, error)
	// Scratch is a folder for compressed Parquet files, which have to be unpacked to be read; "" is the system's.
	Scratch string
}

// bucket returns the store of a bucket.
func (a *Access) bucket(name string) (store.Store, error) {
	if a.Store != nil && a.Store.Bucket() == name {
		return a.Store, nil
	}
	if a.Bucket == nil {
		return nil, &schema.Error{Kind: schema.KindInvalid, Code: "no_store", Op: "open bucket", Subject: name, Hint: "configure a store in temporal.yaml"}
	}
	return a.Bucket(name)
}

// mayReadKey says whether a key may be read; of a pattern, whether every key may that begins with its fixed part.
func (a *Access) mayReadKey(bucket, pattern string) bool {
	if bucket == a.Config.Store.Bucket && underPrefix(pattern, strings.Trim(a.Config.Store.Prefix, "/")) {
		return true
	}
	for _, allowed := range a.Config.Allow.Read {
		b, prefix, ok := schema.SplitS3(allowed)
		if ok && b == bucket && underPrefix(pattern, prefix) {
			return true
		}
	}
	return false
}

// MayRead says whether a pinned object may be read; what is on this machine never, as a run's sources are sent along with it.
// Workers ask it again: who wrote the list of sources need not be who checked the recipe.
func (a *Access) MayRead(f schema.PinnedFile) bool {
	return f.Bucket != "" && a.mayReadKey(f.Bucket, f.Key)
}

// underPrefix compares whole parts of a key: corpus allows corpus/a and not corpus2/a.
func underPrefix(pattern, prefix string) bool {
	fixed := fixedPart(pattern)
	if prefix = strings.TrimSuffix(prefix, "/"); prefix == "" {
		return true
	}
	return strings.HasPrefix(fixed, prefix+"/") || fixed == prefix && fixed == pattern
}

// mendKey says what opens a key.
func (a *Access) mendKey(bucket, pattern string) string {
	fixed := fixedPart(pattern)
	folder := fixed[:strings.LastIndexByte(fixed, '/')+1]
	return fmt.Sprintf("add \"s3://%s/%s\" to allow.read in %s, or use an object under the store's own prefix", bucket, folder, configName(a.Config))
}

func configName(c *schema.Config) string {
	if c == nil || c.File == "" {
		return "temporal.yaml"
	}
	return c.File
}

// mayReadFolder says whether a folder (absolute, symbolic links resolved) is one of allow.paths or in one.
func (a *Access) mayReadFolder(folder string) bool {
	for _, allowed := range a.Config.Allow.Paths {
		if !filepath.IsAbs(allowed) {
			allowed = filepath.Join(a.Config.Dir, allowed)
		}
		root, err := filepath.EvalSymlinks(allowed)
		if err != nil {
			continue // a folder that isn't there opens nothing
		}
		if root, err = filepath.Abs(root); err == nil && inside(folder, root) {
			return true
		}
	}
	return false
}

func inside(path, root string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(os.PathSeparator))
}

// mendFolder says what opens a folder, relative to the configuration where that is shorter.
func (a *Access) mendFolder(folder string) string {
	if rel, err := filepath.Rel(a.Config.Dir, folder); err == nil && a.Config.Dir != "" && !strings.HasPrefix(rel, "..") {
		folder = rel
	}
	return fmt.Sprintf("add %q to allow.paths in %s", filepath.ToSlash(folder)+"/", configName(a.Config))
}

// LocalPath resolves a path that a recipe names (relative to the recipe's folder) to a real file or folder that it may read.
// keyPath, such as "response.schema", is where faults are shown.
func (a *Access) LocalPath(r *schema.Recipe, keyPath, path string) (string, error) {
	real, fault := a.realPath(r, keyPath, path)
	if fault != nil {
		return "", schema.Faults{*fault}
	}
	return real, nil
}

func (a *Access) realPath(r *schema.Recipe, keyPath, path string) (string, *schema.Fault) {
	abs := path
	if !filepath.IsAbs(abs) {
		abs = filepath.Join(filepath.Dir(r.File), path)
	}
	abs, err := filepath.Abs(abs)
	if err != nil {
		f := r.At(keyPath, fmt.Sprintf("%q can't be resolved", path), "give a path relative to the recipe")
		return "", &f
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		// Whether a file is there is not said of folders that are closed.
		if folder := filepath.Dir(abs); !a.mayReadFolder(existing(folder)) {
			f := r.At(keyPath, fmt.Sprintf("recipes may not read %q", path), a.mendFolder(folder))
			return "", &f
		}
		f := r.At(keyPath, fmt.Sprintf("there is no file %q", path), "paths are relative to the recipe's folder; this one means "+abs)
		return "", &f
	}
	if !a.mayReadFolder(real) {
		f := r.At(keyPath, fmt.Sprintf("recipes may not read %q", path), a.mendFolder(folderOf(real)))
		return "", &f
	}
	return real, nil
}

// existing is the nearest parent of a folder that is there, with symbolic links resolved.
func existing(folder string) string {
	for {
		if real, err := filepath.EvalSymlinks(folder); err == nil {
			return real
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return folder
		}
		folder = parent
	}
}

func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}
