package activities

import (
	"context"
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// ResolveEvaluations finds and pins the evaluation sets that a recipe's contamination is judged against, and reads them once: a set
// that can't be read, or has no text to be found by, is a fault. It also says how many texts there are to be found.
func ResolveEvaluations(ctx context.Context, access *prompt.Access, recipe *schema.Recipe) (sets []schema.ManifestSource, items int, err error) {
	c := recipe.Checks.Contamination
	if c.Do == schema.DoOff {
		return nil, 0, nil
	}
	for i, from := range c.Against {
		at := evaluationsPath(i)
		set := evaluationsSource(from)
		if set.Files, err = access.Resolve(ctx, recipe, at, from); err != nil {
			return nil, 0, err
		}
		read, err := readEvaluations(ctx, access, recipe, []schema.ManifestSource{set})
		if err != nil {
			return nil, 0, err
		}
		if read.Items() == 0 {
			return nil, 0, schema.Faults{recipe.At(at, fmt.Sprintf("no text in it has %d words, so nothing can be found", c.NGram), "give files of questions or answers")}
		}
		items += read.Items()
		sets = append(sets, set)
	}
	return sets, items, nil
}

func evaluationsPath(i int) string { return fmt.Sprintf("checks.contamination.against[%d]", i) }

func evaluationsSource(from string) schema.ManifestSource {
	return schema.ManifestSource{From: from, License: "unknown", Origin: schema.OriginUnknown, Role: RoleEvaluations}
}

// readEvaluations reads every row of the sets.
func readEvaluations(ctx context.Context, access *prompt.Access, recipe *schema.Recipe, sets []schema.ManifestSource) (*quality.Evaluations, error) {
	c := recipe.Checks.Contamination
	e := quality.NewEvaluations(c.NGram, c.Share)
	beat := beatOf(ctx)
	for _, set := range sets {
		if set.Role != RoleEvaluations {
			continue
		}
		for _, f := range set.Files {
			name, n := path.Base(f.Name), int64(0)
			for row, err := range access.Rows(ctx, f, prompt.Columns{All: true}) {
				if err != nil {
					return nil, err
				}
				n++
				e.AddRow(name, n, row.Columns)
				beat.done.Add(1)
			}
		}
	}
	e.Seal()
	return e, nil
}

// evaluationCache keeps the inspectors of runs that judge contamination: they are large, so few.
type evaluationCache struct {
	mu   sync.Mutex
	runs map[string]*quality.Inspector
}

// mostEvaluations bounds the runs whose evaluation sets stay in memory.
const mostEvaluations = 2

// inspectorOf returns the run's inspector, with its evaluation sets where it has any.
func (r *Rooms) inspectorOf(ctx context.Context, run store.Run, recipe *Recipe) (*quality.Inspector, error) {
	if c := recipe.Checks.Contamination; c.Do == schema.DoOff || len(c.Against) == 0 {
		return recipe.inspector, nil
	}
	r.evals.mu.Lock()
	defer r.evals.mu.Unlock()
	if got, ok := r.evals.runs[run.Home()]; ok {
		return got, nil
	}
	got, err := r.inspectorAgain(ctx, run, recipe, recipe)
	if err != nil {
		return nil, err
	}
	if len(r.evals.runs) >= mostEvaluations || r.evals.runs == nil {
		r.evals.runs = map[string]*quality.Inspector{}
	}
	r.evals.runs[run.Home()] = got
	return got, nil
}

// inspectorAgain is the inspector of a recipe for a run's answers: with the evaluation sets that the run has pinned, where the recipe
// names the same, else with those that it names as they are now.
func (r *Rooms) inspectorAgain(ctx context.Context, run store.Run, recipe, again *Recipe) (*quality.Inspector, error) {
	c := again.Checks.Contamination
	if c.Do == schema.DoOff || len(c.Against) == 0 {
		return again.inspector, nil
	}
	access := &prompt.Access{Config: r.Config, Store: r.Store, Bucket: r.Buckets, Scratch: r.Scratch}
	var sets []schema.ManifestSource
	var err error
	if slices.Equal(c.Against, recipe.Checks.Contamination.Against) {
		err = r.getJSON(ctx, run.Sources(), &sets)
	} else {
		sets, _, err = ResolveEvaluations(ctx, access, again.Recipe)
	}
	if err != nil {
		return nil, err
	}
	e, err := readEvaluations(ctx, access, again.Recipe, sets)
	if err != nil {
		return nil, err
	}
	return quality.NewInspector(again.Checks, quality.Options{Evaluations: e})
}
