package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// ProveCmd proves that a record stands in a version.
type ProveCmd struct {
	Dataset string `arg:"" help:"DATASET or DATASET@N; the newest version where @N is left out." placeholder:"DATASET[@N]"`
	Record  string `arg:"" help:"The record's id, as in its column id." placeholder:"RECORD"`
	Output  string `short:"o" help:"Write the proof to this file; anybody checks it with: retort verify --proof FILE --key PUBLIC." placeholder:"FILE" type:"path"`
}

// Run finds the record, and prints where it comes from; the proof holds by itself, without S3.
func (c *ProveCmd) Run(a *app) error {
	d, n, m, body, err := a.versionBytes(c.Dataset)
	if err != nil {
		return err
	}
	at, err := a.findRecord(m, c.Record)
	if err != nil {
		return err
	}
	if at == nil {
		return &schema.Error{Kind: schema.KindInvalid, Code: "no_record", Op: "prove", Subject: c.Record, Cause: fmt.Errorf("%s@%d has no record of that id", d.Name, n), Hint: "Ids stand in the column id; see: retort --json show " + c.Dataset}
	}
	versions, err := a.lineageVersions(d, m, body, at.record)
	if err != nil {
		return err
	}
	p, err := provenance.NewProof(at.canonical, at.shard, at.hashes, at.row, versions)
	if err != nil {
		return err
	}
	if _, err := p.Verify(); err != nil {
		return &schema.Error{Kind: schema.KindFailed, Code: "proof", Op: "prove", Subject: c.Record, Cause: err, Hint: "The version was tampered with or damaged. See: retort verify " + c.Dataset}
	}
	if c.Output != "" {
		text, err := json.MarshalIndent(p, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Output, append(text, '\n'), 0o644); err != nil {
			return unwritable(c.Output, err)
		}
	}
	if a.json {
		return a.printJSON(p)
	}
	a.printProof(p, m)
	if c.Output != "" {
		a.printf("Wrote %s. Anybody checks it, without this store, with: retort verify --proof %s --key PUBLIC-KEY\n", c.Output, c.Output)
	}
	return nil
}

// foundRecord is a record's place in a version.
type foundRecord struct {
	record     *schema.Record
	canonical  []byte
	shard, row int
	hashes     [][32]byte // of the whole shard
}

// findRecord reads shards, the newest first, until one has the record.
func (a *app) findRecord(m *schema.Manifest, id string) (*foundRecord, error) {
	for i := len(m.Shards) - 1; i >= 0; i-- {
		found, err := a.findInShard(m, i, id)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Shards[i].URI, err)
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, nil
}

func (a *app) findInShard(m *schema.Manifest, shard int, id string) (found *foundRecord, err error) {
	f, n, _, err := a.fetch(m.Shards[shard].Key)
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // scratch
	defer f.Close()
	var hashes [][32]byte
	for r, err := range schema.ReadRecords(f, n) {
		if err != nil {
			return nil, err
		}
		hash, err := schema.RecordHash(m.Layout, r)
		if err != nil {
			return nil, err
		}
		if r.ID == id && found == nil {
			canonical, err := schema.CanonicalRecord(m.Layout, r)
			if err != nil {
				return nil, err
			}
			found = &foundRecord{record: r, canonical: canonical, shard: shard, row: len(hashes)}
		}
		hashes = append(hashes, hash)
	}
	if found != nil {
		found.hashes = hashes
	}
	return found, nil
}

// lineageVersions gathers the manifests that a record's lineage leads to: the version's own first.
func (a *app) lineageVersions(d store.Dataset, m *schema.Manifest, body []byte, r *schema.Record) ([]provenance.SignedManifest, error) {
	g := &gathering{a: a, have: map[string]bool{}}
	if err := g.add(d, body); err != nil {
		return nil, err
	}
	home, homeBody, err := a.versionOfRun(d, m, r.Run)
	if err != nil {
		return nil, err
	}
	if home != m {
		if err := g.add(d, homeBody); err != nil {
			return nil, err
		}
	}
	return g.out, g.follow(provenance.Links(home, r.Source, r.Teacher))
}

// versionOfRun goes back from a version to the one that a run became.
func (a *app) versionOfRun(d store.Dataset, m *schema.Manifest, run string) (*schema.Manifest, []byte, error) {
	var body []byte
	for m.Run != run {
		if m.Parent == 0 || m.Parent >= m.Version {
			return nil, nil, &schema.Error{Kind: schema.KindFailed, Code: "no_version", Op: "look up", Subject: "run " + run, Cause: errors.New("none of the versions before has it")}
		}
		var err error
		if m, body, err = activities.ManifestBytes(a.ctx, a.objects, d, m.Parent); err != nil {
			return nil, nil, err
		}
	}
	return m, body, nil
}

// mostVersions bounds how many manifests a proof carries.
const mostVersions = 256

// gathering collects manifests with their attestations, each once.
type gathering struct {
	a    *app
	out  []provenance.SignedManifest
	have map[string]bool
}

func (g *gathering) add(d store.Dataset, body []byte) error {
	g.have[provenance.Digest(body)] = true
	attestation, err := activities.Attestation(g.a.ctx, g.a.objects, d, body)
	if err != nil {
		return err
	}
	if attestation == nil {
		attestation = []byte("null")
	}
	g.out = append(g.out, provenance.SignedManifest{Manifest: body, Attestation: bytes.TrimSpace(attestation)})
	return nil
}

// follow goes from datasets to those they were made from. What isn't in this store stays unresolved, and the lineage says so.
func (g *gathering) follow(links []provenance.Link) error {
	for len(links) > 0 && len(g.out) < mostVersions {
		l := links[0]
		links = links[1:]
		d, m, body, err := g.a.resolve(l)
		if err != nil {
			return err
		}
		if m == nil || g.have[provenance.Digest(body)] {
			continue
		}
		if err := g.add(d, body); err != nil {
			return err
		}
		links = append(links, provenance.Links(m, "", "")...)
	}
	return nil
}

// resolve finds the version that a link leads to; nil where this store doesn't have it.
func (a *app) resolve(l provenance.Link) (store.Dataset, *schema.Manifest, []byte, error) {
	if l.Shard == "" {
		d, err := a.dataset(l.Dataset)
		if err != nil {
			return d, nil, nil, err
		}
		m, body, err := activities.ManifestBytes(a.ctx, a.objects, d, l.Version)
		if errors.Is(err, store.ErrNotFound) {
			return d, nil, nil, nil
		}
		return d, m, body, err
	}
	bucket, key, _ := schema.SplitS3(l.Shard)
	folder, ok := provenance.DatasetOf(key)
	d := store.NewDataset(bucket, "", folder)
	if !ok || bucket != a.objects.Bucket() {
		return d, nil, nil, nil
	}
	newest, err := activities.NewestVersion(a.ctx, a.objects, d)
	if err != nil {
		return d, nil, nil, err
	}
	for n := 1; n <= newest; n++ {
		m, body, err := activities.ManifestBytes(a.ctx, a.objects, d, n)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return d, nil, nil, err
		}
		if l.Listed(m) {
			return d, m, body, nil
		}
	}
	return d, nil, nil, nil
}

// printProof tells a person where a record comes from.
func (a *app) printProof(p *provenance.Proof, m *schema.Manifest) {
	l, in := p.Lineage, p.Inclusion
	a.printf("Record %s stands in %s@%d: row %d of %d of shard %d of %d.\n", l.ID, p.Dataset, p.Version, in.Row+1, in.Rows, in.Shard+1, in.Shards)
	a.printf("  shard      %s\n  hash       %s\n", m.Shards[in.Shard].URI, in.Record)
	a.printf("  origin     %s, generation %s\n", l.Origin, generationText(l.Generation))
	if t := l.Teacher; t != nil {
		a.printf("  teacher    %s: %s, revision %s, terms %s (%s)\n", t.Name, t.Model, orNone(t.Revision), t.Terms.License, t.Terms.Source)
	}
	for _, s := range l.Sources {
		a.printf("  source     %s, %s, licence %s, %d pinned files\n", s.From, s.Origin, s.License, len(s.Files))
	}
	if l.Prompt != "" {
		a.printf("  prompt     %s\n", l.Prompt)
	}
	a.printAncestor(l.Published, "  ")
}

func (a *app) printAncestor(v provenance.Ancestor, indent string) {
	a.printf("%s%-10s %s@%d, run %s of %s, recipe %.16s, manifest %.16s\n", indent, v.Via, v.Dataset, v.Version, v.Run, v.Created.Format(time.DateOnly), v.Recipe, v.Manifest)
	for _, u := range v.Unresolved {
		a.printf("%s  unresolved %s\n", indent, u)
	}
	for _, parent := range v.Parents {
		a.printAncestor(parent, indent+"  ")
	}
}

func generationText(g *int32) string {
	if g == nil {
		return "unknown"
	}
	return fmt.Sprint(*g)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
