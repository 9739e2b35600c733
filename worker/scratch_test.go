package worker

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/retort-data/retort/schema"
)

func TestScratchOfKilledWorkersIsRemoved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files are locked on Unix alone")
	}
	home := t.TempDir()
	c := &schema.Config{Worker: schema.WorkerConfig{Scratch: home}}
	endLiving, living, _, err := scratchFolder(c)
	if err != nil {
		t.Fatal(err)
	}
	killed, others := filepath.Join(home, "retort-1-dead"), filepath.Join(home, "retort-notes")
	for _, f := range []string{killed, others} {
		if err := os.Mkdir(f, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f, "shard-1.parquet"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(killed, lockName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	end, next, _, err := scratchFolder(c)
	if err != nil {
		t.Fatal(err)
	}
	there := func(f string) bool { _, err := os.Stat(f); return err == nil }
	if there(killed) || !there(living) || !there(next) || !there(others) {
		t.Errorf("killed worker's %v, living one's %v, own %v, somebody else's %v", there(killed), there(living), there(next), there(others))
	}
	end()
	endLiving()
	if there(next) || there(living) {
		t.Error("a folder is left after its end")
	}
}
