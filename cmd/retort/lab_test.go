package main

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// shelf is a dataset in memory with versions that were signed, as Publish leaves them, and commands over it.
type shelf struct {
	t      testing.TB
	store  *store.Memory
	d      store.Dataset
	dir    string
	key    ed25519.PrivateKey
	public string // file of the public key
}

func newShelf(t testing.TB) *shelf {
	t.Helper()
	s := &shelf{t: t, store: store.NewMemory("bucket"), d: store.NewDataset("bucket", "p", "d"), dir: t.TempDir()}
	s.key, s.public = s.newKey("own")
	return s
}

func (s *shelf) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) newKey(name string) (ed25519.PrivateKey, string) {
	s.t.Helper()
	private, public, err := provenance.NewKey()
	s.must(err)
	key, err := provenance.ParsePrivateKey(name, string(private))
	s.must(err)
	file := filepath.Join(s.dir, name+".pub.pem")
	s.must(os.WriteFile(file, public, 0o600))
	s.must(os.WriteFile(filepath.Join(s.dir, name+".pem"), private, 0o600))
	return key, file
}

// do runs a command line over the shelf, and returns what it printed and its exit status.
func (s *shelf) do(args ...string) (string, int) {
	s.t.Helper()
	var out bytes.Buffer
	status := runWith(args, &out, &out, func(a *app) {
		a.objects = s.store
		a.config = &schema.Config{Store: schema.StoreConfig{Bucket: "bucket", Prefix: "p"}, Dir: s.dir}
	})
	return out.String(), status
}

func (s *shelf) record(run string, i int) *schema.Record {
	return &schema.Record{ID: schema.RecordID(run, fmt.Sprint(i)), Generation: 1, Origin: schema.OriginGenerated, Source: fmt.Sprintf("source-%d.jsonl", i%2),
		SourceLicense: "mit", Teacher: "tester", Model: "m", PromptID: fmt.Sprintf("p%d", i), RequestID: fmt.Sprint(i), Run: run, ClusterSize: 1,
		Signals:  []schema.Signal{{Name: "words", Value: float64(i)}},
		Messages: []schema.Message{{Role: "user", Content: fmt.Sprintf("question %d", i)}, {Role: "assistant", Content: fmt.Sprintf("answer %d of %s", i, run)}}}
}

// shard writes a shard of n records of a run and returns its entry; rows begin at from.
func (s *shelf) shard(run string, number, from, n int) schema.Shard {
	s.t.Helper()
	var b bytes.Buffer
	w, err := schema.NewShardWriter(&b, schema.ShardOptions{Format: schema.FormatMessages, Run: run})
	s.must(err)
	for i := range n {
		s.must(w.Write(s.record(run, from+i)))
	}
	st, err := w.Close()
	s.must(err)
	key := s.d.Shard("train", run, number)
	s.must(s.store.Put(s.t.Context(), key, b.Bytes()))
	return schema.Shard{URI: s.d.URI(key), Key: key, Split: "train", Run: run, Rows: st.Rows, Bytes: st.Bytes, SHA256: st.SHA256, Root: st.Root}
}

// publish puts a signed version of a run with two shards of ten records, on top of the one before.
func (s *shelf) publish(n int, run string, change ...func(*schema.Manifest)) *schema.Manifest {
	s.t.Helper()
	m := &schema.Manifest{Format: schema.ManifestFormat, Dataset: s.d.Name, Version: n, Parent: n - 1, Run: run, Recipe: strings.Repeat("ab", 32), Program: "test",
		Created: time.Unix(1e9, 0).UTC(), Layout: schema.FormatMessages, Counts: schema.Counts{Planned: 20, Admitted: 20, Rejected: map[string]int64{}},
		Shards: []schema.Shard{}, Teachers: []schema.ManifestTeacher{{Name: "tester", Model: "m", Terms: schema.Terms{Training: "allowed", License: "Apache-2.0"}, Requests: 20, Admitted: 20}},
		Sources: []schema.ManifestSource{{From: "source-0.jsonl", License: "mit", Origin: "human", Role: "prompts", Files: []schema.PinnedFile{{Name: "source-0.jsonl", Bucket: "bucket", Key: "k", ETag: "e", Bytes: 1}}},
			{From: "source-1.jsonl", License: "mit", Origin: "human", Role: "prompts"}},
		Generations: map[string]int64{}, Gate: schema.ManifestGate{Verdict: "none"}}
	if n > 1 {
		body, err := s.store.Get(s.t.Context(), s.d.Manifest(n-1))
		s.must(err)
		m.ParentDigest = provenance.Digest(body)
		m.Shards = append(m.Shards, s.manifest(n-1).Shards...)
	}
	m.Shards = append(m.Shards, s.shard(run, 0, 0, 10), s.shard(run, 1, 10, 10))
	m.Generations["1"] = int64(10 * len(m.Shards))
	for _, c := range change {
		c(m)
	}
	s.put(m)
	return m
}

// put signs and puts a manifest as it is, in place of what stands there.
func (s *shelf) put(m *schema.Manifest) {
	s.t.Helper()
	var err error
	m.Merkle.Records, err = schema.ShardsRoot(m.Shards)
	s.must(err)
	m.Merkle.Rejects, err = schema.ShardsRoot(m.Rejects)
	s.must(err)
	body, err := schema.CanonicalManifest(m)
	s.must(err)
	signed, err := provenance.SignVersion(s.key, s.d.Manifest(m.Version), m, body)
	s.must(err)
	s.must(s.store.Put(s.t.Context(), s.d.Attestation(provenance.Digest(body)), signed))
	s.must(s.store.Put(s.t.Context(), s.d.Manifest(m.Version), body))
}

func (s *shelf) manifest(n int) *schema.Manifest {
	s.t.Helper()
	body := s.get(s.d.Manifest(n))
	m := &schema.Manifest{}
	s.must(unmarshal(body, m))
	return m
}

func (s *shelf) get(key string) []byte {
	s.t.Helper()
	body, err := s.store.Get(s.t.Context(), key)
	s.must(err)
	return body
}

func (s *shelf) set(key string, body []byte) {
	s.t.Helper()
	s.must(s.store.Put(s.t.Context(), key, body))
}
