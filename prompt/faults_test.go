package prompt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// A caller can gather the faults of many rows, and stop when it has enough.
func TestStreamGoesOnAfterFaultsOfRows(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		value := `"x"`
		if i%2 == 0 {
			value = "null"
		}
		fmt.Fprintf(&b, "{\"q\": %s, \"n\": %d}\n", value, i)
	}
	f := newFolder(t, map[string]string{"data/q.jsonl": b.String()})
	r := f.recipe("data/q.jsonl", "{{.q}} {{.n}}", "")
	sources, err := f.access.ResolveAll(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	prompts, faults := 0, 0
	for _, err := range Stream(context.Background(), Plan{Recipe: r, Sources: sources, Access: f.access}) {
		var fs schema.Faults
		switch {
		case err == nil:
			prompts++
		case errors.As(err, &fs):
			faults += len(fs)
		default:
			t.Fatal(err)
		}
		if faults == 20 {
			break
		}
	}
	if prompts != 19 || faults != 20 {
		t.Errorf("%d prompts, %d faults", prompts, faults)
	}
}

func TestMaxGenerationIsRefused(t *testing.T) {
	f := newFolder(t, map[string]string{"data/q.jsonl": "{\"q\": \"a\", \"generation\": 1}\n{\"q\": \"b\", \"generation\": null}\n", "data/q.csv": "q,generation\na,1\n"})
	for _, from := range []string{"data/q.jsonl", "data/q.csv"} {
		r := f.recipe(from, "{{.q}}", "max_generation: 1\n")
		r.Prompts[0].Origin = schema.OriginGenerated
		_, err := f.prompts(r)
		if err == nil || !strings.Contains(err.Error(), "max_generation: is 1, and an answer to "+from+":") || !strings.Contains(err.Error(), "would be of generation 2") {
			t.Error(err)
		}
		*r.MaxGeneration = 2
		if got, err := f.prompts(r); err != nil || len(got) == 0 {
			t.Errorf("%v %v", got, err)
		}
	}
}

func TestAnswerGeneration(t *testing.T) {
	const u = schema.UnknownGeneration
	for _, c := range [][3]int32{{0, 0, 1}, {0, 2, 3}, {3, 1, 4}, {u, 0, u}, {0, u, u}} {
		if got := AnswerGeneration(c[0], c[1]); got != c[2] {
			t.Errorf("prompt %d, teacher %d: %d, want %d", c[0], c[1], got, c[2])
		}
	}
}
