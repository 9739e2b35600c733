package main

import (
	"crypto/ed25519"
	"os"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
)

// ProofVerdict is what verify found of a proof.
type ProofVerdict struct {
	Dataset  string              `json:"dataset"`
	Version  int                 `json:"version"`
	Record   string              `json:"record"`   // id
	Manifest string              `json:"manifest"` // sha256
	Signed   bool                `json:"signature_checked"`
	OK       bool                `json:"ok"`
	Wrong    string              `json:"wrong,omitempty"`
	Lineage  *provenance.Lineage `json:"lineage,omitempty"`
}

// verifyProof checks a proof by itself: no configuration, no store.
func (a *app) verifyProof(file string, keyFiles []string) error {
	keys, err := readPublicKeys(keyFiles)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return unreadable(file, err)
	}
	p, err := provenance.ParseProof(text)
	if err != nil {
		return unreadable(file, err)
	}
	v := ProofVerdict{Dataset: p.Dataset, Version: p.Version, Signed: len(keys) > 0}
	m, err := p.Verify(keys...)
	if err != nil {
		v.Wrong = err.Error()
	} else {
		v.OK, v.Record, v.Lineage, v.Manifest = true, p.Lineage.ID, p.Lineage, p.ManifestDigest()
	}
	switch {
	case a.json:
		if err := a.printJSON(v); err != nil {
			return err
		}
	case err != nil:
		a.printf("WRONG  %s\n", err)
	default:
		a.printHolds(p, m, keys)
	}
	if !v.OK {
		return exitStatus(exitFailed)
	}
	return nil
}

func (a *app) printHolds(p *provenance.Proof, m *schema.Manifest, keys []ed25519.PublicKey) {
	a.printProof(p, m)
	if len(keys) > 0 {
		a.printf("The proof holds, and the manifests are signed %s.\n", signedBy(keys))
		return
	}
	a.printf("The proof holds against the manifests that it carries. Nobody's signature was checked: give --key.\n")
}
