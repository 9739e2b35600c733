package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gowebpki/jcs"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// readPublicKeys reads the files of --key.
func readPublicKeys(paths []string) (keys []ed25519.PublicKey, err error) {
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, unreadable(path, err)
		}
		key, err := provenance.ParsePublicKey(path, text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func signedBy(keys []ed25519.PublicKey) string {
	if len(keys) > 1 {
		return "by one of the given keys"
	}
	return "by the given key"
}

// checkSignature holds the manifest's bytes against its attestation, and says who signed.
func (v *Verdict) checkSignature(a *app, d store.Dataset, m *schema.Manifest, body []byte, keys []ed25519.PublicKey) {
	if canonical, err := jcs.Transform(body); err != nil || !bytes.Equal(canonical, body) {
		v.wrong("the manifest is not canonical JSON (RFC 8785): it was edited after it was published")
	}
	attestation, err := activities.Attestation(a.ctx, a.objects, d, body)
	if err != nil {
		v.wrong("the attestation can't be read: %s", err)
		return
	}
	if attestation == nil {
		v.unsigned(a, d, m, body, keys)
		return
	}
	v.Signed = "yes, not checked: no key was given"
	if e, err := provenance.ParseEnvelope(attestation); err == nil {
		v.Signed = fmt.Sprintf("by %s, not checked: give --key", e.KeyIDs())
	}
	err = provenance.CheckVersion(keys, attestation, body, m)
	switch {
	case err != nil:
		v.Signed = err.Error()
		v.wrong("signature: %s", err)
	case len(keys) > 0:
		v.Signed = signedBy(keys)
	}
}

// unsigned says why there is no attestation: the manifest was edited after it was signed, or nobody signed it.
func (v *Verdict) unsigned(a *app, d store.Dataset, m *schema.Manifest, body []byte, keys []ed25519.PublicKey) {
	v.Signed = provenance.ErrNotSigned.Error()
	other, err := signedAs(a, d, m, keys)
	switch {
	case err != nil:
		v.wrong("attestations can't be read: %s", err)
	case other != "":
		v.Signed = "another manifest was signed"
		v.wrong("the manifest was edited, or exchanged, after it was signed: version %d of run %s was signed with sha256 %s; what stands there has %s", m.Version, m.Run, other, provenance.Digest(body))
	case len(keys) > 0:
		v.wrong("signature: not signed: there is no attestation of sha256 %s", provenance.Digest(body))
	}
}

// signedAs looks for a statement about the same run and version with another digest.
func signedAs(a *app, d store.Dataset, m *schema.Manifest, keys []ed25519.PublicKey) (string, error) {
	for in, err := range a.objects.List(a.ctx, d.Attestations(), "") {
		if err != nil {
			return "", err
		}
		if strings.Contains(in.Key[len(d.Attestations()):], "/") {
			continue
		}
		body, err := a.objects.Get(a.ctx, in.Key)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		e, s, err := provenance.Open[provenance.Version](body, provenance.VersionType)
		if err != nil || len(keys) > 0 && e.Verify(keys...) != nil || s.Predicate.Run != m.Run || s.Predicate.Version != m.Version || len(s.Subject) == 0 {
			continue
		}
		return s.Subject[0].Digest["sha256"], nil
	}
	return "", nil
}

// checkChain holds versions against each other: every manifest names the digest of its parent's, so that one that was exchanged for an
// older or another one shows in the next.
func (v *Verdict) checkChain(a *app, d store.Dataset, m *schema.Manifest, body []byte) error {
	newest, err := activities.NewestVersion(a.ctx, a.objects, d)
	if err != nil {
		return err
	}
	if v.Version < newest {
		if child, err := activities.LoadManifest(a.ctx, a.objects, d, v.Version+1); err != nil {
			v.wrong("version %d can't be read: %s", v.Version+1, err)
		} else if child.ParentDigest != "" && child.ParentDigest != provenance.Digest(body) {
			v.wrong("the manifest was edited, or exchanged: version %d was made on top of sha256 %s; what stands there has %s", v.Version+1, child.ParentDigest, provenance.Digest(body))
		}
	}
	for m.Parent > 0 && m.ParentDigest != "" {
		if m.Parent >= m.Version {
			v.wrong("version %d says that its parent is %d", m.Version, m.Parent)
			return nil
		}
		parent, parentBody, err := activities.ManifestBytes(a.ctx, a.objects, d, m.Parent)
		switch {
		case errors.Is(err, store.ErrNotFound):
			v.wrong("version %d, the parent of %d, is gone", m.Parent, m.Version)
			return nil
		case err != nil:
			v.wrong("version %d, the parent of %d, can't be read: %s", m.Parent, m.Version, err)
			return nil
		case provenance.Digest(parentBody) != m.ParentDigest:
			v.wrong("version %d was edited, or exchanged: version %d was made on top of sha256 %s; what stands there has %s", m.Parent, m.Version, m.ParentDigest, provenance.Digest(parentBody))
			return nil
		}
		if m.Retraction != nil {
			v.checkLess(m, parent)
		}
		m = parent
	}
	return nil
}

// checkLess holds a retraction against its parent: what is missing is what it says, and nothing else.
func (v *Verdict) checkLess(m, parent *schema.Manifest) {
	before, _ := shardTotals(parent)
	after, _ := shardTotals(m)
	if before-m.Retraction.Removed != after {
		v.wrong("version %d has %d records: version %d has %d, and %d were retracted", m.Version, after, parent.Version, before, m.Retraction.Removed)
	}
	gone := map[string]bool{}
	for _, r := range m.Retraction.Replaced {
		gone[r.Key] = true
	}
	has := map[string]bool{}
	for _, s := range m.Shards {
		has[s.Key] = true
	}
	for _, s := range parent.Shards {
		if has[s.Key] == gone[s.Key] {
			v.wrong("%s of version %d: version %d must either keep it or say what was retracted from it", s.Key, parent.Version, m.Version)
		}
	}
}

// checkRetraction holds a retraction against itself: own are the records of the shards that it wrote.
func (v *Verdict) checkRetraction(m *schema.Manifest, own int64) {
	var removed, rest int64
	for _, r := range m.Retraction.Replaced {
		removed, rest = removed+r.Removed, rest+r.Rows-r.Removed
	}
	if removed != m.Retraction.Removed || rest != own {
		v.wrong("retraction: %d records were taken out of its shards, %d are counted; %d remain in them, the shards that were written have %d", removed, m.Retraction.Removed, rest, own)
	}
}
