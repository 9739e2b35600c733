package prompt

import (
	"context"
	"errors"
	"iter"
	"math"

	"github.com/retort-data/retort/schema"
)

// MaxFaults is the number of faults of rows that Check gathers before it gives up.
const MaxFaults = 20

// Unique drops prompts that were seen before; seen counts them. Errors pass through.
func Unique(prompts iter.Seq2[schema.Prompt, error], seen *Seen) iter.Seq2[schema.Prompt, error] {
	return func(yield func(schema.Prompt, error) bool) {
		for p, err := range prompts {
			if err == nil {
				var fresh bool
				if fresh, err = seen.Add(p.ID); err == nil && !fresh {
					continue
				}
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// Summary is what a plan comes to before anyone is asked.
type Summary struct {
	Prompts  int64            `json:"prompts"`  // different ones
	Repeats  int64            `json:"repeats"`  // exact repeats, dropped
	Requests int64            `json:"requests"` // prompts × samples
	Sources  []SourceSummary  `json:"sources"`
	Teachers []TeacherSummary `json:"teachers"`
	// Cost of the run in micro-dollars; nil where a price is unknown.
	LeastMicros *int64 `json:"least_micros"`
	MostMicros  *int64 `json:"most_micros"`
}

// SourceSummary is what one source gives.
type SourceSummary struct {
	From        string           `json:"from"`
	License     string           `json:"license"`
	Files       int              `json:"files"`
	Bytes       int64            `json:"bytes"`
	Prompts     int64            `json:"prompts"`     // different ones that came from it first
	Generations map[string]int64 `json:"generations"` // generation ("unknown" too) → prompts
}

// TeacherSummary is what one teacher will be asked. Least cost: tokens as estimated and answers of one token. Most cost: a token for
// every byte, and answers as long as max_tokens allows; repairs and retries come on top.
type TeacherSummary struct {
	Name        string `json:"name"`
	Prompts     int64  `json:"prompts"`
	Requests    int64  `json:"requests"`
	InputTokens int64  `json:"input_tokens"` // estimate
	MostInput   int64  `json:"most_input_tokens"`
	MostOutput  int64  `json:"most_output_tokens"`
	LeastMicros *int64 `json:"least_micros"` // nil: unknown price
	MostMicros  *int64 `json:"most_micros"`
}

// Check reads all sources, renders every prompt and sums up. It gathers up to MaxFaults faults of rows before it returns them.
func Check(ctx context.Context, p Plan, seen *Seen) (*Summary, error) {
	s := newSummary(p)
	weights := Weights(p.Recipe)
	var faults schema.Faults
	bySource := map[string]int{}
	for i, source := range p.Sources {
		if _, twice := bySource[source.From]; !twice {
			bySource[source.From] = i
		}
	}
	for prompt, err := range Unique(Stream(ctx, p), seen) {
		var fs schema.Faults
		if errors.As(err, &fs) {
			if faults = append(faults, fs...); len(faults) >= MaxFaults {
				break
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		s.add(prompt, bySource[prompt.Source], AssignTeacher(p.Recipe.Seed, prompt.ID, weights), int64(p.Recipe.Samples))
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	s.Repeats = seen.Repeats()
	s.price(p.Recipe, p.Access.Config)
	return s, nil
}

func newSummary(p Plan) *Summary {
	s := &Summary{}
	for _, source := range p.Sources {
		sum := SourceSummary{From: source.From, License: source.License, Files: len(source.Files), Generations: map[string]int64{}}
		for _, f := range source.Files {
			sum.Bytes += f.Bytes
		}
		s.Sources = append(s.Sources, sum)
	}
	for _, t := range p.Recipe.Teachers {
		s.Teachers = append(s.Teachers, TeacherSummary{Name: t.Name})
	}
	return s
}

func (s *Summary) add(p schema.Prompt, source, teacher int, samples int64) {
	likely, most := EstimateTokens(p.Messages)
	t := &s.Teachers[teacher]
	t.Prompts++
	t.Requests += samples
	t.InputTokens += likely * samples
	t.MostInput += most * samples
	s.Prompts++
	s.Requests += samples
	s.Sources[source].Prompts++
	s.Sources[source].Generations[generationName(p.Generation)]++
}

// price fills in the costs: USD for a million tokens are micro-dollars for one.
func (s *Summary) price(r *schema.Recipe, c *schema.Config) {
	var least, most int64
	known := true
	for i := range s.Teachers {
		t := &s.Teachers[i]
		params := r.Sampling.Over(r.Teachers[i].Sampling)
		longest := int64(0)
		if params.MaxTokens != nil {
			longest = int64(*params.MaxTokens)
		}
		t.MostOutput = t.Requests * longest
		teacher := c.Teacher(t.Name)
		if teacher == nil || teacher.Price == nil {
			known = false
			continue
		}
		factor := 1.0
		if teacher.Batch && teacher.Price.Batch > 0 {
			factor = teacher.Price.Batch
		}
		cost := func(input, output int64) *int64 {
			micros := int64(math.Ceil((float64(input)*teacher.Price.Input + float64(output)*teacher.Price.Output) * factor))
			return &micros
		}
		t.LeastMicros, t.MostMicros = cost(t.InputTokens, t.Requests), cost(t.MostInput, t.MostOutput)
		least, most = least+*t.LeastMicros, most+*t.MostMicros
	}
	if known {
		s.LeastMicros, s.MostMicros = &least, &most
	}
}
