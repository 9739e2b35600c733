package worker

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/retort-data/retort/schema"
)

// What a worker has under way stands in its folder for as long as it is, and is found by who starts after it was killed, not while it lives.
func TestKilledWorkersAttemptsAreFound(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files are locked on Unix alone")
	}
	c := &schema.Config{Worker: schema.WorkerConfig{Scratch: t.TempDir()}}
	end, folder, dead, err := scratchFolder(c)
	if err != nil || len(dead) != 0 {
		t.Fatal(dead, err)
	}
	defer end()
	n, err := newNotes(folder, self{"one", "here:7233", "default"})
	if err != nil {
		t.Fatal(err)
	}
	var copied string // the folder as it is while the step is under way, but for the lock
	step := func(context.Context) error {
		if _, _, living, err := scratchFolder(c); err != nil || len(living) != 0 {
			t.Errorf("a living worker was succeeded: %+v, %v", living, err)
		}
		copied = filepath.Join(c.Worker.Scratch, scratchPrefix+"1-killed")
		return os.CopyFS(copied, os.DirFS(folder))
	}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{n}})
	env.RegisterActivity(step)
	if _, err := env.ExecuteActivity(step); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, attemptPrefix+"*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(filepath.Join(copied, attemptPrefix+"cut"), []byte(`{"workflow":"re`), 0o600); err != nil {
		t.Fatal(err)
	}
	end2, _, dead, err := scratchFolder(c)
	if err != nil {
		t.Fatal(err)
	}
	defer end2()
	if len(dead) != 1 || dead[0].self != (self{"one", "here:7233", "default"}) || len(dead[0].attempts) != 1 || len(dead[0].attempts[0].Token) == 0 {
		t.Errorf("found %+v", dead)
	}
	if there := slices.ContainsFunc(must(os.ReadDir(c.Worker.Scratch)), func(e os.DirEntry) bool { return e.Name() == filepath.Base(copied) }); there {
		t.Error("the killed worker's folder is still there")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
