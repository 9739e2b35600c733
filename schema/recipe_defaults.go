package schema

import "time"

// fillDefaults sets what the recipe's file doesn't give. This is the only place in the program that does; what stays empty has
// a meaning of its own: gate.tolerance "" is wide for version 1 and 0 after it, output.splits empty is train alone.
func (r *Recipe) fillDefaults() {
	preset(&r.Samples, 1)
	if !r.has("seed") {
		r.Seed = 1
	}
	if !r.has("failed") {
		r.Failed = 0.05
	}
	preset(&r.Rejected, 0.9)
	preset(&r.Reuse, "failed-run")
	for i := range r.Prompts {
		preset(&r.Prompts[i].Origin, OriginUnknown)
		if r.Anchor != nil {
			preset(&r.Prompts[i].Key, r.Anchor.Key)
		}
	}
	for i := range r.Teachers {
		preset(&r.Teachers[i].Weight, 1)
	}
	if r.Sampling.MaxTokens == nil {
		most := 1024
		r.Sampling.MaxTokens = &most
	}
	preset(&r.Response.Reasoning, "keep")
	if !r.has("response.repair") {
		r.Response.Repair = 1
	}
	if r.Anchor != nil {
		preset(&r.Anchor.Text, "text")
		preset(&r.Anchor.License, "unknown")
		preset(&r.Anchor.Holdout, 0.1)
	}
	preset(&r.Gate.FalseAlarm, 0.01)
	preset(&r.Gate.Expires, Duration(7*24*time.Hour))
	preset(&r.Output.Format, FormatMessages)
	preset(&r.Output.Previous, "keep")
	preset(&r.Output.ShardMB, 256)
	preset(&r.Output.OnBudget, "hold")
	if r.Schedule != nil {
		preset(&r.Schedule.Timezone, "UTC")
		preset(&r.Schedule.Overlap, "skip")
		preset(&r.Schedule.Probe, ProbeReport)
	}
	r.Checks.fillDefaults(r.Response.Schema != "")
}

func (c *Checks) fillDefaults(shaped bool) {
	for _, do := range []*string{&c.Empty.Do, &c.Truncated.Do, &c.Refusal.Do, &c.Identity.Do, &c.Repetition.Do, &c.Template.Do, &c.Reasoning.Do, &c.Exact.Do, &c.Near.Do} {
		preset(do, DoDrop)
	}
	preset(&c.Quality.Do, DoTag)
	preset(&c.Echo.Do, DoTag)
	preset(&c.Secrets.Do, DoTag)
	preset(&c.Personal.Do, DoTag)
	preset(&c.Language.Do, dropWhere(len(c.Language.Want) > 0))
	preset(&c.Length.Do, dropWhere(c.Length.Min > 0 || c.Length.Max > 0))
	preset(&c.Schema.Do, dropWhere(shaped))
	preset(&c.Contamination.Do, dropWhere(len(c.Contamination.Against) > 0))
	preset(&c.Exact.Scope, ScopePrompt)
	preset(&c.Near.Scope, ScopePrompt)
	preset(&c.Near.Jaccard, 0.8)
	preset(&c.Near.Shingle, 5)
	preset(&c.Near.Bands, 16)
	preset(&c.Near.Rows, 8)
	preset(&c.Near.MostShare, 0.3)
	preset(&c.Contamination.NGram, 8)
	preset(&c.Contamination.Share, 0.5)
}

// DefaultChecks are the checks of a recipe that says nothing about them.
func DefaultChecks() Checks {
	var c Checks
	c.fillDefaults(false)
	return c
}

func dropWhere(asked bool) string {
	if asked {
		return DoDrop
	}
	return DoOff
}

// preset sets what is still zero. Where zero is a value that a person may mean, the caller asks Places instead.
func preset[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}
