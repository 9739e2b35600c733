package activities

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/teacher"
)

// probePrompts are asked before every night's run. Changing one makes the next probe a first one.
var probePrompts = []string{
	"Name three things that float on water, and say why they do.",
	"Write two sentences about a rainy morning in a harbour.",
	"What is seventeen times six? Explain how you get there.",
	"Translate into French: The bridge was closed because of the storm.",
	"Give one advantage and one drawback of writing tests first.",
	"Who are you, and what can you help with?",
}

const (
	// probeSamples is how often each is asked; with six prompts that is enough to tell a changed teacher at probeLevel.
	probeSamples = 3
	probeTokens  = 64
	// probeLevel is the p-value from which a teacher is said to have changed: once in a thousand nights without cause.
	probeLevel = 0.001
)

// probed is what a teacher said, kept until the next night. It never leaves S3.
type probed struct {
	Model    string          `json:"model"`
	Revision string          `json:"revision"`
	Sampling schema.Sampling `json:"sampling"`
	Prompts  []string        `json:"prompts"`
	Served   []string        `json:"served"` // names under which it answered, sorted
	Answers  [][]string      `json:"answers"`
	At       time.Time       `json:"at"`
}

// Probe asks each teacher of a night's run the fixed prompts, compares with the probe before, and keeps the answers for the next one. It
// has no error but the store's: a teacher that doesn't answer is a finding.
func (r *Rooms) Probe(ctx context.Context, in schema.NightInput) ([]schema.ProbeResult, error) {
	run := r.run(in.Ref())
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return nil, err
	}
	var out []schema.ProbeResult
	for _, use := range recipe.Teachers {
		sampling := recipe.Sampling.Over(use.Sampling)
		most := probeTokens
		sampling.MaxTokens, sampling.Stop = &most, nil
		got, err := r.probe(ctx, run.Dataset, use.Name, sampling)
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	return out, nil
}

func (r *Rooms) probe(ctx context.Context, d store.Dataset, name string, sampling schema.Sampling) (schema.ProbeResult, error) {
	found := schema.ProbeResult{Teacher: name, Found: schema.ProbeFirst}
	client, lane, err := r.Teachers.OfRun(name, activity.GetInfo(ctx).WorkflowExecution.RunID)
	if err == nil {
		declared := client.Teacher()
		now := &probed{Model: declared.Model, Revision: declared.Revision, Sampling: sampling, Prompts: probePrompts, At: time.Now().UTC()}
		all := len(probePrompts) * probeSamples
		lane.enter(all, probeMost(sampling), activity.GetInfo(ctx).Attempt > 1) // within the teacher's limit, as pages are
		found.CostMicros, err = askProbe(ctx, client, now)
		lane.leave(all)
		if err == nil {
			return r.compareProbe(ctx, d.Probe(name), now, found)
		}
	}
	if ctx.Err() != nil {
		return found, ctx.Err()
	}
	var e *schema.Error
	found.Found, found.Code = schema.ProbeFailed, "internal"
	if errors.As(err, &e) {
		found.Code = e.Code
	}
	r.Log.Warn("a teacher could not be probed", "teacher", name, "dataset", d.Name, logged(err))
	return found, nil
}

// probeMost is the most tokens that one of the requests may take.
func probeMost(sampling schema.Sampling) (tokens int64) {
	for _, text := range probePrompts {
		tokens = max(tokens, teacher.InputBound([]schema.Message{{Role: "user", Content: text}}, nil)+mostTokens(sampling))
	}
	return tokens
}

// compareProbe holds tonight's answers against the last ones, and keeps tonight's.
func (r *Rooms) compareProbe(ctx context.Context, key string, now *probed, found schema.ProbeResult) (schema.ProbeResult, error) {
	var before probed
	err := r.getJSON(ctx, key, &before)
	switch {
	case err != nil && !notFound(err):
		return found, err
	case err == nil && before.comparable(now):
		found.Found, found.P = schema.ProbeSame, quality.SameAnswers(before.Answers, now.Answers)
		if !slices.Equal(before.Served, now.Served) {
			found.Found = schema.ProbeServed
		} else if found.P <= probeLevel {
			found.Found = schema.ProbeDistribution
		}
	}
	body, err := json.MarshalIndent(now, "", " ")
	if err != nil {
		return found, err
	}
	return found, r.Store.Put(ctx, key, body)
}

// comparable says whether two probes asked the same of what is declared to be the same.
func (p *probed) comparable(q *probed) bool {
	a, errA := json.Marshal(p.Sampling)
	b, errB := json.Marshal(q.Sampling)
	return errA == nil && errB == nil && p.Model == q.Model && p.Revision == q.Revision && slices.Equal(p.Prompts, q.Prompts) && string(a) == string(b)
}

// askProbe asks all prompts at once; the limit of the teacher holds.
func askProbe(ctx context.Context, client *teacher.Client, p *probed) (cost int64, err error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	p.Answers = make([][]string, len(p.Prompts))
	for i, text := range p.Prompts {
		p.Answers[i] = make([]string, probeSamples)
		for k := range probeSamples {
			all.Go(func() {
				seed := schema.SamplingSeed(p.At.String(), text) + k
				got, askErr := client.Ask(ctx, teacher.Ask{RequestID: "probe", Messages: []schema.Message{{Role: "user", Content: text}}, Sampling: p.Sampling, Seed: &seed, Reasoning: "drop", Flow: "probe"})
				mu.Lock()
				defer mu.Unlock()
				if got.CostMicros != nil {
					cost += *got.CostMicros
				}
				if askErr == nil && got.Failed() {
					askErr = &schema.Error{Kind: schema.KindFailed, Code: got.FailCode, Op: "probe", Subject: client.Teacher().Name, Cause: errors.New(got.FailDetail)}
				}
				err = errors.Join(err, askErr)
				p.Answers[i][k] = got.Text
				if !slices.Contains(p.Served, got.Model) {
					p.Served = append(p.Served, got.Model)
				}
			})
		}
	}
	all.Wait()
	slices.Sort(p.Served)
	return cost, err
}
