package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/retort-data/retort/provenance"
)

// Files of the pair of keys that versions of the local stack are signed and checked with, in its folder.
const (
	signingKey    = "signing.pem"
	signingPublic = "signing.pub.pem"
	signingEnv    = "RETORT_SIGNING_KEY"
)

// signer returns the private key that the stack's worker signs with: that of the environment, or one made on the first start and kept.
func signer(dir string) (string, error) {
	if text := os.Getenv(signingEnv); text != "" {
		return text, writePublic(dir, text)
	}
	text, err := os.ReadFile(filepath.Join(dir, signingKey))
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	private, _, err := provenance.NewKey()
	if err != nil {
		return "", err
	}
	if err := writeWhole(filepath.Join(dir, signingKey), private, 0o600); err != nil {
		return "", err
	}
	return string(private), writePublic(dir, string(private))
}

// writePublic writes what the stack's versions are checked with.
func writePublic(dir, private string) error {
	key, err := provenance.ParsePrivateKey("variable "+signingEnv, private)
	if err != nil {
		return err
	}
	public, err := provenance.PublicPEM(provenance.PublicOf(key))
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, signingPublic), public, 0o644)
}
