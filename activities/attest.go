package activities

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// ReadSigner reads the worker's signing key from the variable that the configuration names; nil where it names none.
func (r *Rooms) ReadSigner() error {
	name := r.Config.Signing.KeyEnv
	if name == "" {
		return nil
	}
	text := os.Getenv(name)
	if text == "" {
		return noSigner(schema.KindInvalid, name)
	}
	key, err := provenance.ParsePrivateKey("variable "+name, text)
	r.Signer = key
	return err
}

func noSigner(kind schema.Kind, name string) error {
	return &schema.Error{Kind: kind, Code: "signing_key", Op: "sign", Subject: "variable " + name, Cause: errors.New("the configuration's signing.key_env names it, and it isn't set on this worker"),
		Hint: fmt.Sprintf("Make a key with `retort keygen`, then start workers with %s=\"$(cat FILE)\"; or take `signing` out of the configuration: versions are then not signed.", name)}
}

// attest puts the signed statement about a manifest, before the manifest: who reads a version finds its signature. A statement about a
// manifest that then isn't put proves nothing: no version has its digest.
func (r *Rooms) attest(ctx context.Context, d store.Dataset, m *schema.Manifest, body []byte) error {
	if r.Signer == nil {
		if name := r.Config.Signing.KeyEnv; name != "" {
			return noSigner(schema.KindHold, name)
		}
		return nil
	}
	key := d.Attestation(digest(body))
	signed, err := provenance.SignVersion(r.Signer, d.Manifest(m.Version), m, body)
	if err != nil {
		return err
	}
	err = r.Store.PutNew(ctx, key, signed)
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	stands, err := r.Store.Get(ctx, key)
	if err != nil {
		return err
	}
	if err := provenance.CheckVersion([]ed25519.PublicKey{provenance.PublicOf(r.Signer)}, stands, body, m); err != nil {
		return &schema.Error{Kind: schema.KindHold, Code: "attestation_differs", Op: "sign", Subject: d.URI(key), Cause: fmt.Errorf("what stands there isn't this worker's: %w", err),
			Hint: "Another worker signs with another key, or somebody wrote there. Give all workers one key, or delete the object, then release the run."}
	}
	return nil
}

// Attestation reads the attestation of a manifest, nil where there is none.
func Attestation(ctx context.Context, s store.Store, d store.Dataset, manifest []byte) ([]byte, error) {
	body, err := s.Get(ctx, d.Attestation(digest(manifest)))
	if notFound(err) {
		return nil, nil
	}
	return body, err
}
