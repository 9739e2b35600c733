package schema

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fullRecipe uses every key.
const fullRecipe = `dataset: science-answers
description: Short explanations for a small student
license: cc-by-4.0
prompts:
  - from: s3://corpus/questions/*.parquet
    license: cc-by-4.0
    origin: human
    limit: 100000
    key: id
vary:
  style: [plain, step by step]
  words: [50, 1.50]
  sample: 3
messages:
  - {role: system, content: "You explain science. Be {{.style}}."}
  - role: user
    content: |
      {{.question}}
      In {{.words}} words.
samples: 2
rows: 50000
seed: 7
teachers:
  - {name: qwen-32b, weight: 3}
  - {name: nemotron, weight: 1, sampling: {temperature: 0.6}}
sampling: {temperature: 0.8, top_p: 0.95, max_tokens: 800}
response:
  schema: answer.schema.json
  reasoning: keep
  repair: 0
checks:
  language: {want: [en], do: drop}
  near: {jaccard: 0.8, scope: prompt}
  contamination: {against: [s3://evals/*.jsonl], do: drop}
  exact: tag
  quality: off
  repetition: {limits: {dup_line_fraction: 0.4}}
max_generation: 1
anchor:
  from: s3://corpus/human/*.parquet
  license: cc-by-4.0
  version: 1
gate: {false_alarm: 0.01, tolerance: 0, expires: 7d}
mix: {human: 0.1}
budget: {usd: 200, requests: 400000}
failed: 0.05
output: {format: messages, previous: keep, shard_mb: 256, splits: {test: 0.01}, on_budget: hold}
schedule: {cron: "0 2 * * *", timezone: Europe/Berlin, overlap: skip}
`

const shortRecipe = `dataset: a
prompts: [{from: q.txt, license: mit}]
messages: [{role: user, content: "{{.text}}"}]
teachers: [{name: t}]
`

func TestParseRecipeReadsEveryKey(t *testing.T) {
	r, err := ParseRecipe("r.yaml", []byte(fullRecipe))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want any }{
		{r.Dataset, "science-answers"}, {r.Prompts[0].Limit, int64(100000)}, {r.Prompts[0].Key, "id"},
		{r.Vary.Values["style"], []any{"plain", "step by step"}},
		{r.Vary.Values["words"], []any{json.Number("50"), json.Number("1.50")}},
		{r.Vary.Sample, 3}, {r.Messages[1].Content, "{{.question}}\nIn {{.words}} words.\n"},
		{r.Seed, uint64(7)}, {*r.Teachers[1].Sampling.Temperature, 0.6}, {r.Response.Repair, 0},
		{r.Checks.Exact, ExactCheck{Do: DoTag, Scope: ScopePrompt}}, {r.Checks.Quality.Do, DoOff}, {r.Checks.Near.Do, DoDrop},
		{r.Checks.Repetition, LimitsCheck{Do: DoDrop, Limits: map[string]float64{"dup_line_fraction": 0.4}}},
		{r.Gate, Gate{FalseAlarm: 0.01, Tolerance: "0", Expires: Duration(7 * 24 * time.Hour)}},
		{r.Budget.Micros(), int64(200_000_000)}, {r.Output.Splits, map[string]float64{"test": 0.01}},
		{r.Places["teachers[1].sampling.temperature"], Place{Line: 25, Col: 57}},
		{r.Places["messages[1].content"], Place{Line: 17, Col: 14}},
		{r.Places["checks"], Place{Line: 31, Col: 1}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestParseRecipeFillsDefaults(t *testing.T) {
	r, err := ParseRecipe("r.yaml", []byte(shortRecipe))
	if err != nil {
		t.Fatal(err)
	}
	r.Places = nil
	got, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "recipe_defaults.json", append(got, '\n'))
}

func TestNumbersOfVaryOutliveJSON(t *testing.T) {
	r, err := ParseRecipe("r.yaml", []byte(fullRecipe))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Recipe
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Vary, back.Vary); diff != "" {
		t.Error(diff)
	}
	if back.Gate.Expires != r.Gate.Expires {
		t.Errorf("expires %v", back.Gate.Expires)
	}
}
