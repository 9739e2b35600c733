package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/retort-data/retort/schema"
)

// scratchPrefix begins the names of workers' folders.
const scratchPrefix = "retort-"

// lockName is a file that a worker holds locked for as long as its folder is in use.
const lockName = "in-use"

// scratchFolder makes a folder of this process's own, and removes those of workers that were killed, which it returns with what they had
// under way. What it returns first ends the folder's use.
func scratchFolder(c *schema.Config) (end func(), folder string, dead []predecessor, err error) {
	home := c.Worker.Scratch
	if home == "" {
		home = os.TempDir()
	} else if !filepath.IsAbs(home) {
		home = filepath.Join(c.Dir, home)
	}
	fault := func(err error) error {
		return &schema.Error{Kind: schema.KindFailed, Code: "scratch", Op: "make scratch folder", Subject: home, Cause: err, Hint: "Set worker.scratch to a folder that can be written."}
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, "", nil, fault(err)
	}
	dead = removeAbandoned(home)
	folder, err = os.MkdirTemp(home, fmt.Sprintf("%s%d-", scratchPrefix, os.Getpid()))
	if err != nil {
		return nil, "", nil, fault(err)
	}
	lock, err := os.OpenFile(filepath.Join(folder, "new"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, "", nil, fault(err)
	}
	if tryLock(lock) == nil { // else nobody may remove the folder: its lock would tell nothing
		err = os.Rename(lock.Name(), filepath.Join(folder, lockName)) // locked before another worker can look at it
	}
	if err != nil {
		return nil, "", nil, fault(err)
	}
	return func() {
		os.RemoveAll(folder) //nolint:errcheck // scratch
		lock.Close()
	}, folder, dead, nil
}

// removeAbandoned removes folders whose worker is gone: nobody holds their lock. A folder without the file is somebody else's, or is being made.
func removeAbandoned(home string) (dead []predecessor) {
	entries, err := os.ReadDir(home)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), scratchPrefix) {
			continue
		}
		folder := filepath.Join(home, e.Name())
		lock, err := os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR, 0o600)
		if err != nil {
			continue
		}
		if tryLock(lock) == nil {
			if p, ok := readPredecessor(folder); ok {
				dead = append(dead, p)
			}
			os.RemoveAll(folder) //nolint:errcheck // the next worker tries again
		}
		lock.Close()
	}
	return dead
}
