package provenance

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gowebpki/jcs"

	"github.com/retort-data/retort/schema"
)

// ProofFormat names the form of a proof.
const ProofFormat = "retort/proof/1"

// Proof shows that a record stands in a version, and where it comes from, to somebody who has neither the dataset nor Retort's store. Everything
// that it claims follows from the record, the paths, and the signed manifests.
type Proof struct {
	Format    string             `json:"format"`
	Dataset   string             `json:"dataset"`
	Version   int                `json:"version"`
	Record    json.RawMessage    `json:"record"` // its columns; sha256 of them as canonical JSON is the record hash
	Inclusion schema.RecordProof `json:"inclusion"`
	Versions  []SignedManifest   `json:"versions"` // the version; then those that its lineage names
	Lineage   *Lineage           `json:"lineage"`
}

// SignedManifest is a manifest with its attestation, null where it wasn't signed.
type SignedManifest struct {
	Manifest    json.RawMessage `json:"manifest"`
	Attestation json.RawMessage `json:"attestation"`
}

// opened is a manifest that was read and checked.
type opened struct {
	manifest schema.Manifest
	digest   string
}

// NewProof makes the proof for a row of a version's shard, given the hashes of that shard's records. versions begins with the version
// itself; the others are those that the lineage leads to.
func NewProof(record []byte, shard int, hashes [][32]byte, row int, versions []SignedManifest) (*Proof, error) {
	all, err := openAll(versions)
	if err != nil {
		return nil, err
	}
	m := &all[0].manifest
	inclusion, err := schema.ProveRecord(m.Shards, shard, hashes, row)
	if err != nil {
		return nil, err
	}
	p := &Proof{Format: ProofFormat, Dataset: m.Dataset, Version: m.Version, Record: record, Inclusion: *inclusion, Versions: versions}
	p.Lineage, err = lineageOf(record, all)
	return p, err
}

func openAll(versions []SignedManifest) ([]opened, error) {
	if len(versions) == 0 {
		return nil, errors.New("there is no manifest in it")
	}
	all := make([]opened, len(versions))
	for i, v := range versions {
		body, err := jcs.Transform(v.Manifest)
		if err == nil {
			err = json.Unmarshal(body, &all[i].manifest)
		}
		if err == nil && all[i].manifest.Format != schema.ManifestFormat {
			err = fmt.Errorf("its format is %.60q", all[i].manifest.Format)
		}
		if err != nil {
			return nil, fmt.Errorf("manifest %d is none: %w", i+1, err)
		}
		all[i].digest = Digest(body)
	}
	return all, nil
}

// ParseProof reads a proof and checks nothing.
func ParseProof(b []byte) (*Proof, error) {
	var p Proof
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, fmt.Errorf("it is no proof: %w", err)
	}
	if p.Format != ProofFormat {
		return nil, fmt.Errorf("it is no proof: its format is %.60q, not %q", p.Format, ProofFormat)
	}
	return &p, nil
}

// Verify checks a proof whole and returns the version's manifest. A nil key checks all but the signatures. The error says what doesn't hold.
func (p *Proof) Verify(keys ...ed25519.PublicKey) (*schema.Manifest, error) {
	all, err := openAll(p.Versions)
	if err != nil {
		return nil, err
	}
	m := &all[0].manifest
	for i := range all {
		if err := p.checkSigned(keys, i, &all[i]); err != nil {
			return nil, err
		}
	}
	if m.Dataset != p.Dataset || m.Version != p.Version {
		return nil, fmt.Errorf("it is said to be of %s@%d; its manifest is of %s@%d", p.Dataset, p.Version, m.Dataset, m.Version)
	}
	if err := p.checkInclusion(m); err != nil {
		return nil, err
	}
	lineage, err := lineageOf(p.Record, all)
	if err != nil {
		return nil, err
	}
	if !sameJSON(lineage, p.Lineage) {
		return nil, errors.New("its lineage isn't the one that record and manifests have")
	}
	return m, nil
}

// ManifestDigest is the sha256 of the version's manifest, "" where there is none.
func (p *Proof) ManifestDigest() string {
	if len(p.Versions) == 0 {
		return ""
	}
	body, err := jcs.Transform(p.Versions[0].Manifest)
	if err != nil {
		return ""
	}
	return Digest(body)
}

func (p *Proof) checkSigned(keys []ed25519.PublicKey, i int, o *opened) error {
	attestation := []byte(p.Versions[i].Attestation)
	if bytes.Equal(bytes.TrimSpace(attestation), []byte("null")) {
		attestation = nil
	}
	body, err := jcs.Transform(p.Versions[i].Manifest)
	if err == nil {
		err = CheckVersion(keys, attestation, body, &o.manifest)
	}
	if err != nil {
		return fmt.Errorf("%s@%d: %w", o.manifest.Dataset, o.manifest.Version, err)
	}
	return nil
}

// checkInclusion goes the way from the record to the manifest's root.
func (p *Proof) checkInclusion(m *schema.Manifest) error {
	hash, err := recordHash(p.Record)
	if err != nil {
		return err
	}
	in := p.Inclusion
	if hash != in.Record {
		return fmt.Errorf("the record's hash is %s; what is proved is %s: the record was changed", hash, in.Record)
	}
	if in.Shards != uint64(len(m.Shards)) || in.Shard >= in.Shards {
		return fmt.Errorf("shard %d of %d: the manifest has %d", in.Shard, in.Shards, len(m.Shards))
	}
	if s := m.Shards[in.Shard]; s.Root != in.ShardRoot || s.Rows < 0 || uint64(s.Rows) != in.Rows {
		return fmt.Errorf("the manifest has another root, or another number of records, for shard %s", s.Key)
	}
	return in.Verify(m.Merkle.Records)
}

func recordHash(record []byte) (string, error) {
	canonical, err := jcs.Transform(record)
	if err != nil {
		return "", fmt.Errorf("the record is no JSON: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
