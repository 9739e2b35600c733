package e2e

import (
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/retort-data/retort/schema"
)

// With Worker Versioning a run stays with the build that began it while a newer one takes new runs; both are finished.
func TestRunsStayWithTheirBuild(t *testing.T) {
	l := newLab(t, slow())
	l.workers = ", deployment: retort"
	l.configure(64, "")
	old := l.startWorker("--build-id", "one")
	l.current("one")
	l.ok("run", "--detach", l.questions("first", 900, ""))
	l.wait("answers", func() bool { return l.teacher.Stats().Answered >= 100 })
	next := l.startWorker("--build-id", "two")
	l.current("two")
	l.ok("run", l.questions("second", 100, ""))
	l.finished("first", schema.StatePublished)
	l.complete("first", 900)
	l.complete("second", 100)
	for dataset, build := range map[string]string{"first": "one", "second": "two"} {
		tasks := 0
		for _, e := range l.history(dataset) {
			if done := e.GetWorkflowTaskCompletedEventAttributes(); done != nil {
				tasks++
				l.completedBy(done, dataset, build)
			}
		}
		if tasks < 5 {
			t.Errorf("%s has %d tasks", dataset, tasks)
		}
	}
	old.stop()
	next.stop()
	if got := l.teacher.Stats(); got.Repeats > 0 {
		t.Errorf("%d prompts were asked again", got.Repeats)
	}
}

func (l *lab) completedBy(done *historypb.WorkflowTaskCompletedEventAttributes, dataset, build string) {
	l.t.Helper()
	if got := done.GetDeploymentVersion().GetBuildId(); got != build || done.GetVersioningBehavior() != enumspb.VERSIONING_BEHAVIOR_PINNED {
		l.t.Errorf("%s was moved on by build %q, %v; it belongs to %s", dataset, got, done.GetVersioningBehavior(), build)
	}
}

// current makes a build the one that new runs are begun by, as docs/operations.md says, once its workers are there.
func (l *lab) current(build string) {
	l.t.Helper()
	c, err := client.Dial(client.Options{HostPort: l.temporalAddress})
	l.must(err)
	defer c.Close()
	deployment := c.WorkerDeploymentClient().GetHandle("retort")
	var last error
	defer func() {
		if l.t.Failed() {
			l.t.Log(last)
		}
	}()
	l.wait("workers of build "+build, func() bool {
		_, last = deployment.SetCurrentVersion(l.t.Context(), client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
		return last == nil
	})
}
