package provenance

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
)

// million is a version of a million record hashes in 16 shards, signed, and the proof of one of them.
func million(t testing.TB) (*Proof, []byte) {
	t.Helper()
	const shards, rows = 16, 62_500
	record, err := schema.CanonicalRecord(schema.FormatText, &schema.Record{ID: "abc", Run: "r", Messages: []schema.Message{{Content: "a text"}}})
	if err != nil {
		t.Fatal(err)
	}
	own, err := schema.RecordHash(schema.FormatText, &schema.Record{ID: "abc", Run: "r", Messages: []schema.Message{{Content: "a text"}}})
	if err != nil {
		t.Fatal(err)
	}
	m := &schema.Manifest{Format: schema.ManifestFormat, Dataset: "d", Version: 1, Run: "r"}
	var mine [][32]byte
	for s := range shards {
		hashes := make([][32]byte, rows)
		tree := schema.NewTree()
		for i := range hashes {
			binary.BigEndian.PutUint64(hashes[i][:], uint64(s*rows+i))
			if s == 7 && i == 41_234 {
				hashes[i] = own
			}
			tree.Append(hashes[i])
		}
		if s == 7 {
			mine = hashes
		}
		m.Shards = append(m.Shards, schema.Shard{Key: fmt.Sprintf("d/data/train-r-%05d.parquet", s), URI: fmt.Sprintf("s3://b/d/data/train-r-%05d.parquet", s), Run: "r", Rows: rows,
			SHA256: strings.Repeat("0", 64), Root: fmt.Sprintf("%x", tree.Root())})
	}
	if m.Merkle.Records, err = schema.ShardsRoot(m.Shards); err != nil {
		t.Fatal(err)
	}
	body, err := schema.CanonicalManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := newKey(t)
	attestation, err := SignVersion(key, "k", m, body)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewProof(record, 7, mine, 41_234, []SignedManifest{{body, attestation}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Verify(PublicOf(key)); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return p, text
}

// A proof in a version of a million records is below 2 kB beside the record and the signed manifest.
func TestProofOfAMillionIsSmall(t *testing.T) {
	p, whole := million(t)
	inclusion, err := json.Marshal(p.Inclusion)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := p.Verify(); err != nil {
		t.Fatal(err)
	}
	t.Logf("inclusion proof %d bytes; the file with record, manifest, signature and lineage %d; checked in %v", len(inclusion), len(whole), time.Since(start))
	if len(inclusion) >= 2000 {
		t.Errorf("the inclusion proof has %d bytes", len(inclusion))
	}
}
