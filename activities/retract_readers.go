package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// readers names the earlier versions that have what is retracted, and the students that were attested to have consumed it.
func (w *retraction) readers(ctx context.Context, m *schema.Manifest) error {
	held := map[string]bool{} // digests of shards with retracted records
	for n := 1; n <= m.Parent; n++ {
		old, err := LoadManifest(ctx, w.rooms.Store, w.run.Dataset, n)
		if notFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		has := false
		for _, s := range old.Shards {
			t, err := w.taken(ctx, s)
			if errors.Is(err, store.ErrNotFound) {
				continue // an old version that was taken apart by hand is no reason to keep what shall go
			}
			if err != nil {
				return err
			}
			if t.Removed > 0 {
				has, held[s.SHA256] = true, true
			}
		}
		if has {
			m.Retraction.Versions = append(m.Retraction.Versions, n)
		}
	}
	students, err := AttestedReaders(ctx, w.rooms.Store, w.run.Dataset, held)
	m.Retraction.Students = append(m.Retraction.Students, students...)
	return err
}

// AttestedReaders lists the students whose trainers signed that they consumed one of the shards, by digest. Whose signatures they are is
// for the reader to check: each names its key.
func AttestedReaders(ctx context.Context, s store.Store, d store.Dataset, shards map[string]bool) (out []schema.AttestedReader, err error) {
	for in, err := range s.List(ctx, d.StudentAttestations(), "") {
		if err != nil {
			return nil, err
		}
		body, err := s.Get(ctx, in.Key)
		if err != nil {
			return nil, err
		}
		e, st, err := provenance.Open[provenance.Student](body, provenance.StudentType)
		if err != nil || len(e.Signatures) == 0 {
			continue // what anybody may put there that is no statement says nothing
		}
		if slices.ContainsFunc(st.Subject, func(sub provenance.Subject) bool { return shards[sub.Digest["sha256"]] }) {
			out = append(out, schema.AttestedReader{Student: st.Predicate.Student, Version: st.Predicate.Version, Attestation: in.Key, KeyID: e.Signatures[0].KeyID})
		}
	}
	return out, nil
}

// Retracted is what the newest version says was taken out of a dataset, nil where nothing was.
func Retracted(ctx context.Context, s store.Store, d store.Dataset) (*schema.Retracted, error) {
	newest, err := NewestVersion(ctx, s, d)
	if err != nil || newest == 0 {
		return nil, err
	}
	m, err := LoadManifest(ctx, s, d, newest)
	if err != nil {
		return nil, err
	}
	return m.Retracted, nil
}

// RefuseRetracted refuses a recipe that names a source that was retracted from its dataset, before anything is asked.
func RefuseRetracted(ctx context.Context, s store.Store, d store.Dataset, recipe *schema.Recipe) error {
	what, err := Retracted(ctx, s, d)
	if err != nil || what == nil {
		return err
	}
	var faults schema.Faults
	const mend = "leave it out; where it is meant to come back, publish it as a dataset of another name"
	for i, p := range recipe.Prompts {
		if slices.Contains(what.Sources, p.From) {
			faults = append(faults, recipe.At(fmt.Sprintf("prompts[%d].from", i), "was retracted from "+d.Name, mend))
		}
	}
	if a := recipe.Anchor; a != nil && slices.Contains(what.Sources, a.From) && recipe.Mix.Human > 0 {
		faults = append(faults, recipe.At("anchor.from", "was retracted from "+d.Name+", and mix would publish it", mend))
	}
	return faults.Err()
}

// refuseRetracted looks, before a commit, whether the run's own shards have what was retracted while it was under way. Ids of answers are a run's own, so
// single records come back as human rows alone.
func (r *Rooms) refuseRetracted(ctx context.Context, run store.Run, m *schema.Manifest) error {
	what := m.Retracted
	if what == nil {
		return nil
	}
	source := slices.ContainsFunc(m.Sources, func(s schema.ManifestSource) bool { return slices.Contains(what.Sources, s.From) })
	if !source && (len(what.Records) == 0 || m.Counts.Human == 0) {
		return nil
	}
	for _, s := range m.Shards {
		if s.Run != run.ID {
			continue
		}
		err := r.eachRecord(ctx, s, func(rec *schema.Record) error {
			if !matches(what, rec) {
				return nil
			}
			return &schema.Error{Kind: schema.KindHold, Code: "retracted", Op: "publish", Subject: run.ID, Cause: errors.New("it has record " + rec.ID + " of a source that was retracted from the dataset meanwhile, or that was retracted itself"),
				Hint: "Nothing was published. Cancel the run, and start it without that source."}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
