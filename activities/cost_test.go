package activities

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
)

var updateCosts = flag.Bool("update-costs", false, "record what the steps cost anew")

// costs are what a step costs for one request, as a single goroutine sees it: independent of the machine's speed, unlike a timed test.
type costs struct {
	Allocations float64 `json:"allocations"`
	Bytes       float64 `json:"bytes"`
}

const costsFile = "testdata/costs.json"

// No step of the flow costs more for a request than it was recorded to, by a margin: allocations and bytes allocated, by request, over
// 2,000 of them. What Ask costs has both ends of HTTP in it, client and test server.
func TestCostOfARequest(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates on its own account")
	}
	const requests = 2000
	l := newLab(t, "checks: {repetition: {do: tag}, exact: {do: tag}, near: {do: tag}}\n")
	l.sources(requests / 2)
	l.begin("costs")
	f := l.flow(l.rooms(l.store))
	got := map[string]costs{}
	measure := func(step string, do func()) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		c := got[step]
		c.Allocations += float64(after.Mallocs-before.Mallocs) / requests
		c.Bytes += float64(after.TotalAlloc-before.TotalAlloc) / requests
		got[step] = c
	}
	measure("plan", func() {
		f.try(func(ctx context.Context, r *Rooms) (err error) { f.plan, err = r.Plan(ctx, l.ref); return err })
	})
	f.publish = schema.PublishInput{RunRef: l.ref, Created: time.Unix(1e9, 0), Gate: schema.GateVerdict{State: "none"},
		Counts: schema.Counts{Planned: f.plan.Requests, Rejected: map[string]int64{}}, Teachers: []schema.TeacherStatus{{Name: "tester"}}}
	root := ""
	for n := range f.plan.Teachers[0].Pages {
		in := l.unbounded(n)
		measure("ask", func() {
			f.try(func(_ context.Context, r *Rooms) error { _, err := l.ask(r, in); return err })
		})
		measure("inspect", func() { f.try(func(ctx context.Context, r *Rooms) error { return r.Inspect(ctx, in) }) })
		measure("admit", func() {
			f.try(func(ctx context.Context, r *Rooms) error {
				res, err := r.Admit(ctx, schema.AdmitInput{RunRef: l.ref, Page: in.Page, Seq: n, Root: root, RowsLeft: -1})
				root = res.Root
				return err
			})
		})
	}
	measure("layout and write", f.write)
	if *updateCosts {
		body, err := json.MarshalIndent(got, "", "  ")
		l.must(err)
		l.must(os.WriteFile(costsFile, append(body, '\n'), 0o644))
	}
	body, err := os.ReadFile(costsFile)
	l.must(err)
	recorded := map[string]costs{}
	l.must(json.Unmarshal(body, &recorded))
	for step, was := range recorded {
		is, ok := got[step]
		if !ok || is.Allocations == 0 {
			t.Errorf("%s wasn't measured", step)
		}
		t.Logf("%-16s %7.1f allocations, %8.0f bytes a request (recorded: %.1f, %.0f)", step, is.Allocations, is.Bytes, was.Allocations, was.Bytes)
		const margin = 1.2
		if is.Allocations > was.Allocations*margin || is.Bytes > was.Bytes*margin {
			t.Errorf("%s: %.1f allocations and %.0f bytes a request; recorded are %.1f and %.0f, and a fifth more is let through. Profile it "+
				"(go test ./activities -run CostOfARequest -memprofile mem.out), or record it anew if it is worth it (-update-costs)",
				step, is.Allocations, is.Bytes, was.Allocations, was.Bytes)
		}
	}
}
