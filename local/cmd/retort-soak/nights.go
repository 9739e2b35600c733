package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/retort-data/retort/local/site"
	"github.com/retort-data/retort/schema"
)

const nightly = "nightly"

// schedule sets a recipe over questions on S3 that become more.
func (s *soak) schedule(ctx context.Context) error {
	if err := s.collect(ctx, 0); err != nil {
		return err
	}
	recipe := filepath.Join(s.Dir, nightly+".yaml")
	err := os.WriteFile(recipe, fmt.Appendf(nil, `dataset: %s
license: cc-by-4.0
prompts: [{from: "s3://%s/corpus/*.jsonl", license: cc-by-4.0, origin: human}]
messages: [{role: user, content: "{{.question}}"}]
teachers: [{name: tester}]
sampling: {max_tokens: 400}
schedule: {cron: "0 2 * * *", timezone: Europe/Berlin, new: true}
`, nightly, site.Bucket), 0o600)
	if err != nil {
		return err
	}
	_, err = s.Do(ctx, "schedule", "set", recipe, "--every", s.Night.String())
	return err
}

// collect puts some questions more.
func (s *soak) collect(ctx context.Context, part int) error {
	var b strings.Builder
	for i := range 25 {
		fmt.Fprintf(&b, "{\"question\": \"What does entry %d of part %d in the collection stand for?\"}\n", i, part)
	}
	return s.objects.Put(ctx, fmt.Sprintf("corpus/part-%05d.jsonl", part), []byte(b.String()))
}

// feed adds questions for every other night. What the store refuses while it is away is tried again.
func (s *soak) feed(open context.Context) {
	for part := 1; ; {
		select {
		case <-open.Done():
			return
		case <-time.After(2 * s.Night):
		}
		if s.collect(open, part) == nil {
			part++
			s.done.note(func() { s.done.fed++ })
		}
	}
}

// endSchedule removes the schedule, waits for the last night, and counts what became of the nights.
func (s *soak) endSchedule(ctx context.Context) error {
	out, err := s.insist(ctx, "--json", "schedule", "list", nightly, "--nights", "100000")
	if err != nil {
		return err
	}
	if _, err := s.insist(ctx, "schedule", "remove", nightly); err != nil {
		return err
	}
	if _, err := site.Finish(ctx, s.objects, nightly, s.Within); err != nil {
		s.wrong("%v", err)
	}
	var all []struct {
		Paused bool           `json:"paused"`
		Note   string         `json:"note"`
		Nights []schema.Night `json:"nights"`
	}
	if err := json.Unmarshal(out, &all); err != nil || len(all) != 1 {
		return fmt.Errorf("the list of schedules: %w: %s", err, out)
	}
	s.done.nights = map[string]int{}
	for _, n := range all[0].Nights {
		s.done.nights[n.Outcome]++
	}
	if all[0].Paused {
		s.wrong("the schedule was paused: %s", all[0].Note)
	}
	return nil
}
