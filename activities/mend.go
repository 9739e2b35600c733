package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// What the index holds follows from inspected pages and decisions, so a damaged or missing object of it is made again from those, under
// its own key and byte for byte. Where they don't lead to the same root the run fails, and says so: what was decided on a root that
// can't be read any more is never guessed.

// codeCorrupt is dedup's word for a damaged or missing object.
const codeCorrupt = "index_corrupt"

// mending counts how often an object was made again in one attempt.
type mending map[string]int

// mostMended is how often one object is made again before the store is given up: another worker may be mending it too.
const mostMended = 3

func (m *mending) add(key string) {
	if *m == nil {
		*m = mending{}
	}
	(*m)[key]++
}

// damagedKey is the object that an error says is damaged or missing, "" where it says something else.
func damagedKey(err error) (key string) {
	for err != nil {
		var e *schema.Error
		if !errors.As(err, &e) {
			break
		}
		if e.Code == codeCorrupt {
			key = e.Subject // the innermost names the object
		}
		err = e.Cause
	}
	if !strings.Contains(key, "/") {
		return ""
	}
	return key
}

// mend says what is damaged and makes it again.
func (r *Rooms) mend(ctx context.Context, run store.Run, recipe *Recipe, in schema.AdmitInput, key string, cause error) error {
	r.Log.Warn("an object of the near-duplicate index is damaged or missing; it is made again", "object", key, "error", cause)
	note := Problem{Step: schema.StepAdmit, Code: "index_mended", Attempt: 1, At: time.Now().UTC(),
		Message: fmt.Sprintf("%s\n  It was made again from inspected pages and decisions, or from the texts that it was made of. Nothing was asked again.", cause)}
	if b, err := json.MarshalIndent(note, "", " "); err == nil {
		if err := r.Store.Put(ctx, run.Problem(note.Code), b); err != nil {
			return err
		}
	}
	if err := r.clear(ctx, key); err != nil {
		return err
	}
	of, ok := run.RunOfIndex(key)
	switch {
	case ok && of == run:
		return r.rebuild(ctx, run, recipe, in.Seq, in.Root)
	case ok:
		return r.rebuildEarlier(ctx, run, of, key)
	}
	return r.rebuildLayer(ctx, run, recipe, key)
}

// rebuild makes a run's index before page seq again.
func (r *Rooms) rebuild(ctx context.Context, run store.Run, recipe *Recipe, seq int, want string) error {
	root, err := r.clearing(ctx, func() (string, error) {
		return dedup.Rebuild(ctx, r.Store, run.Index(), r.entered(ctx, run, seq), r.indexOptions(recipe))
	})
	if err != nil {
		return err
	}
	if root != want {
		return lostIndex(want, fmt.Errorf("inspected pages and decisions lead to %q", root))
	}
	return nil
}

// clear deletes what stands under a key, so that the right object can be put there.
func (r *Rooms) clear(ctx context.Context, key string) error {
	if _, err := r.Store.Head(ctx, key); notFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	return r.Store.Delete(ctx, key)
}

// clearing calls write until no damaged object stands in its way any more: each is deleted, and put again.
func (r *Rooms) clearing(ctx context.Context, write func() (string, error)) (string, error) {
	var cleared mending
	for {
		root, err := write()
		key := damagedKey(err)
		if key == "" || cleared[key] == mostMended {
			return root, err
		}
		cleared.add(key)
		if err := r.clear(ctx, key); err != nil {
			return "", err
		}
	}
}

// lostIndex says that an index is gone for good.
func lostIndex(subject string, cause error) error {
	return &schema.Error{Kind: schema.KindFailed, Code: "index_lost", Op: "make the near-duplicate index again", Subject: subject, Cause: cause,
		Hint: "Objects of the run's folder were changed or deleted; put them back, or start a new run."}
}

// entered are the items that the first seq pages entered.
func (r *Rooms) entered(ctx context.Context, run store.Run, seq int) iter.Seq2[dedup.Page, error] {
	return func(yield func(dedup.Page, error) bool) {
		for n := range seq {
			page, err := r.enteredPage(ctx, run, n)
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

func (r *Rooms) enteredPage(ctx context.Context, run store.Run, seq int) (dedup.Page, error) {
	head, decisions, err := r.readDecisions(ctx, run, seq)
	if err != nil {
		return dedup.Page{}, err
	}
	_, rows, err := r.readInspected(ctx, run, head.Page)
	if err == nil && len(rows) != len(decisions) {
		err = broken(run.Decisions(seq), errDiffer)
	}
	if err != nil {
		return dedup.Page{}, err
	}
	page := dedup.Page{Seq: seq, Items: make([]dedup.Item, len(rows))}
	for i := range rows {
		d := &decisions[i]
		page.Items[i] = dedup.Item{ID: entryID(d.RequestID, d.Split), PromptID: d.PromptID, Live: d.Outcome == schema.OutcomeAdmitted}
		if rows[i].Failed != "" {
			continue
		}
		if page.Items[i].Sketch, err = dedup.DecodeSketch(rows[i].Sketch); err != nil {
			return page, broken("sketch of "+d.RequestID, err)
		}
		page.Items[i].Live = page.Items[i].Live && !page.Items[i].Sketch.Empty()
	}
	return page, nil
}

// rebuildEarlier makes the index of another run again, as its last page left it.
func (r *Rooms) rebuildEarlier(ctx context.Context, run, of store.Run, key string) error {
	recipe, err := r.recipe(ctx, of)
	if err != nil {
		return lostIndex(key, err)
	}
	var l indexRoot
	if err := r.getJSON(ctx, of.IndexRoot(), &l); err != nil {
		return lostIndex(key, err)
	}
	pages := 0
	for in, err := range r.Store.List(ctx, of.DecisionsHome(), "") {
		if err != nil {
			return err
		}
		if strings.HasSuffix(in.Key, ".jsonl.zst") {
			pages++
		}
	}
	return r.rebuild(ctx, of, recipe, pages, l.Root)
}

// rebuildLayer makes the layer that an object belongs to again, from the texts that it was made of.
func (r *Rooms) rebuildLayer(ctx context.Context, run store.Run, recipe *Recipe, key string) error {
	access := &prompt.Access{Config: r.Config, Store: r.Store, Bucket: r.Buckets, Scratch: r.Scratch}
	var pinned []schema.ManifestSource
	if err := r.getJSON(ctx, run.Sources(), &pinned); err != nil {
		return err
	}
	b := &layerBuilder{rooms: r, run: run, recipe: recipe, access: access, again: key}
	if err := b.all(ctx, pinned); err != nil {
		return err
	}
	if !b.made {
		return lostIndex(key, errors.New("nothing that the run pins was it made of"))
	}
	return nil
}
