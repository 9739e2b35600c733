package activities

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Publish commits the run as the dataset's next version, and puts the card and croissant.json of the newest version after it.
func (r *Rooms) Publish(ctx context.Context, in schema.PublishInput) (schema.PublishResult, error) {
	got, err := r.publishVersion(ctx, in)
	if err != nil {
		return got, err
	}
	return got, r.paperFault(PutPapers(ctx, r.Store, r.run(in.RunRef).Dataset), r.run(in.RunRef))
}

// publishVersion commits: it reads every file of the run back (size, checksum), and puts the manifest
// if absent. That put is the commit. Where something stands there it reads it: if it is this run's own the run is
// published; if another's, it takes the next number with that as its parent.
func (r *Rooms) publishVersion(ctx context.Context, in schema.PublishInput) (schema.PublishResult, error) {
	run := r.run(in.RunRef)
	if err := r.mayWrite(run); err != nil {
		return schema.PublishResult{}, err
	}
	if !in.Counts.Reconciled() {
		return schema.PublishResult{}, &schema.Error{Kind: schema.KindFailed, Code: "counts", Op: "publish", Subject: run.ID,
			Cause: fmt.Errorf("planned %d is not admitted %d + rejected %d + failed %d + unasked %d", in.Counts.Planned, in.Counts.Admitted,
				in.Counts.RejectedTotal(), in.Counts.Failed, in.Counts.Unasked), Hint: "This is a bug; nothing was published."}
	}
	newest, err := NewestVersion(ctx, r.Store, run.Dataset)
	if err != nil {
		return schema.PublishResult{}, err
	}
	if got, ok, err := r.published(ctx, run, newest); ok || err != nil {
		return got, err
	}
	var m schema.Manifest
	var read *measured
	g, together := errgroup.WithContext(ctx)
	g.Go(func() (err error) { m, err = r.manifest(together, run, in); return err })
	g.Go(func() (err error) { read, err = r.measure(together, run); return err })
	if err := g.Wait(); err != nil {
		return schema.PublishResult{}, r.whyGone(ctx, run, err)
	}
	for parent := newest; ; parent++ {
		got, err := r.commit(ctx, run, m, parent, read)
		if !errors.Is(err, errAnother) {
			return got, r.whyGone(ctx, run, err)
		}
	}
}

// errAnother says that another run became this version.
var errAnother = errors.New("another run's version stands there")

// commit puts report and manifest of version parent+1.
func (r *Rooms) commit(ctx context.Context, run store.Run, own schema.Manifest, parent int, read *measured) (schema.PublishResult, error) {
	m := own
	m.Version, m.Parent = parent+1, parent
	if err := r.inherit(ctx, run, &m); err != nil {
		return schema.PublishResult{}, err
	}
	if err := r.putReport(ctx, run, &m, read); err != nil {
		return schema.PublishResult{}, err
	}
	return r.putVersion(ctx, run, &m) // where the number is another's, gc finds the report under it
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// mostBack is how many of the newest versions are looked at for the run's own: more publishers than that can't be at work at once.
const mostBack = 16

// published looks for a version that this run has become already, by an attempt that nobody heard of.
func (r *Rooms) published(ctx context.Context, run store.Run, newest int) (schema.PublishResult, bool, error) {
	for n := newest; n > max(0, newest-mostBack); n-- {
		body, err := r.Store.Get(ctx, run.Manifest(n))
		if err != nil {
			return schema.PublishResult{}, false, err
		}
		if ReadManifest(body).Run == run.ID {
			return schema.PublishResult{Version: n, Digest: digest(body)}, true, nil
		}
	}
	return r.publishedAs(ctx, run)
}

// publishedAs looks at the numbers that the run has claimed, however long ago.
func (r *Rooms) publishedAs(ctx context.Context, run store.Run) (schema.PublishResult, bool, error) {
	for in, err := range r.Store.List(ctx, run.Claims(), "") {
		if err != nil {
			return schema.PublishResult{}, false, err
		}
		n, ok := store.ClaimNumber(in.Key)
		if !ok {
			continue
		}
		body, err := r.Store.Get(ctx, run.Manifest(n))
		if notFound(err) {
			continue
		}
		if err != nil {
			return schema.PublishResult{}, false, err
		}
		if ReadManifest(body).Run == run.ID {
			return schema.PublishResult{Version: n, Digest: digest(body)}, true, nil
		}
	}
	return schema.PublishResult{}, false, nil
}

// NewestVersion returns the largest version number of a dataset, 0 where there is none.
func NewestVersion(ctx context.Context, s store.Store, d store.Dataset) (int, error) {
	newest := 0
	for in, err := range s.List(ctx, d.Versions(), "") {
		if err != nil {
			return 0, err
		}
		name := strings.TrimPrefix(in.Key, d.Versions())
		if n, err := strconv.Atoi(strings.TrimSuffix(name, ".json")); err == nil && strings.HasSuffix(name, ".json") {
			newest = max(newest, n)
		}
	}
	return newest, nil
}

// manifest collects what the run's own part of a version is, and checks every file on the way.
func (r *Rooms) manifest(ctx context.Context, run store.Run, in schema.PublishInput) (schema.Manifest, error) {
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return schema.Manifest{}, err
	}
	recipeText, err := r.Store.Get(ctx, run.RecipeText())
	if err != nil {
		return schema.Manifest{}, err
	}
	m := schema.Manifest{Format: schema.ManifestFormat, Dataset: in.Dataset, Run: run.ID, Recipe: digest(recipeText), Program: r.Program,
		Created: in.Created.UTC(), Description: recipe.Description, License: recipe.License, Layout: recipe.Output.Format,
		Counts: in.Counts, Cost: in.Cost, Generations: map[string]int64{}, Gate: gateOf(recipe.Recipe, &in)}
	if err := r.getJSON(ctx, run.Sources(), &m.Sources); err != nil {
		return m, err
	}
	if m.Releases, err = r.releases(ctx, run); err != nil {
		return m, err
	}
	if m.Warnings, err = r.servedWarnings(ctx, run); err != nil {
		return m, err
	}
	m.Warnings = append(m.Warnings, gateWarnings(m.Gate.Gates)...)
	seen, err := r.addFiles(ctx, run, &m)
	if err != nil {
		return m, err
	}
	addTeachers(&m, recipe, in.Teachers, seen)
	if err := r.checkRows(&m, seen.human); err != nil {
		return m, err
	}
	m.Merkle.Rejects, err = schema.ShardsRoot(m.Rejects)
	return m, err
}

// gateOf says how the run was judged; what is published in spite of a hold was released.
func gateOf(r *schema.Recipe, in *schema.PublishInput) schema.ManifestGate {
	v := in.Gate
	g := schema.ManifestGate{Verdict: v.State, Wealth: v.Wealth, Account: v.Account, Log: in.GateLog, Releases: in.Released, Gates: v.Gates}
	if v.State != "none" {
		g.Alpha = r.Gate.FalseAlarm
	}
	for _, gate := range v.Gates {
		g.AlphaSpent += gate.Alpha * float64(1+gate.Releases)
	}
	if v.State == quality.VerdictHold || in.Released > 0 {
		g.Verdict = "released"
	}
	return g
}

// gateWarnings say where a gate saw less than it should have, and what it saw outside of its α.
func gateWarnings(gates []schema.GateReading) (all []string) {
	for _, g := range gates {
		name := "gate against " + g.Against
		if g.Against == schema.AgainstVersion {
			name = fmt.Sprintf("gate against version %d", g.Version)
		}
		switch {
		case g.Against == schema.AgainstCeilings:
		case g.Records > 0 && g.Pairs == 0:
			all = append(all, fmt.Sprintf("%s: no answer could be compared: the anchor has none of the same source and language", name))
		case g.Unmatched > 0:
			all = append(all, fmt.Sprintf("%s: %d of %d answers were not compared, as the anchor has no text of their kind left", name, g.Unmatched, g.Records))
		}
		for _, rate := range g.Over {
			all = append(all, fmt.Sprintf("gate.ceilings.%s: the rate went above its ceiling (a healthy run shows this once in 20,000 answers or more)", rate))
		}
	}
	return all
}

// releases reads who let the run go on after each of its holds.
func (r *Rooms) releases(ctx context.Context, run store.Run) (all []schema.Release, err error) {
	for n := 1; ; n++ {
		var note schema.Release
		err := r.getJSON(ctx, run.Release(n), &note)
		if notFound(err) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, note)
	}
}

// seenTeachers is what the files say of the teachers: records admitted, and the names under which they answered.
type seenTeachers struct {
	admitted map[string]int64
	served   servedNames
	human    int64
}

// addFiles enters the run's files, each checked against what was written.
func (r *Rooms) addFiles(ctx context.Context, run store.Run, m *schema.Manifest) (seenTeachers, error) {
	seen := seenTeachers{admitted: map[string]int64{}, served: servedNames{}}
	var l layout
	if err := r.getJSON(ctx, run.Layout(), &l); err != nil {
		return seen, err
	}
	files, err := r.checkFiles(ctx, run, l.Files)
	if err != nil {
		return seen, err
	}
	for i := range files {
		w := &files[i]
		seen.served.add(w.Served)
		if l.Files[i].Split == rejectsSplit {
			m.Rejects = append(m.Rejects, w.Shard)
			continue
		}
		m.Shards = append(m.Shards, w.Shard)
		addCounts(m.Generations, w.Generations)
		addCounts(seen.admitted, w.Teachers)
		seen.human += w.Human
	}
	return seen, nil
}

// mostChecking bounds the files that are read back at once.
const mostChecking = 4

// checkFiles reads files back, each of which must be what was written.
func (r *Rooms) checkFiles(ctx context.Context, run store.Run, plans []filePlan) ([]written, error) {
	files := make([]written, len(plans))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(mostChecking)
	for i, f := range plans {
		g.Go(func() error {
			if err := r.getJSON(ctx, run.ShardStats(f.Name), &files[i]); err != nil {
				return err
			}
			return CheckFile(ctx, r.Store, files[i].Shard)
		})
	}
	return files, g.Wait()
}

func addCounts(to, from map[string]int64) {
	for k, n := range from {
		to[k] += n
	}
}

// addTeachers says which teachers answered, under which terms, what they said their name was, and what it cost.
func addTeachers(m *schema.Manifest, recipe *Recipe, counted []schema.TeacherStatus, seen seenTeachers) {
	for _, t := range counted {
		declared := recipe.teachers[t.Name]
		row := schema.ManifestTeacher{Name: t.Name, Model: declared.Model, Revision: declared.Revision, Served: sortedKeys(seen.served[t.Name]),
			Terms: declared.Terms, TrainedOn: declared.TrainedOn, Generation: declared.Generation, Requests: t.Answered, Reused: t.Reused, Admitted: seen.admitted[t.Name],
			InputTokens: t.Tokens.Input, OutputTokens: t.Tokens.Output}
		for _, n := range t.Failed {
			row.Requests += n
		}
		if declared.Price != nil {
			row.CostMicros = &t.Cost.Micros
		}
		m.Reused += t.Reused
		m.Teachers = append(m.Teachers, row)
	}
}

// CheckFile reads a file back and compares size and checksum.
func CheckFile(ctx context.Context, s store.Store, want schema.Shard) error {
	return copyFile(ctx, s, want, io.Discard)
}

// copyFile copies a file that must be what was written.
func copyFile(ctx context.Context, s store.Store, want schema.Shard, to io.Writer) error {
	body, err := s.Open(ctx, want.Key, "")
	if err != nil {
		return missing(want, err)
	}
	defer body.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(h, to), body)
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); n != want.Bytes || got != want.SHA256 {
		return &schema.Error{Kind: schema.KindFailed, Code: "shard_differs", Op: "check", Subject: want.URI,
			Cause: fmt.Errorf("%d bytes of sha256 %s stand there; %d bytes of %s were written", n, got, want.Bytes, want.SHA256),
			Hint:  "Something else wrote to this key, or the store lost data."}
	}
	return nil
}

// checkRows holds the files against the counts: admitted and human rows, and every reject, are there exactly.
func (r *Rooms) checkRows(m *schema.Manifest, human int64) error {
	var rows, rejects int64
	for _, s := range m.Shards {
		rows += s.Rows
	}
	for _, s := range m.Rejects {
		rejects += s.Rows
	}
	if rows == m.Counts.Admitted+m.Counts.Human && human == m.Counts.Human && rejects == m.Counts.RejectedTotal() {
		return nil
	}
	return &schema.Error{Kind: schema.KindFailed, Code: "counts", Op: "publish", Subject: m.Run, Cause: fmt.Errorf("the files have %d rows, %d of them human, and %d rejects; counted were %d admitted, %d human, %d rejected",
		rows, human, rejects, m.Counts.Admitted, m.Counts.Human, m.Counts.RejectedTotal()), Hint: "This is a bug; nothing was published."}
}

// inherit adds the parent's shards, so that a version lists all its files.
func (r *Rooms) inherit(ctx context.Context, run store.Run, m *schema.Manifest) error {
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return err
	}
	parent, err := r.chain(ctx, run.Dataset, m)
	if err != nil {
		return err
	}
	if parent != nil && recipe.Output.Previous == "keep" {
		if parent.Layout != m.Layout {
			return &schema.Error{Kind: schema.KindHold, Code: "format_differs", Op: "publish", Subject: m.Dataset,
				Cause: fmt.Errorf("version %d has shards of format %s, this run of %s", m.Parent, parent.Layout, m.Layout),
				Hint:  "One dataset has one schema: set output.format to the earlier one, or output.previous to supersede."}
		}
		m.Shards = append(append([]schema.Shard(nil), parent.Shards...), m.Shards...)
		generations := map[string]int64{}
		addCounts(generations, parent.Generations)
		addCounts(generations, m.Generations)
		m.Generations = generations
	}
	var all int64
	for _, n := range m.Generations {
		all += n
	}
	if all > 0 {
		m.HumanShare = float64(m.Generations["0"]) / float64(all)
	}
	if err := r.warnHuman(ctx, run, m); err != nil {
		return err
	}
	if err := r.refuseRetracted(ctx, run, m); err != nil {
		return err
	}
	m.Merkle.Records, err = schema.ShardsRoot(m.Shards)
	return err
}

// LoadManifest reads version n.
func LoadManifest(ctx context.Context, s store.Store, d store.Dataset, n int) (*schema.Manifest, error) {
	m, _, err := ManifestBytes(ctx, s, d, n)
	return m, err
}

// ManifestBytes reads version n, with its bytes as they stand there.
func ManifestBytes(ctx context.Context, s store.Store, d store.Dataset, n int) (*schema.Manifest, []byte, error) {
	body, err := s.Get(ctx, d.Manifest(n))
	if err != nil {
		return nil, nil, err
	}
	m := ReadManifest(body)
	if m.Format != schema.ManifestFormat {
		return nil, nil, &schema.Error{Kind: schema.KindFailed, Code: "manifest", Op: "read", Subject: d.URI(d.Manifest(n)),
			Cause: fmt.Errorf("format %q is not %q", m.Format, schema.ManifestFormat), Hint: "It was written by another version of Retort, or is damaged."}
	}
	return m, body, nil
}

// ReadManifest decodes a manifest; what is none has no format.
func ReadManifest(body []byte) *schema.Manifest {
	var m schema.Manifest
	if err := decode("manifest", bytes.TrimSpace(body), &m); err != nil {
		return &schema.Manifest{}
	}
	return &m
}
