package activities

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Policies of `reuse` in a recipe.
const (
	reuseNever  = "never"
	reuseFailed = "failed-run"
	reuseAlways = "always"
)

// Why a run reuses nothing, or one of the runs before it isn't looked at.
const (
	whyPreview   = "preview"      // asks on purpose
	whyNoRuns    = "no-runs"      // no earlier run is one whose answers the policy takes
	whyNone      = "none-equal"   // they answered none of these requests
	whyShape     = "other-schema" // answers of that run had another response.schema
	whyReasoning = "no-reasoning" // that run dropped the reasoning that this one keeps
	whyGone      = "unreadable"   // its recipe can't be read any more
)

// mostReuse bounds the earlier runs that are looked at, the newest first.
const mostReuse = 16

// EarlierRun is a run whose answers may be taken again.
type EarlierRun struct {
	Run   string `json:"run"`
	State string `json:"state"`
}

// earlierRuns lists those whose answers the recipe's policy takes, the newest first: of failed-run, those that ended without
// publishing (failed, cancelled, held and then cancelled, or ended from outside). It is called once, when a run begins, and what it says
// is pinned beside the sources.
func earlierRuns(ctx context.Context, s store.Store, own store.Run, policy string) (out []EarlierRun, err error) {
	if policy == reuseNever {
		return nil, nil
	}
	ids, err := s.Folders(ctx, own.Runs())
	if err != nil {
		return nil, err
	}
	slices.Sort(ids)
	for _, id := range slices.Backward(ids) {
		if id >= own.ID || strings.HasPrefix(id, "preview-") || len(out) == mostReuse {
			continue
		}
		body, err := s.Get(ctx, own.Dataset.Run(id).Status())
		var status schema.Status
		if notFound(err) || err == nil && json.Unmarshal(body, &status) != nil {
			continue // no worker has taken it up
		}
		if err != nil {
			return nil, err
		}
		switch status.State {
		case schema.StateHeld: // it may go on
			continue
		case schema.StatePublished, schema.StateNothing, schema.StateNothingNew:
			if policy != reuseAlways {
				continue
			}
		}
		out = append(out, EarlierRun{id, status.State})
	}
	return out, nil
}

// reusing takes answers from earlier runs to the requests of a plan. Requests are looked at in windows and answers wait on local disk, so
// memory grows with neither.
type reusing struct {
	rooms  *Rooms
	run    store.Run
	recipe *Recipe
	plan   *schema.PlanResult
	folder string

	wanted map[[16]byte]int32 // request → page, of the window
	pages  []reusePage
	held   int // bytes in buffers
	note   reuseNote
}

// reusePage is a page of the window with the answers that were found for it.
type reusePage struct {
	ref      schema.PageRef
	requests int
	found    int64
	from     map[string]int64
	buffer   bytes.Buffer
	spilled  bool
}

// reuseNote stands beside a run: what was reused, and why not more.
type reuseNote struct {
	Policy string            `json:"policy"`
	Runs   []EarlierRun      `json:"runs"`
	Passed map[string]string `json:"passed_over,omitempty"` // run → why it wasn't looked at
	Pages  []pageNote        `json:"pages,omitempty"`
	Result schema.Reuse      `json:"result"`
}

type pageNote struct {
	Page     string           `json:"page"`
	Requests int              `json:"requests"`
	Reused   int64            `json:"reused"`
	From     map[string]int64 `json:"from,omitempty"`
	Why      string           `json:"why,omitempty"` // it reused none
}

// Variables for tests alone.
var (
	mostWanted   = 500_000  // requests of a window: some 40 MB
	mostBuffered = 32 << 20 // bytes of answers in memory
)

// reuse puts what earlier runs have answered of a plan into the pages' journals, as their attempt 0, and notes why each page did or
// did not. It may run twice: what was put first stays.
func (r *Rooms) reuse(ctx context.Context, run store.Run, recipe *Recipe, plan *schema.PlanResult) (*schema.Reuse, error) {
	u := &reusing{rooms: r, run: run, recipe: recipe, plan: plan, note: reuseNote{Policy: recipe.Reuse, Runs: recipe.begun.Reuse, Passed: map[string]string{}}}
	result := &u.note.Result
	result.Policy, result.Runs = recipe.Reuse, len(recipe.begun.Reuse)
	switch {
	case recipe.begun.Most > 0:
		result.Why = whyPreview
	case recipe.Reuse == reuseNever:
		result.Why = reuseNever
	case len(recipe.begun.Reuse) == 0:
		result.Why = whyNoRuns
	}
	if result.Why != "" {
		r.Log.Info("no answer is reused", "run", run.ID, "policy", recipe.Reuse, "why", result.Why)
		return result, nil
	}
	var err error
	if u.folder, err = os.MkdirTemp(r.Scratch, "reuse-*"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(u.folder) //nolint:errcheck // scratch
	if err := u.all(ctx, plan); err != nil {
		return nil, err
	}
	if result.Requests == 0 {
		result.Why = whyNone
		if newest := u.note.Passed[recipe.begun.Reuse[0].Run]; len(u.note.Passed) == result.Runs {
			result.Why = newest
		}
	}
	return result, r.putJSON(ctx, run.Reuse(), u.note, nil)
}

// all goes over the plan, a window of pages after the other.
func (u *reusing) all(ctx context.Context, plan *schema.PlanResult) error {
	runs, err := u.comparable(ctx)
	if err != nil {
		return err
	}
	u.wanted = map[[16]byte]int32{}
	for t, planned := range plan.Teachers {
		for n := range planned.Pages {
			if err := u.want(ctx, schema.PageRef{Teacher: t, Number: n}); err != nil {
				return err
			}
			if len(u.wanted) >= mostWanted {
				if err := u.window(ctx, runs); err != nil {
					return err
				}
			}
		}
	}
	return u.window(ctx, runs)
}

// comparable are the earlier runs whose answers can stand for this one's. What a request is (prompt, teacher, model, parameters) its
// id says; the shape of answers is compared here.
func (u *reusing) comparable(ctx context.Context) (runs []store.Run, err error) {
	own, err := u.shapeOf(ctx, u.run)
	if err != nil {
		return nil, err
	}
	for _, earlier := range u.recipe.begun.Reuse {
		run := u.run.Dataset.Run(earlier.Run)
		why, err := u.passOver(ctx, run, own)
		if err != nil {
			return nil, err
		}
		if why == "" {
			runs = append(runs, run)
			continue
		}
		u.note.Passed[run.ID] = why
		u.rooms.Log.Info("an earlier run's answers aren't reused", "run", u.run.ID, "earlier", run.ID, "why", why)
	}
	return runs, nil
}

func (u *reusing) passOver(ctx context.Context, earlier store.Run, own []byte) (why string, err error) {
	shape, err := u.shapeOf(ctx, earlier)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(own, shape) {
		return whyShape, nil
	}
	text, err := u.rooms.Store.Get(ctx, earlier.RecipeText())
	if notFound(err) {
		return whyGone, nil
	}
	if err != nil {
		return "", err
	}
	recipe, err := schema.ParseRecipe("recipe.yaml", text)
	switch {
	case err != nil:
		return whyGone, nil
	case recipe.Response.Reasoning == "drop" && u.recipe.Response.Reasoning != "drop":
		return whyReasoning, nil
	}
	return "", nil
}

// shapeOf is the JSON Schema of a run's answers, nil for free text.
func (u *reusing) shapeOf(ctx context.Context, run store.Run) ([]byte, error) {
	shape, err := u.rooms.Store.Get(ctx, run.Shape())
	if notFound(err) {
		return nil, nil
	}
	return shape, err
}

// want enters a page's requests into the window.
func (u *reusing) want(ctx context.Context, ref schema.PageRef) error {
	var head schema.PageHeader
	requests, err := readTable[struct {
		RequestID string `json:"request_id"`
	}](ctx, u.rooms, u.run.Page(ref), &head)
	if err != nil {
		return err
	}
	for i := range requests {
		if id, ok := requestKey(requests[i].RequestID); ok {
			u.wanted[id] = int32(len(u.pages))
		}
	}
	u.pages = append(u.pages, reusePage{ref: ref, requests: len(requests), from: map[string]int64{}})
	return nil
}

// requestKey is a request's id as bytes.
func requestKey(id string) (key [16]byte, ok bool) {
	if len(id) != 2*len(key) {
		return key, false
	}
	_, err := hex.Decode(key[:], []byte(id))
	return key, err == nil
}

// window looks through the earlier runs for what the window wants, and puts what was found.
func (u *reusing) window(ctx context.Context, runs []store.Run) error {
	for _, run := range runs {
		for _, prefix := range []string{run.AllAnswers(), run.Journals()} {
			if err := u.look(ctx, run, prefix); err != nil {
				return err
			}
		}
	}
	for i := range u.pages {
		if err := u.putPage(ctx, i); err != nil {
			return err
		}
	}
	clear(u.wanted)
	u.pages, u.held = nil, 0
	return nil
}

// look takes what is wanted from the answers under a prefix.
func (u *reusing) look(ctx context.Context, run store.Run, prefix string) error {
	for in, err := range u.rooms.Store.List(ctx, prefix, "") {
		if err != nil {
			return err
		}
		if len(u.wanted) == 0 {
			return nil
		}
		packed, err := u.rooms.Store.Get(ctx, in.Key)
		if notFound(err) { // it was collected meanwhile
			continue
		}
		if err != nil {
			return err
		}
		rows, err := unpack(in.Key, packed)
		if err != nil {
			return err
		}
		for _, row := range rows[min(1, len(rows)):] {
			if err := u.take(run, in.Key, row); err != nil {
				return err
			}
		}
		beatOf(ctx).done.Add(int64(len(rows)))
	}
	return nil
}

// take keeps an answer that is wanted; the first counts, which is the newest run's.
func (u *reusing) take(run store.Run, key string, row []byte) error {
	var a schema.Response
	if err := decode(key, row, &a); err != nil {
		return err
	}
	id, ok := requestKey(a.RequestID)
	i, wanted := u.wanted[id]
	if !ok || !wanted || a.Failed() {
		return nil
	}
	if u.recipe.finish(&a); a.Failed() { // as an answer it isn't wanted any more
		return nil
	}
	delete(u.wanted, id)
	if a.ReusedFrom == "" {
		a.ReusedFrom = run.ID
	}
	a.CostMicros, a.Attempts = new(int64), 0
	if u.recipe.Response.Reasoning == "drop" {
		a.Reasoning = ""
	}
	body, err := json.Marshal(&a)
	if err != nil {
		return err
	}
	p := &u.pages[i]
	p.found++
	p.from[a.ReusedFrom]++
	p.buffer.Write(append(body, '\n'))
	if u.held += len(body); u.held < mostBuffered {
		return nil
	}
	return u.spill()
}

func (u *reusing) file(i int) string { return filepath.Join(u.folder, u.pages[i].ref.String()) }

// spill moves what waits in memory to disk.
func (u *reusing) spill() error {
	for i := range u.pages {
		p := &u.pages[i]
		if p.buffer.Len() == 0 {
			continue
		}
		f, err := os.OpenFile(u.file(i), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = p.buffer.WriteTo(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		p.spilled, p.buffer = true, bytes.Buffer{}
	}
	u.held = 0
	return nil
}

// putPage puts a page's reused answers as attempt 0 of its journal, and notes what became of the page.
func (u *reusing) putPage(ctx context.Context, i int) error {
	p := &u.pages[i]
	n := pageNote{Page: p.ref.String(), Requests: p.requests, Reused: p.found, From: p.from}
	if p.found == 0 {
		n.Why = whyNone
	}
	u.note.Pages = append(u.note.Pages, n)
	u.rooms.Log.Info("reuse", "run", u.run.ID, "page", n.Page, "reused", n.Reused, "of", n.Requests, "from", n.From, "why", n.Why)
	u.note.Result.Requests += p.found
	u.plan.Teachers[p.ref.Teacher].Reusable += p.found
	if p.found == 0 {
		return nil
	}
	u.note.Result.Pages++
	l := newLines()
	if err := l.add(partHeader{By: "reuse"}); err != nil {
		return err
	}
	if p.spilled {
		body, err := os.ReadFile(u.file(i))
		if err = errors.Join(err, os.Remove(u.file(i))); err != nil {
			return err
		}
		l.buf.Write(body)
	}
	l.buf.Write(p.buffer.Bytes())
	p.buffer = bytes.Buffer{}
	return u.rooms.putOnce(ctx, u.run.Part(p.ref, 0, 0), l.packed(), func() error { return nil }) // of an attempt before
}
