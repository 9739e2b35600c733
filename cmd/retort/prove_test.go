package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// A record of a kept shard is proved in the newest version, and its lineage leads to the version whose run made it. The proof holds
// without a store, and fails against another key.
func TestProve(t *testing.T) {
	s := newShelf(t)
	for n, run := range []string{"r1", "r2", "r3"} {
		s.publish(n+1, run)
	}
	file := filepath.Join(s.dir, "proof.json")
	id := s.record("r1", 13).ID
	if out, status := s.do("prove", "d", id, "-o", file); status != 0 || !strings.Contains(out, "d@1, run r1") || !strings.Contains(out, "source-1.jsonl") || !strings.Contains(out, "Apache-2.0") {
		t.Fatalf("status %d: %s", status, out)
	}
	s.store = store.NewMemory("empty")
	if out, status := s.do("verify", "--proof", file, "--key", s.public); status != 0 || !strings.Contains(out, "d@3") {
		t.Errorf("status %d: %s", status, out)
	}
	_, other := s.newKey("other")
	if out, status := s.do("verify", "--proof", file, "--key", other); status != 1 || !strings.Contains(out, "signed by another key") {
		t.Errorf("status %d: %s", status, out)
	}
	if out, status := s.do("verify", "--proof", file); status != 0 || !strings.Contains(out, "Nobody's signature was checked") {
		t.Errorf("status %d: %s", status, out)
	}
	if out, status := s.do("verify", "--proof", s.public); status != 2 || !strings.Contains(out, "no proof") {
		t.Errorf("status %d: %s", status, out)
	}
	if _, status := s.do("verify"); status != 2 {
		t.Error("verify without anything")
	}
}

func TestProveNothing(t *testing.T) {
	s := newShelf(t)
	s.publish(1, "r1")
	if out, status := s.do("prove", "d@1", "0000"); status != 2 || !strings.Contains(out, "no record of that id") {
		t.Errorf("status %d: %s", status, out)
	}
}

// Lineage goes back through the generations: a source that is a shard of a dataset, and a teacher that was trained on one.
func TestLineageThroughGenerations(t *testing.T) {
	s := newShelf(t)
	child := s.d
	s.d = store.NewDataset("bucket", "p", "ground")
	s.publish(1, "g1")
	ground := s.publish(2, "g2")
	own := s.key
	theirs, theirPublic := s.newKey("theirs")
	s.d, s.key = store.NewDataset("bucket", "p", "team/middle"), theirs
	s.publish(1, "m1", func(m *schema.Manifest) {
		m.Sources[0].Files = []schema.PinnedFile{{Name: "x", Bucket: "bucket", Key: ground.Shards[3].Key, ETag: "e"}, {Name: "y", Bucket: "bucket", Key: ground.Shards[2].Key, ETag: "e"}}
	})
	s.d, s.key = child, own
	s.publish(1, "r1", func(m *schema.Manifest) {
		m.Teachers[0].TrainedOn = []string{"team/middle@1", "elsewhere@4"}
		m.Sources[1].Files = []schema.PinnedFile{{Name: "z", Bucket: "bucket", Key: ground.Shards[0].Key, ETag: "e"}}
	})
	out, status := s.do("--json", "prove", "d@1", s.record("r1", 1).ID)
	if status != 0 {
		t.Fatal(out)
	}
	var p provenance.Proof
	s.must(json.Unmarshal([]byte(out), &p))
	v := p.Lineage.Published
	if len(v.Parents) != 2 || v.Parents[0].Via != "source" || v.Parents[0].Dataset != "ground" || v.Parents[0].Version != 1 ||
		v.Parents[1].Via != "teacher" || v.Parents[1].Dataset != "team/middle" || len(v.Unresolved) != 1 || v.Unresolved[0] != "teacher elsewhere@4" {
		t.Fatalf("%s", out)
	}
	if under := v.Parents[1].Parents; len(under) != 1 || under[0].Dataset != "ground" || under[0].Version != 2 {
		t.Errorf("%+v", under)
	}
	if _, err := p.Verify(provenance.PublicOf(own), provenance.PublicOf(theirs)); err != nil {
		t.Error(err)
	}
	s.must(os.WriteFile(filepath.Join(s.dir, "proof.json"), []byte(out), 0o600))
	if got, status := s.do("verify", "--proof", filepath.Join(s.dir, "proof.json"), "--key", s.public, "--key", theirPublic); status != 0 || !strings.Contains(got, "by one of the given keys") {
		t.Errorf("status %d: %s", status, got)
	}
	if _, err := p.Verify(provenance.PublicOf(own)); !errors.Is(err, provenance.ErrAnotherKey) {
		t.Errorf("the key of one of the two teams: %v", err)
	}
}

// Whatever is changed in a proof, it doesn't hold any more, and says why.
func TestProofsThatDontHold(t *testing.T) {
	s := newShelf(t)
	s.publish(1, "r1")
	s.publish(2, "r2")
	file := filepath.Join(s.dir, "proof.json")
	if out, status := s.do("prove", "d", s.record("r1", 3).ID, "-o", file); status != 0 {
		t.Fatal(out)
	}
	good, err := os.ReadFile(file)
	s.must(err)
	for name, c := range map[string]struct {
		change func(p *provenance.Proof)
		says   string
	}{
		"the record": {func(p *provenance.Proof) {
			p.Record = json.RawMessage(strings.Replace(string(p.Record), "answer 3", "answer 4", 1))
		}, "the record was changed"},
		"another row":      {func(p *provenance.Proof) { p.Inclusion.Row++ }, "not in the shard"},
		"another shard":    {func(p *provenance.Proof) { p.Inclusion.Shard++ }, "another root"},
		"fewer shards":     {func(p *provenance.Proof) { p.Inclusion.Shards-- }, "the manifest has 4"},
		"a path":           {func(p *provenance.Proof) { p.Inclusion.Path[0][5] ^= 1 }, "not in the shard"},
		"the shards' path": {func(p *provenance.Proof) { p.Inclusion.ShardsPath[0][5] ^= 1 }, "not in the version"},
		"a path of garbage": {func(p *provenance.Proof) {
			p.Inclusion.Path = [][]byte{{1}}
		}, "not in the shard"},
		"the manifest": {func(p *provenance.Proof) {
			p.Versions[0].Manifest = json.RawMessage(strings.Replace(string(p.Versions[0].Manifest), `"mit"`, `"cc0"`, 1))
		}, "names another manifest"},
		"the earlier manifest": {func(p *provenance.Proof) {
			p.Versions[1].Manifest = json.RawMessage(strings.Replace(string(p.Versions[1].Manifest), `"mit"`, `"cc0"`, 1))
		}, "names another manifest"},
		"no attestation":                 {func(p *provenance.Proof) { p.Versions[0].Attestation = json.RawMessage("null") }, "not signed"},
		"no manifest":                    {func(p *provenance.Proof) { p.Versions = nil }, "no manifest"},
		"its version":                    {func(p *provenance.Proof) { p.Version = 1 }, "is said to be of d@1"},
		"its lineage":                    {func(p *provenance.Proof) { p.Lineage.Teacher.Terms.Training = "forbidden" }, "lineage isn't the one"},
		"no lineage":                     {func(p *provenance.Proof) { p.Lineage = nil }, "lineage isn't the one"},
		"without the version of its run": {func(p *provenance.Proof) { p.Versions = p.Versions[:1] }, "which made the record"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := provenance.ParseProof(good)
			s.must(err)
			c.change(p)
			if _, err := p.Verify(provenance.PublicOf(s.key)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

// FuzzProof: a stranger's file is an error at worst.
func FuzzProof(f *testing.F) {
	f.Add([]byte(`{"format":"retort/proof/1","record":{"id":"x","run":"r"},"versions":[{"manifest":{"format":"retort/manifest/1","shards":[{}]},"attestation":null}]}`))
	f.Add([]byte(`{"format":"retort/proof/1","inclusion":{"shards":18446744073709551615,"rows":18446744073709551615}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := provenance.ParseProof(b); err == nil {
			p.Verify() //nolint:errcheck // it must not panic
		}
	})
}
