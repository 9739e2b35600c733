package activities

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// RetractionPrefix begins the run ids of retractions.
const RetractionPrefix = "retract-"

// RetractionRequest is what a person asks to be taken out: it stands in the retraction's folder before its workflow starts.
type RetractionRequest struct {
	schema.Retracted
	schema.Release        // who, when, why
	Program        string `json:"program"`
}

// Retract publishes a version without what the request names. Shards of the newest version that hold such records are written again
// without them, under the retraction's own name; all others are kept as they are. It may run twice, at once, or be killed anywhere: files
// and manifest are put if absent, and follow from the parent and the request.
func (r *Rooms) Retract(ctx context.Context, ref schema.RunRef) (schema.PublishResult, error) {
	got, err := r.retract(ctx, ref)
	if err != nil {
		return got, err
	}
	return got, r.paperFault(PutPapers(ctx, r.Store, r.run(ref).Dataset), r.run(ref))
}

func (r *Rooms) retract(ctx context.Context, ref schema.RunRef) (schema.PublishResult, error) {
	run := r.run(ref)
	if err := r.mayWrite(run); err != nil {
		return schema.PublishResult{}, err
	}
	var req RetractionRequest
	if err := r.getJSON(ctx, run.Retraction(), &req); err != nil {
		return schema.PublishResult{}, err
	}
	newest, err := NewestVersion(ctx, r.Store, run.Dataset)
	if err != nil {
		return schema.PublishResult{}, err
	}
	if got, ok, err := r.published(ctx, run, newest); ok || err != nil {
		return got, err
	}
	w := &retraction{rooms: r, run: run, req: &req, sums: map[string]*taken{}}
	for parent := newest; ; parent++ {
		m, err := w.manifest(ctx, parent)
		if err != nil {
			return schema.PublishResult{}, r.whyGone(ctx, run, err)
		}
		got, err := r.putVersion(ctx, run, m)
		if !errors.Is(err, errAnother) {
			return got, r.whyGone(ctx, run, err)
		}
	}
}

// retraction makes one version without some records.
type retraction struct {
	rooms *Rooms
	run   store.Run
	req   *RetractionRequest
	sums  map[string]*taken // by key of the shard
}

// taken is what a shard holds of what is retracted; it stands on S3 under the shard's digest, so that a retry reads no shard again.
type taken struct {
	Removed     int64            `json:"removed"`
	Generations map[string]int64 `json:"generations,omitempty"` // of the removed records
}

// matches says whether a record is retracted.
func matches(what *schema.Retracted, rec *schema.Record) bool {
	return slices.Contains(what.Sources, rec.Source) || slices.Contains(what.Records, rec.ID)
}

// manifest makes the version on top of parent.
func (w *retraction) manifest(ctx context.Context, parent int) (*schema.Manifest, error) {
	if parent == 0 {
		return nil, w.nothing("the dataset has no version")
	}
	m := &schema.Manifest{Format: schema.ManifestFormat, Dataset: w.run.Name, Version: parent + 1, Parent: parent, Run: w.run.ID, Program: w.req.Program,
		Created: w.req.When.UTC(), Counts: schema.Counts{Rejected: map[string]int64{}}, Gate: schema.ManifestGate{Verdict: "none"}}
	old, err := w.rooms.chain(ctx, w.run.Dataset, m)
	if err != nil {
		return nil, err
	}
	m.Description, m.License, m.Layout, m.Recipe, m.Warnings = old.Description, old.License, old.Layout, old.Recipe, old.Warnings
	m.Teachers, m.Generations = old.Teachers, maps.Clone(old.Generations)
	m.Sources = slices.DeleteFunc(slices.Clone(old.Sources), func(s schema.ManifestSource) bool { return slices.Contains(w.req.Sources, s.From) })
	m.Retraction = &schema.Retraction{Retracted: w.req.Retracted, Who: w.req.Who, When: w.req.When, Why: w.req.Why, Replaced: []schema.ReplacedShard{}, Versions: []int{}, Students: []schema.AttestedReader{}}
	m.Retracted = joined(old.Retracted, &w.req.Retracted)
	if err := w.shards(ctx, old, m); err != nil {
		return nil, err
	}
	if err := w.readers(ctx, m); err != nil {
		return nil, err
	}
	if len(m.Retraction.Versions) == 0 {
		return nil, w.nothing("no version has such a record")
	}
	w.shares(m)
	if m.Merkle.Records, err = schema.ShardsRoot(m.Shards); err == nil {
		m.Merkle.Rejects, err = schema.ShardsRoot(nil)
	}
	return m, err
}

func (w *retraction) nothing(why string) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "nothing_to_retract", Op: "retract from", Subject: w.run.Name, Cause: errors.New(why),
		Hint: "Sources are named as in the column source, records by their column id; see: retort --json show " + w.run.Name}
}

// joined is what was retracted before, and what is now; each once, in order.
func joined(before, now *schema.Retracted) *schema.Retracted {
	all := &schema.Retracted{Sources: slices.Clone(now.Sources), Records: slices.Clone(now.Records)}
	if before != nil {
		all.Sources, all.Records = append(all.Sources, before.Sources...), append(all.Records, before.Records...)
	}
	for _, list := range []*[]string{&all.Sources, &all.Records} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return all
}

// shards enters the parent's shards, those with retracted records without them.
func (w *retraction) shards(ctx context.Context, old, m *schema.Manifest) error {
	m.Shards = []schema.Shard{}
	beat := beatOf(ctx)
	beat.start(len(old.Shards), 0)
	for i, s := range old.Shards {
		t, err := w.taken(ctx, s)
		if err != nil {
			return err
		}
		beat.done.Add(1)
		if t.Removed == 0 {
			m.Shards = append(m.Shards, s)
			continue
		}
		replaced := schema.ReplacedShard{Key: s.Key, Rows: s.Rows, Removed: t.Removed}
		if t.Removed < s.Rows {
			rest, err := w.rest(ctx, m.Layout, s, old.Version*100_000+i, s.Rows-t.Removed)
			if err != nil {
				return err
			}
			m.Shards, replaced.By = append(m.Shards, rest), rest.Key
		}
		m.Retraction.Replaced = append(m.Retraction.Replaced, replaced)
		m.Retraction.Removed += t.Removed
		for g, n := range t.Generations {
			if m.Generations[g] -= n; m.Generations[g] == 0 {
				delete(m.Generations, g)
			}
		}
	}
	return nil
}

// taken counts what a shard holds.
func (w *retraction) taken(ctx context.Context, s schema.Shard) (*taken, error) {
	if t := w.sums[s.Key]; t != nil {
		return t, nil
	}
	key, t := w.run.ShardStats("taken-"+s.SHA256), &taken{Generations: map[string]int64{}}
	err := w.rooms.getJSON(ctx, key, t)
	if notFound(err) {
		if err = w.rooms.eachRecord(ctx, s, func(rec *schema.Record) error {
			if matches(&w.req.Retracted, rec) {
				t.Removed++
				t.Generations[generation(rec.Generation)]++
			}
			return nil
		}); err == nil {
			err = w.rooms.putJSON(ctx, key, t, nil)
		}
	}
	w.sums[s.Key] = t
	return t, err
}

// rest writes a shard again without the retracted records.
func (w *retraction) rest(ctx context.Context, layout string, s schema.Shard, number int, rows int64) (schema.Shard, error) {
	key := w.run.Shard(s.Split, w.run.ID, number)
	stats, done := w.run.ShardStats(fileName(s.Split, number)), written{}
	if err := w.rooms.getJSON(ctx, stats, &done); err == nil || !notFound(err) {
		if err == nil {
			err = CheckFile(ctx, w.rooms.Store, done.Shard)
		}
		return done.Shard, err
	}
	f, err := w.rooms.scratchFile("shard-*.parquet")
	if err != nil {
		return done.Shard, err
	}
	defer f.end()
	spill, err := w.rooms.scratchFile("pages-*")
	if err != nil {
		return done.Shard, err
	}
	defer spill.end()
	out, err := schema.NewShardWriter(f, schema.ShardOptions{Format: layout, Run: w.run.ID, Spill: spill})
	if err != nil {
		return done.Shard, err
	}
	defer out.Abandon()
	if err := w.rooms.eachRecord(ctx, s, func(rec *schema.Record) error {
		if matches(&w.req.Retracted, rec) {
			return nil
		}
		return out.Write(rec)
	}); err != nil {
		return done.Shard, err
	}
	st, err := out.Close()
	if err != nil {
		return done.Shard, err
	}
	if st.Rows != rows {
		return done.Shard, broken(s.Key, fmt.Errorf("%d rows remain of it, counted were %d", st.Rows, rows))
	}
	done.Shard = schema.Shard{URI: w.run.URI(key), Key: key, Split: s.Split, Run: w.run.ID, Rows: st.Rows, Bytes: st.Bytes, SHA256: st.SHA256, Root: st.Root}
	if err := w.rooms.Store.PutFileNew(ctx, key, f, st.Bytes); err != nil && !errors.Is(err, store.ErrExists) {
		return done.Shard, err
	}
	if err := CheckFile(ctx, w.rooms.Store, done.Shard); err != nil { // what another attempt wrote is equal
		return done.Shard, err
	}
	return done.Shard, w.rooms.putJSON(ctx, stats, done, nil)
}

// shares computes what follows from the generations.
func (w *retraction) shares(m *schema.Manifest) {
	var all int64
	for _, n := range m.Generations {
		all += n
	}
	if all > 0 {
		m.HumanShare = float64(m.Generations["0"]) / float64(all)
	}
}

// eachRecord reads a shard, through a scratch file, and refuses one that isn't what its manifest says.
func (r *Rooms) eachRecord(ctx context.Context, s schema.Shard, do func(*schema.Record) error) error {
	f, err := r.scratchFile("read-*.parquet")
	if err != nil {
		return err
	}
	defer f.end()
	if err := copyFile(ctx, r.Store, s, f); err != nil {
		return err
	}
	for rec, err := range schema.ReadRecords(f, s.Bytes) {
		if err == nil {
			err = do(rec)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
