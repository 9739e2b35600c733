package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/retort-data/retort/local/site"
	"github.com/retort-data/retort/workflows"
)

// judgeRuns says what became of runs and nights.
func (s *soak) judgeRuns() {
	s.Say("\nafter %v:", time.Since(s.Began).Round(time.Second))
	d := &s.done
	s.Hold(len(d.wrong) == 0 && len(d.published) > 0, "runs", "%d published, reconciled and verified (%d prompts), %d cancelled, %d went wrong", len(d.published), d.prompts, len(d.cancelled), len(d.wrong))
	published, nights := s.leastNights()
	said := 0
	for _, n := range d.nights {
		said += n
	}
	s.Hold(d.nights["published"] >= published && said >= nights && d.nights["failed"] == 0, "nights", "%s (at least %d of which %d published)", counted(d.nights), nights, published)
	if s.Kill > 0 {
		s.Hold(d.kills > 0, "kills", "%d: the second worker, Temporal, S3, the teacher", d.kills)
	}
}

// leastNights is how many nights must have been said something of, and how many published: half of the times that there were, since Temporal
// is killed now and then; and half of the collections that came, as two may be of one night.
func (s *soak) leastNights() (published, nights int) {
	return max(1, s.done.fed/2), max(1, int(s.For/s.Night)/2)
}

func counted(n map[string]int) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(n)) {
		all = append(all, fmt.Sprintf("%d %s", n[k], k))
	}
	return strings.Join(all, ", ")
}

// bound is what may be used more in the second half of the time than in the first: a share, and so much besides.
type bound struct {
	name  string
	unit  string
	share float64
	slack float64
}

// bounds of what must be flat. The servers are killed and come back small, so their halves differ by more.
var bounds = []bound{
	{"worker goroutines", "", 0.10, 20}, {"worker files", "", 0.10, 10}, {"worker heap", " MB", 0.15, 16}, {"worker memory", " MB", 0.15, 16},
	{"worker 2 memory", " MB", 0.15, 48}, {"temporal memory", " MB", 0.15, 48}, {"s3 memory", " MB", 0.15, 48},
	{"worker 2 files", "", 0.15, 20}, {"temporal files", "", 0.15, 20}, {"s3 files", "", 0.15, 40},
	{"scratch disk", " MB", 0.15, 16},
}

// warmUp is the share of the time that isn't looked at.
const warmUp = 0.2

// judgeFlat compares the medians of the two halves of the time after the warm-up; of what is meant to grow, the growth for each prompt.
func (s *soak) judgeFlat() {
	for _, b := range bounds {
		first, second, most := s.samples[b.name].halves(s.For)
		if most == 0 && b.name != "scratch disk" { // what wasn't seen is flat, too
			s.Hold(false, b.name+" flat", "there is no sample of it")
			continue
		}
		s.Hold(second <= first*(1+b.share)+b.slack, b.name+" flat", "median %.0f, then %.0f%s (bound %.0f); at most %.0f", first, second, b.unit, first*(1+b.share)+b.slack, most)
	}
	for _, name := range []string{"temporal disk", "s3 disk"} {
		first, second := s.samples[name].growth(s.For)
		if first <= 0 || second <= 0 {
			s.Hold(false, name+" grows evenly", "no prompts were published in a half of the time, or nothing was sampled: %.1f kB a prompt, then %.1f", first, second)
			continue
		}
		s.Hold(second <= 1.3*first+1, name+" grows evenly", "%.1f kB a prompt published, then %.1f", first, second)
	}
}

// halves are the medians of the two halves, and the most.
func (m series) halves(whole time.Duration) (first, second, most float64) {
	var values [2][]float64
	warm := time.Duration(warmUp * float64(whole))
	for _, v := range m {
		most = max(most, v.value)
		switch {
		case v.at < warm:
		case v.at < (warm+whole)/2:
			values[0] = append(values[0], v.value)
		default:
			values[1] = append(values[1], v.value)
		}
	}
	return median(values[0]), median(values[1]), most
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// growth is how many kB came with each prompt in the two halves; 0 where there were none.
func (m series) growth(whole time.Duration) (first, second float64) {
	warm := time.Duration(warmUp * float64(whole))
	at := func(t time.Duration) sample {
		for _, v := range m {
			if v.at >= t {
				return v
			}
		}
		return m[len(m)-1]
	}
	if len(m) == 0 {
		return 0, 0
	}
	a, b, c := at(warm), at((warm+whole)/2), m[len(m)-1]
	perPrompt := func(from, to sample) float64 {
		if to.work <= from.work {
			return 0
		}
		return (to.value - from.value) * 1024 / float64(to.work-from.work)
	}
	return perPrompt(a, b), perPrompt(b, c)
}

// idleWithin is how long the last workflows and temporary files may take to go.
const idleWithin = 30 * time.Second

// judgeLeft looks for what runs and killed processes have left behind.
func (s *soak) judgeLeft(ctx context.Context) error {
	var open map[string][]string
	for until := time.Now().Add(idleWithin); ; time.Sleep(time.Second) {
		var err error
		if open, err = s.OpenWorkflows(ctx); err != nil {
			return err
		}
		delete(open, workflows.TeacherName) // lends the teacher's limit for as long as workers live
		if len(open) == 0 && len(s.ScratchFiles()) == 0 || time.Now().After(until) {
			break
		}
	}
	s.Hold(len(open) == 0, "no workflow is open", "%v", open)
	files := s.ScratchFiles()
	s.Hold(len(files) == 0 && s.scratchFolders() == 2, "no temporary files", "%d folders of 2 workers, %d files in them %v", s.scratchFolders(), len(files), first(files))
	uploads, err := s.Uploads(ctx)
	if err != nil {
		return err
	}
	s.Hold(len(uploads) == 0, "no unfinished uploads", "%d %v", len(uploads), first(uploads))
	marked, journals, err := s.orphans(ctx)
	if err != nil {
		return err
	}
	s.Hold(len(marked) == 0, "no orphans of published runs", "%d %v", len(marked), first(marked))
	s.Hold(len(journals) == 0, "no journals of published runs", "%d %v", len(journals), first(journals))
	g, err := s.Gauges(ctx, 0)
	if err != nil {
		return err
	}
	seen := s.samples[site.Worker(0)+" goroutines"]
	if len(seen) == 0 {
		return errors.New("the first worker's metrics could never be read")
	}
	least := slices.MinFunc(seen, func(a, b sample) int { return int(a.value - b.value) }).value
	most := least + 2*concurrency + 20 // a connection that is kept for later has two
	s.Hold(g["go_goroutines"] <= most, "the worker is idle", "%.0f goroutines, %.0f at its quietest, and two for each of %d connections that are kept; %.0f MB of heap",
		g["go_goroutines"], least, concurrency, g["go_memstats_heap_alloc_bytes"]/(1<<20))
	return nil
}

func first(all []string) []string { return all[:min(3, len(all))] }

// orphans are the objects of published datasets that gc would collect, and journals that stand there yet.
func (s *soak) orphans(ctx context.Context) (marked, journals []string, err error) {
	for _, dataset := range append(slices.Clone(s.done.published), nightly) {
		out, err := s.insist(ctx, "--json", "gc", dataset)
		if err != nil {
			return nil, nil, err
		}
		var got struct {
			Marked []struct {
				Key string `json:"key"`
			} `json:"marked"`
		}
		if err := json.Unmarshal(out, &got); err != nil {
			return nil, nil, err
		}
		for _, m := range got.Marked {
			marked = append(marked, m.Key)
		}
		for in, err := range s.objects.List(ctx, dataset+"/_runs/", "") {
			if err != nil {
				return nil, nil, err
			}
			if strings.Contains(in.Key, "/journal/") {
				journals = append(journals, in.Key)
			}
		}
	}
	return marked, journals, nil
}
