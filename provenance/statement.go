package provenance

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"

	"github.com/retort-data/retort/schema"
)

// Types of statements; docs/attestations.md says what their predicates mean.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	VersionType   = "https://github.com/retort-data/retort/attestation/version/v1"
	StudentType   = "https://github.com/retort-data/retort/attestation/student/v1"
)

// Subject is what a statement is about.
type Subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"` // algorithm → hex
}

// Statement is an in-toto statement with a predicate of type P.
type Statement[P any] struct {
	Type          string    `json:"_type"`
	Subject       []Subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     P         `json:"predicate"`
}

// Version is what is said of a version: enough to know it by, all of it from the manifest.
type Version struct {
	Dataset      string        `json:"dataset"`
	Version      int           `json:"version"`
	Parent       int           `json:"parent,omitempty"`
	ParentDigest string        `json:"parent_digest,omitempty"` // sha256 of the parent's manifest
	Run          string        `json:"run"`
	Recipe       string        `json:"recipe,omitempty"` // sha256
	Program      string        `json:"program"`
	Created      time.Time     `json:"created"`
	Counts       schema.Counts `json:"counts"`
	Shards       int           `json:"shards"`
	Rows         int64         `json:"rows"`
	Merkle       schema.Merkle `json:"merkle"`
}

// Digest is sha256 as hex.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// SignVersion makes the attestation of a manifest: body is its canonical JSON, key is where it stands.
func SignVersion(signer ed25519.PrivateKey, key string, m *schema.Manifest, body []byte) ([]byte, error) {
	v := Version{Dataset: m.Dataset, Version: m.Version, Parent: m.Parent, ParentDigest: m.ParentDigest, Run: m.Run, Recipe: m.Recipe,
		Program: m.Program, Created: m.Created, Counts: m.Counts, Shards: len(m.Shards), Merkle: m.Merkle}
	for _, s := range m.Shards {
		v.Rows += s.Rows
	}
	return sign(signer, Statement[Version]{StatementType, []Subject{subject(key, Digest(body))}, VersionType, v})
}

func subject(name, digest string) Subject {
	return Subject{name, map[string]string{"sha256": digest}}
}

func sign[P any](signer ed25519.PrivateKey, s Statement[P]) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	payload, err := jcs.Transform(plain)
	if err != nil {
		return nil, err
	}
	e := Sign(signer, payload)
	return e.Encode()
}

// Open reads an envelope's statement of that type, without looking at signatures.
func Open[P any](body []byte, predicateType string) (*Envelope, *Statement[P], error) {
	e, err := ParseEnvelope(body)
	if err != nil {
		return nil, nil, err
	}
	var s Statement[P]
	if err := json.Unmarshal(e.Payload, &s); err != nil {
		return e, nil, fmt.Errorf("its payload is no statement: %w", err)
	}
	if s.Type != StatementType || s.PredicateType != predicateType {
		return e, nil, fmt.Errorf("it is a statement of type %.100q about %.100q, not about %q", s.Type, s.PredicateType, predicateType)
	}
	return e, &s, nil
}

// Names says whether the statement is about something of that digest.
func (s *Statement[P]) Names(digest string) bool {
	for _, sub := range s.Subject {
		if sub.Digest["sha256"] == digest {
			return true
		}
	}
	return false
}

// CheckVersion checks the attestation of a manifest: that it names these very bytes, agrees with them, and, where keys are given, is
// signed by one of them. attestation nil is ErrNotSigned where a key is given, else nil.
func CheckVersion(keys []ed25519.PublicKey, attestation, body []byte, m *schema.Manifest) error {
	if attestation == nil {
		if len(keys) == 0 {
			return nil
		}
		return ErrNotSigned
	}
	e, s, err := Open[Version](attestation, VersionType)
	if err != nil {
		return fmt.Errorf("its attestation can't be read: %w", err)
	}
	if len(keys) > 0 {
		if err := e.Verify(keys...); err != nil {
			return err
		}
	}
	if !s.Names(Digest(body)) {
		return errors.New("its attestation names another manifest")
	}
	if p := s.Predicate; p.Dataset != m.Dataset || p.Version != m.Version || p.Run != m.Run || p.Merkle != m.Merkle {
		return fmt.Errorf("its attestation is of %s@%d, run %s", p.Dataset, p.Version, p.Run)
	}
	return nil
}
