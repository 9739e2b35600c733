package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Allow bounds what recipes may read besides the store's own prefix, what they may write, whom they may ask and what for.
type Allow struct {
	Read     []string `yaml:"read" json:"read,omitempty"`         // s3:// prefixes
	Paths    []string `yaml:"paths" json:"paths,omitempty"`       // local folders, relative to the configuration
	Datasets []string `yaml:"datasets" json:"datasets,omitempty"` // dataset prefixes that may be written; none given: all
	Teachers []string `yaml:"teachers" json:"teachers,omitempty"` // names that recipes may use; none given: all that are declared
	Budget   Budget   `yaml:"budget" json:"budget,omitzero"`      // the most that one run's own budget may be
}

// CheckAllowed finds what the configuration's `allow` doesn't let a recipe do: a dataset that may not be written, a teacher that may not
// be asked, a budget that is larger than a run may have, or none where there must be one.
func CheckAllowed(r *Recipe, c *Config) Faults {
	var faults Faults
	if !c.MayWrite(r.Dataset) {
		faults = append(faults, r.At("dataset", quoteShort(r.Dataset)+" may not be written", "allow.datasets in "+configName(c)+" allows: "+strings.Join(c.Allow.Datasets, ", ")))
	}
	for i, use := range r.Teachers {
		if c.Teacher(use.Name) != nil && !c.MayAsk(use.Name) {
			faults = append(faults, r.At(fmt.Sprintf("teachers[%d].name", i), "recipes may not use teacher "+quoteShort(use.Name),
				"allow.teachers in "+configName(c)+" allows: "+strings.Join(c.Allow.Teachers, ", ")))
		}
	}
	return append(faults, checkBudgetAllowed(r, c)...)
}

// MayWrite says whether allow.datasets lets recipes write the dataset: by its name or a parent of it; an empty list allows all.
func (c *Config) MayWrite(dataset string) bool {
	for _, allowed := range c.Allow.Datasets {
		allowed = strings.TrimSuffix(allowed, "/")
		if dataset == allowed || strings.HasPrefix(dataset, allowed+"/") {
			return true
		}
	}
	return len(c.Allow.Datasets) == 0
}

// MayAsk says whether allow.teachers lets recipes use the teacher; an empty list allows all that are declared.
func (c *Config) MayAsk(teacher string) bool {
	return len(c.Allow.Teachers) == 0 || slices.Contains(c.Allow.Teachers, teacher)
}

func checkBudgetAllowed(r *Recipe, c *Config) (faults Faults) {
	if most := c.Allow.Budget.USD; most != nil && !c.free(r) {
		line := fmt.Sprintf("write `budget: {usd: %s}`, or less", money(*most))
		switch {
		case r.Budget.USD == nil:
			faults = append(faults, r.noBudget("has no usd, and allow.budget.usd in "+configName(c)+" lets a run spend $"+money(*most)+" at most", line))
		case *r.Budget.USD > *most:
			faults = append(faults, r.At("budget.usd", "is "+money(*r.Budget.USD)+", and allow.budget.usd in "+configName(c)+" lets a run spend $"+money(*most)+" at most", line))
		}
	}
	if most := c.Allow.Budget.Requests; most != nil {
		line := fmt.Sprintf("write `budget: {requests: %d}`, or less", *most)
		switch {
		case r.Budget.Requests == nil:
			faults = append(faults, r.noBudget(fmt.Sprintf("has no requests, and allow.budget.requests in %s lets a run send %d at most", configName(c), *most), line))
		case *r.Budget.Requests > *most:
			faults = append(faults, r.At("budget.requests", fmt.Sprintf("is %d, and allow.budget.requests in %s lets a run send %d at most", *r.Budget.Requests, configName(c), *most), line))
		}
	}
	return faults
}

// noBudget is a fault at the recipe's budget, or at its beginning where it has none.
func (r *Recipe) noBudget(what, mend string) Fault {
	f := r.At("budget", what, mend)
	if f.Line == 0 {
		f.Line, f.Col = 1, 1
	}
	return f
}

// free says whether every teacher of a recipe is declared to cost nothing, so that its runs need no budget in dollars.
func (c *Config) free(r *Recipe) bool {
	for _, use := range r.Teachers {
		t := c.Teacher(use.Name)
		if t == nil || t.Price == nil || t.Price.Input != 0 || t.Price.Output != 0 || t.Price.CachedInput != nil && *t.Price.CachedInput != 0 {
			return false
		}
	}
	return true
}

func money(usd float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.2f", usd), ".00")
}

// checkAllow finds what is wrong with the lists themselves.
func checkAllow(c *Config, d *document) {
	for i, s := range c.Allow.Read {
		if bucket, _, ok := SplitS3(s); !ok || !bucketName.MatchString(bucket) {
			d.add(fmt.Sprintf("allow.read[%d]", i), "is "+quoteShort(s), "give s3://BUCKET/ or s3://BUCKET/PREFIX/")
		}
	}
	for i, p := range c.Allow.Paths {
		if p == "" || strings.Contains(p, "://") || strings.ContainsAny(p, "*?[") {
			d.add(fmt.Sprintf("allow.paths[%d]", i), "is "+quoteShort(p), "give a local folder, relative to this file; what is in it may be read by recipes")
		}
	}
	for i, p := range c.Allow.Datasets {
		if what, mend := datasetFault(strings.TrimSuffix(p, "/")); what != "" {
			d.add(fmt.Sprintf("allow.datasets[%d]", i), what, mend)
		}
	}
	var names []string
	for i := range c.Teachers {
		names = append(names, c.Teachers[i].Name)
	}
	for i, name := range c.Allow.Teachers {
		if !slices.Contains(names, name) {
			d.add(fmt.Sprintf("allow.teachers[%d]", i), "there is no teacher "+quoteShort(name)+" in this file", mendTeacher(name, names))
		}
	}
}
