package activities

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/teacher"
)

// Plan streams the pinned sources, renders the templates, drops exact repeats, checks lineage, and cuts pages, which it puts on
// S3. The same recipe, sources and seed give the same pages, byte for byte; memory doesn't grow with their number.
func (r *Rooms) Plan(ctx context.Context, ref schema.RunRef) (schema.PlanResult, error) {
	run := r.run(ref)
	var done schema.PlanResult
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return done, err
	}
	if err := r.mayPlan(run, recipe.Recipe); err != nil {
		return done, err
	}
	if err := r.getJSON(ctx, run.Plan(), &done); err == nil {
		return done, sameBudget(run, &done, recipe.Recipe)
	} else if !notFound(err) {
		return done, err
	}
	if err := RefuseRetracted(ctx, r.Store, run.Dataset, recipe.Recipe); err != nil {
		return done, err
	}
	access := &prompt.Access{Config: r.Config, Store: r.Store, Bucket: r.Buckets, Scratch: r.Scratch}
	sources, err := r.pinned(ctx, run, recipe.Recipe, access)
	if err != nil {
		return done, err
	}
	if err := r.putGates(ctx, run, recipe, access); err != nil {
		return done, err
	}
	if err := r.putHoldout(ctx, run, recipe.Recipe, access); err != nil {
		return done, err
	}
	if err := r.putCompared(ctx, run, recipe, access); err != nil {
		return done, err
	}
	scratch, err := os.MkdirTemp(r.Scratch, "plan-*")
	if err != nil {
		return done, err
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // scratch
	puts, putting := errgroup.WithContext(ctx)
	puts.SetLimit(1) // one is packed and put, in order, while the next is filled
	p := newPlanner(recipe, scratch, func(ref schema.PageRef, l *lines) error {
		puts.Go(func() error {
			return r.putOnce(putting, run.Page(ref), l.packed(), func() error { return nil }) // equal by construction
		})
		return putting.Err()
	})
	defer p.seen.Close()
	if p.novelty, err = NewNovelty(ctx, recipe, p.first(), int64(r.Config.Worker.IndexMB)<<20/mostIndexes, scratch, p.pick); err != nil {
		return done, err
	}
	defer p.novelty.Close()
	if recipe.begun.New {
		if p.answered, err = r.answered(ctx, run.Dataset, access, scratch); err != nil {
			return done, err
		}
		defer p.answered.Close()
	}
	planned := p.planAll(ctx, access, sources)
	if err := puts.Wait(); err != nil { // what planAll says is then that it was stopped
		return done, err
	}
	if planned != nil {
		return done, planned
	}
	if p.result.Reuse, err = r.reuse(ctx, run, recipe, &p.result); err != nil {
		return done, err
	}
	return p.result, r.putJSON(ctx, run.Plan(), p.result, &p.result)
}

// pinned joins the recipe's sources with their files as they were pinned when the run began.
func (r *Rooms) pinned(ctx context.Context, run store.Run, recipe *schema.Recipe, access *prompt.Access) ([]prompt.Source, error) {
	var pinned []schema.ManifestSource
	if err := r.getJSON(ctx, run.Sources(), &pinned); err != nil {
		return nil, err
	}
	var out []prompt.Source
	for _, s := range pinned {
		for _, f := range s.Files {
			if !access.MayRead(f) {
				return nil, &schema.Error{Kind: schema.KindInvalid, Code: "not_allowed", Op: "plan", Subject: f.Name,
					Cause: errors.New("the worker's configuration doesn't allow it to be read"), Hint: "Add it to allow.read in the workers' temporal.yaml."}
			}
		}
		if s.Role == RolePrompts && len(out) < len(recipe.Prompts) {
			out = append(out, prompt.Source{Source: recipe.Prompts[len(out)], Index: len(out), Files: s.Files})
		}
	}
	if len(out) != len(recipe.Prompts) {
		return nil, broken(run.Sources(), fmt.Errorf("it pins %d of %d sources", len(out), len(recipe.Prompts)))
	}
	return out, nil
}

// planner cuts prompts into pages, for each teacher its own.
type planner struct {
	recipe  *Recipe
	seen    *prompt.Seen
	weights []float64
	novelty *Novelty // passes on to add
	// answered are the prompts that versions of the dataset have decided an answer to; nil where all are to be asked.
	answered *prompt.Seen
	open     []openPage
	put      func(schema.PageRef, *lines) error // takes the lines over; an error may be of a page before
	result   schema.PlanResult
	sample   sample // of a pilot
}

// openPage is a page that is being filled.
type openPage struct {
	ref      schema.PageRef
	size     int // requests it shall have
	bytes    int
	requests []schema.Request
	sampling schema.Sampling
	declared DeclaredTeacher
	batch    bool // each page is a batch of the provider's
}

// full says whether the page takes no more requests.
func (o *openPage) full() bool {
	if o.batch {
		return len(o.requests) >= o.declared.Limits.BatchRequests || o.bytes >= o.declared.Limits.BatchMB<<20-mostBatchLine
	}
	return len(o.requests) >= o.size || o.bytes >= mostPageBytes
}

// mostBatchLine is room that a page for a batch keeps for its last request.
const mostBatchLine = 1 << 18

func newPlanner(recipe *Recipe, scratch string, put func(schema.PageRef, *lines) error) *planner {
	p := &planner{recipe: recipe, put: put, seen: prompt.NewSeen(scratch, 0), weights: prompt.Weights(recipe.Recipe)}
	for i, use := range recipe.Teachers {
		declared := recipe.teachers[use.Name]
		p.open = append(p.open, openPage{ref: schema.PageRef{Teacher: i}, size: pageSize(declared.Limits, mostTokens(recipe.Sampling.Over(use.Sampling)), 0),
			sampling: recipe.Sampling.Over(use.Sampling), declared: declared, batch: declared.Batch && recipe.begun.Most == 0})
		p.result.Teachers = append(p.result.Teachers, schema.PlannedTeacher{Name: use.Name, Batch: p.open[i].batch})
	}
	p.result.Policy = policyOf(recipe.Recipe)
	if recipe.begun.Most > 0 { // what was asked is shown, whatever ends it
		p.result.Policy.PublishBudget = true
	}
	if recipe.begun.Of > 0 {
		p.sample = sample{seed: recipe.Seed, n: recipe.begun.Most, of: recipe.begun.Of}
	}
	return p
}

func policyOf(r *schema.Recipe) schema.Policy {
	p := schema.Policy{Rows: r.Rows, Failed: r.Failed, MostRejected: r.Rejected, BudgetMicros: r.Budget.Micros(), BudgetRequests: -1,
		PublishBudget: r.Output.OnBudget == "publish", ExpiresSeconds: int64(time.Duration(r.Gate.Expires) / time.Second)}
	if r.Budget.Requests != nil {
		p.BudgetRequests = *r.Budget.Requests
	}
	if r.Checks.Near.Do == schema.DoDrop || r.Checks.Exact.Do == schema.DoDrop {
		p.MostDuplicates = r.Checks.Near.MostShare
	}
	return p
}

const (
	// leastPage and mostPage bound the requests of a page; mostPageBytes their text, so that a page fits in memory many times.
	leastPage     = 8
	mostPage      = 2560
	mostPageBytes = 8 << 20
	// rounds is how often a page fills a teacher's concurrency: a page of fewer loses time at its end.
	rounds = 10
	// growAfter is the number of pages of a teacher after which they grow: long plans need fewer events and objects a request.
	growAfter = 8
)

// pageSize is the number of requests of a teacher's n-th page: ten rounds of its concurrency, at most half a minute at its
// rates, as answers take tokens at most, and up to four times that later on.
func pageSize(l schema.Limits, tokens int64, n int) int {
	size := rounds * max(1, l.Concurrency)
	for grow := growAfter; n >= grow && grow <= 4*growAfter; grow *= 2 {
		size *= 2
	}
	size = min(size, mostPage)
	if l.RPM > 0 {
		size = min(size, max(1, l.RPM/2))
	}
	if l.TPM > 0 {
		size = min(size, max(1, int(int64(l.TPM)/2/max(1, tokens))))
	}
	return max(leastPage, size)
}

// planAll streams all prompts into pages.
func (p *planner) planAll(ctx context.Context, access *prompt.Access, sources []prompt.Source) error {
	beat := beatOf(ctx)
	for got, err := range prompt.Stream(ctx, prompt.Plan{Recipe: p.recipe.Recipe, Sources: sources, Access: access}) {
		if err != nil {
			return err
		}
		fresh, err := p.seen.Add(got.ID)
		if err != nil {
			return err
		}
		if !fresh {
			p.result.Repeats++
			continue
		}
		if p.answered != nil {
			if fresh, err = p.answered.Add(got.ID); err != nil {
				return err
			}
			if !fresh {
				p.result.Answered++
				continue
			}
		}
		if err := p.novelty.Add(ctx, got); err != nil {
			return err
		}
		beat.done.Store(p.result.Prompts)
		if p.novelty.Full() {
			break
		}
	}
	if err := p.novelty.Flush(ctx); err != nil {
		return err
	}
	p.result.Alike = p.novelty.Alike
	for i := range p.open {
		if err := p.flush(&p.open[i]); err != nil {
			return err
		}
	}
	if p.result.Prompts == 0 && p.result.Answered == 0 {
		return &schema.Error{Kind: schema.KindInvalid, Code: "no_prompts", Op: "plan", Subject: p.recipe.Dataset, Cause: errors.New("the sources have no rows"), Hint: "Check prompts: in the recipe."}
	}
	return nil
}

// first is how many prompts are planned before the sources' rest is left alone; 0: all. A pilot's are spread over all.
func (p *planner) first() int64 {
	if p.recipe.begun.Of > 0 {
		return 0
	}
	return p.recipe.begun.Most
}

// pick plans a prompt, if a pilot takes it.
func (p *planner) pick(got schema.Prompt) error {
	if !p.sample.takes() {
		return nil
	}
	return p.add(got)
}

// add plans a prompt's samples, all with the teacher that its id draws.
func (p *planner) add(got schema.Prompt) error {
	o := &p.open[prompt.AssignTeacher(p.recipe.Seed, got.ID, p.weights)]
	if err := p.checkGeneration(&got, &o.declared); err != nil {
		return err
	}
	p.result.Prompts++
	t := &p.result.Teachers[o.ref.Teacher]
	input := teacher.InputBound(got.Messages, p.recipe.shape)
	worst := teacher.WorstCase(o.declared.Price, input, mostTokens(o.sampling))
	if o.batch {
		worst = teacher.AtBatchPrice(o.declared.Price, worst)
	}
	t.WorstMicros = max(t.WorstMicros, worst)
	for sample := range p.recipe.Samples {
		o.requests = append(o.requests, schema.Request{Prompt: got, Sample: sample, RequestID: schema.RequestID(got.ID, &o.declared.Teacher, o.sampling, sample)})
		o.bytes += int(input)
		if o.full() {
			if err := p.flush(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkGeneration refuses what would become deeper than the recipe allows, where that is known.
func (p *planner) checkGeneration(got *schema.Prompt, t *DeclaredTeacher) error {
	most := p.recipe.MaxGeneration
	if most == nil {
		return nil
	}
	if g := prompt.AnswerGeneration(got.Generation, t.Generation); g > int32(*most) {
		return &schema.Error{Kind: schema.KindInvalid, Code: "max_generation", Op: "plan", Subject: got.Source,
			Cause: fmt.Errorf("answers of %s would be of generation %d; the recipe allows %d", t.Name, g, *most),
			Hint:  "Leave generated sources out, choose a teacher that wasn't trained on them, or raise max_generation."}
	}
	return nil
}

func (p *planner) flush(o *openPage) error {
	if len(o.requests) == 0 {
		return nil
	}
	l := newLines()
	if err := l.add(schema.PageHeader{Page: o.ref.Number, Teacher: o.declared.Name, Sampling: o.sampling, Requests: len(o.requests)}); err != nil {
		return err
	}
	for i := range o.requests {
		if err := l.add(&o.requests[i]); err != nil {
			return err
		}
	}
	if err := p.put(o.ref, l); err != nil {
		return err
	}
	t := &p.result.Teachers[o.ref.Teacher]
	t.Pages, t.Requests = t.Pages+1, t.Requests+int64(len(o.requests))
	p.result.Requests += int64(len(o.requests))
	o.ref.Number++
	o.size, o.requests, o.bytes = pageSize(o.declared.Limits, mostTokens(o.sampling), o.ref.Number), o.requests[:0], 0
	return nil
}
