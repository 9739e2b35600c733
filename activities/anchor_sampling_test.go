package activities

import (
	"slices"
	"testing"

	"github.com/retort-data/retort/schema"
)

func TestChangedSampling(t *testing.T) {
	warm, cold, most, fewer := 0.8, 0.2, 400, 60
	for name, c := range map[string]struct {
		then, now schema.Sampling
		want      []string
	}{
		"nothing":  {schema.Sampling{Temperature: &warm, Stop: []string{"x"}}, schema.Sampling{Temperature: &warm, Stop: []string{"x"}}, nil},
		"two":      {schema.Sampling{Temperature: &warm, MaxTokens: &most}, schema.Sampling{Temperature: &cold, MaxTokens: &fewer}, []string{"max_tokens 400 → 60", "temperature 0.8 → 0.2"}},
		"one more": {schema.Sampling{}, schema.Sampling{Stop: []string{"."}}, []string{"stop unset → [.]"}},
	} {
		if got := parametersChanged(c.then, c.now); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
