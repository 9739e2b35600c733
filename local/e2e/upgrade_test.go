package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// earlierBuild is built where no release is tagged: its runs must be finished by this one.
const earlierBuild = "1747672d7b41fb18f687d7a28e060db0758efad7"

// source is the repository; found before the gateway changes the working directory.
var source = func() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}()

// A run that the previous build's command and worker began is finished by this build's worker: no row is lost or doubled, nothing asked again,
// and the previous build's command reads and verifies what came of it.
func TestRunOfThePreviousBuildIsFinished(t *testing.T) {
	previous := buildPrevious(t)
	l := newLab(t, slow())
	now := binary
	old := l.startWorkerOf(previous)
	binary = previous
	defer func() { binary = now }()
	l.ok("run", "--detach", l.questions("upgraded", 900, "output: {splits: {test: 0.1}}\n"))
	l.wait("two hundred answers", func() bool { return l.teacher.Stats().Answered >= 200 })
	binary = now
	old.stop()
	l.startWorker()
	l.finished("upgraded", schema.StatePublished)
	l.complete("upgraded", 900)
	if got := l.teacher.Stats(); got.Repeats > 0 {
		t.Errorf("%d prompts were asked again", got.Repeats)
	}
	binary = previous
	if out := l.ok("verify", "upgraded"); !strings.Contains(out, "upgraded") {
		t.Error(out)
	}
}

// buildPrevious builds the command of the newest release before this commit, else that of earlierBuild.
func buildPrevious(t *testing.T) string {
	t.Helper()
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", source}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^")
	if err != nil {
		commit = earlierBuild
	}
	if _, err := git("cat-file", "-e", commit+"^{commit}"); err != nil {
		t.Skipf("%s isn't in this clone (a shallow one?), so the previous build can't be made; histories of earlier builds are replayed by TestReplayHistories all the same", commit)
	}
	dir := t.TempDir()
	archive := exec.Command("sh", "-c", `git -C "$1" archive "$2" | tar -x -C "$3"`, "sh", source, commit, dir)
	if out, err := archive.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	previous := filepath.Join(dir, "previous")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", previous, "./cmd/retort")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", commit, err, out)
	}
	t.Logf("the previous build is %s", commit)
	return previous
}
