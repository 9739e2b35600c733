package activities

import (
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// signer makes a key pair and tells the configuration of it.
func (l *lab) signer() (private string) {
	l.t.Helper()
	pem, _, err := provenance.NewKey()
	l.must(err)
	l.config.Signing.KeyEnv = "RETORT_TEST_KEY"
	return string(pem)
}

// A version that is published by a worker with a key is signed, before it can be seen; each is tied to its parent.
func TestPublishSigns(t *testing.T) {
	l, r, one := writtenRun(t, "")
	t.Setenv("RETORT_TEST_KEY", l.signer())
	l.must(r.ReadSigner())
	two := l.another("r2")
	seen := &before{Store: l.store, key: "_versions/000002.json", do: func() {
		if n := len(l.objects(l.run.Attestations())); n != 2 {
			t.Errorf("%d attestations before the second manifest", n)
		}
	}}
	for _, f := range []*flow{one, two} {
		rooms := l.rooms(seen)
		l.must(rooms.ReadSigner())
		_, err := rooms.Publish(t.Context(), f.publish)
		l.must(err)
	}
	var above string
	for n := 2; n > 0; n-- {
		m, body, err := ManifestBytes(t.Context(), l.store, l.run.Dataset, n)
		l.must(err)
		attestation, err := Attestation(t.Context(), l.store, l.run.Dataset, body)
		l.must(err)
		if err := provenance.CheckVersion([]ed25519.PublicKey{provenance.PublicOf(r.Signer)}, attestation, body, m); err != nil {
			t.Errorf("version %d: %v", n, err)
		}
		if above != "" && above != digest(body) {
			t.Errorf("version %d was made on top of %s, not %s", n+1, above, digest(body))
		}
		above = m.ParentDigest
	}
	if above != "" {
		t.Error("version 1 has a parent")
	}
	for key, body := range l.objects("") {
		if strings.Contains(body, "PRIVATE KEY") {
			t.Errorf("%s has the key", key)
		}
	}
}

// A configuration that asks for signatures and a worker that can't give them: the run is held, and nothing is published.
func TestPublishWithoutItsKey(t *testing.T) {
	l, r, f := writtenRun(t, "")
	l.signer()
	if err := r.ReadSigner(); schema.KindOf(err) != schema.KindInvalid {
		t.Errorf("a worker without the key: %v", err)
	}
	r.Signer = nil
	_, err := r.Publish(t.Context(), f.publish)
	var e *schema.Error
	if !errors.As(err, &e) || e.Kind != schema.KindHold || e.Code != "signing_key" {
		t.Errorf("error %v", err)
	}
	if l.manifests() != 0 {
		t.Error("it was published")
	}
}

// Two workers with two keys: the second finds the first one's signature and holds, rather than publish what it didn't sign.
func TestTwoKeys(t *testing.T) {
	l, r, f := writtenRun(t, "")
	t.Setenv("RETORT_TEST_KEY", l.signer())
	l.must(r.ReadSigner())
	dead := l.rooms(&refusing{Store: l.store, key: "_versions/000001.json"})
	l.must(dead.ReadSigner())
	if _, err := dead.Publish(t.Context(), f.publish); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	t.Setenv("RETORT_TEST_KEY", l.signer())
	other := l.rooms(l.store)
	l.must(other.ReadSigner())
	_, err := other.Publish(t.Context(), f.publish)
	var e *schema.Error
	if !errors.As(err, &e) || e.Code != "attestation_differs" {
		t.Errorf("error %v", err)
	}
	if _, err := r.Publish(t.Context(), f.publish); err != nil {
		t.Errorf("the first worker: %v", err)
	}
}

// refusing is a store whose process dies before it puts a key that contains a text.
type refusing struct {
	store.Store
	key string
}

func (s *refusing) PutNew(ctx context.Context, key string, body []byte) error {
	if strings.Contains(key, s.key) {
		return errKilled
	}
	return s.Store.PutNew(ctx, key, body)
}
