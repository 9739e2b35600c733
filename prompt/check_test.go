package prompt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

func TestCheckSumsUp(t *testing.T) {
	f := newFolder(t, map[string]string{"data/a.txt": "12345678\n12345678\nother\n", "data/b.txt": "other\nlast\n"})
	f.config.Teachers = []schema.Teacher{{Name: "t", Price: &schema.Price{Input: 2, Output: 4}}}
	r := f.recipe("data/a.txt", "{{.text}}", "samples: 3\nsampling: {max_tokens: 10}\n")
	r.Prompts = append(r.Prompts, schema.Source{From: "data/b.txt", License: "mit", Origin: schema.OriginHuman})
	s, err := f.check(r)
	if err != nil {
		t.Fatal(err)
	}
	// prompts of 8, 5 and 4 bytes, each with 4 + 3 tokens of the chat format, asked three times
	const input, mostInput = 3 * (2 + 2 + 1 + 3*7), 3 * (8 + 5 + 4 + 3*7)
	if s.Prompts != 3 || s.Repeats != 2 || s.Requests != 9 || s.Teachers[0].InputTokens != input || s.Teachers[0].MostInput != mostInput {
		t.Errorf("%+v", s)
	}
	if *s.LeastMicros != input*2+9*4 || *s.MostMicros != mostInput*2+9*10*4 {
		t.Errorf("cost %d to %d", *s.LeastMicros, *s.MostMicros)
	}
	if s.Sources[0].Prompts != 2 || s.Sources[1].Prompts != 1 || s.Sources[1].Generations["0"] != 1 || s.Sources[0].Generations["unknown"] != 2 {
		t.Errorf("%+v", s.Sources)
	}
	f.config.Teachers[0].Price = nil
	if s, err := f.check(r); err != nil || s.LeastMicros != nil || s.Teachers[0].MostMicros != nil {
		t.Errorf("an unknown price is a number: %+v, %v", s, err)
	}
}

func (f *folder) check(r *schema.Recipe) (*Summary, error) {
	sources, err := f.access.ResolveAll(context.Background(), r)
	if err != nil {
		return nil, err
	}
	seen := NewSeen(f.dir, 0)
	defer seen.Close() //nolint:errcheck // in memory
	return Check(context.Background(), Plan{r, sources, f.access}, seen)
}

func TestCheckGathersFaults(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "{\"q\": null, \"n\": %d}\n", i)
	}
	f := newFolder(t, map[string]string{"data/q.jsonl": b.String()})
	_, err := f.check(f.recipe("data/q.jsonl", "{{.q}}", ""))
	var faults schema.Faults
	if !errors.As(err, &faults) || len(faults) != MaxFaults {
		t.Errorf("%v", err)
	}
}

func TestMaxGenerationIsRefused(t *testing.T) {
	f := newFolder(t, map[string]string{"data/q.jsonl": "{\"q\": \"a\", \"generation\": 1}\n{\"q\": \"b\", \"generation\": null}\n"})
	r := f.recipe("data/q.jsonl", "{{.q}}", "max_generation: 1\n")
	r.Prompts[0].Origin = schema.OriginGenerated
	_, err := f.check(r)
	if err == nil || !strings.Contains(err.Error(), "max_generation: is 1, and an answer to data/q.jsonl:1 would be of generation 2") {
		t.Error(err)
	}
	*r.MaxGeneration = 2
	if s, err := f.check(r); err != nil || s.Prompts != 2 {
		t.Errorf("%+v %v", s, err)
	}
}
