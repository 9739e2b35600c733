package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/retort-data/retort/schema"
)

// mostWaits bounds the worker processes whose waits a status shows for a teacher.
const mostWaits = 16

// waits notes what a worker process waits for, so that the status says it, also on S3.
func (g *generation) waits(w schema.TeacherWait) {
	if w.Teacher < 0 || w.Teacher >= len(g.Status.Teachers) {
		return
	}
	t := &g.Status.Teachers[w.Teacher]
	t.Waits = slices.DeleteFunc(t.Waits, func(had schema.TeacherWait) bool { return had.Worker == w.Worker })
	if w.For != "" {
		w.Heard = workflow.Now(g.ctx)
		t.Waits = append(t.Waits, w)
		t.Waits = t.Waits[max(0, len(t.Waits)-mostWaits):]
	}
	if len(t.Waits) == 0 {
		t.Waits = nil
	}
	g.heard = true
}

// waitsOver forgets what was waited for: nothing is asked any more.
func (g *generation) waitsOver() {
	for i := range g.Status.Teachers {
		g.Status.Teachers[i].Waits = nil
	}
}
