package provenance

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

func newKey(t testing.TB) (ed25519.PrivateKey, ed25519.PublicKey) {
	t.Helper()
	private, public, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParsePrivateKey("test", string(private))
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ParsePublicKey("test", public)
	if err != nil {
		t.Fatal(err)
	}
	if !PublicOf(key).Equal(pub) {
		t.Fatal("the halves don't belong together")
	}
	return key, pub
}

// The encoding is that of the DSSE specification's own example.
func TestPreAuthIsDSSE(t *testing.T) {
	got := string(preAuth("http://example.com/HelloWorld", []byte("hello world")))
	if want := "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func signed(t testing.TB, key ed25519.PrivateKey) (attestation, body []byte, m *schema.Manifest) {
	t.Helper()
	m = &schema.Manifest{Format: schema.ManifestFormat, Dataset: "d", Version: 2, Parent: 1, Run: "r", Merkle: schema.Merkle{Records: "aa", Rejects: "bb"}}
	body, err := schema.CanonicalManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	attestation, err = SignVersion(key, "p/d/_versions/000002.json", m, body)
	if err != nil {
		t.Fatal(err)
	}
	return attestation, body, m
}

// Each way in which a signature can be wrong has its own name.
func TestCheckVersion(t *testing.T) {
	key, pub := newKey(t)
	_, other := newKey(t)
	attestation, body, m := signed(t, key)
	again, _, _ := signed(t, key)
	if string(again) != string(attestation) {
		t.Error("signing the same twice gives two attestations")
	}
	change := func(how func(e *Envelope)) []byte {
		e, err := ParseEnvelope(attestation)
		if err != nil {
			t.Fatal(err)
		}
		how(e)
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	edited := change(func(e *Envelope) {
		e.Payload = []byte(strings.Replace(string(e.Payload), `"version":2`, `"version":3`, 1))
	})
	_, third := newKey(t)
	for name, c := range map[string]struct {
		keys        []ed25519.PublicKey
		attestation []byte
		body        []byte
		want        error // nil: holds
		says        string
	}{
		"signed":                     {[]ed25519.PublicKey{pub}, attestation, body, nil, ""},
		"signed, no key given":       {nil, attestation, body, nil, ""},
		"not signed, no key given":   {nil, nil, body, nil, ""},
		"not signed":                 {[]ed25519.PublicKey{pub}, nil, body, ErrNotSigned, ""},
		"no signatures":              {[]ed25519.PublicKey{pub}, change(func(e *Envelope) { e.Signatures = nil }), body, ErrNotSigned, ""},
		"another key":                {[]ed25519.PublicKey{other}, attestation, body, ErrAnotherKey, ""},
		"statement edited":           {[]ed25519.PublicKey{pub}, edited, body, ErrNoMatch, ""},
		"signature cut":              {[]ed25519.PublicKey{pub}, change(func(e *Envelope) { e.Signatures[0].Sig = e.Signatures[0].Sig[:63] }), body, ErrNoMatch, ""},
		"another manifest":           {[]ed25519.PublicKey{pub}, attestation, append(body[:len(body):len(body)], ' '), nil, "another manifest"},
		"another manifest, no key":   {nil, attestation, append(body[:len(body):len(body)], ' '), nil, "another manifest"},
		"statement edited, no key":   {nil, edited, body, nil, "d@3"},
		"another type":               {[]ed25519.PublicKey{pub}, change(func(e *Envelope) { e.PayloadType = "text/plain" }), body, nil, "payloadType"},
		"no envelope":                {[]ed25519.PublicKey{pub}, []byte("{"), body, nil, "no DSSE envelope"},
		"a payload of another shape": {nil, change(func(e *Envelope) { e.Payload = []byte(`[]`) }), body, nil, "no statement"},
		"one of two keys":            {[]ed25519.PublicKey{other, pub}, attestation, body, nil, ""},
		"neither of two keys":        {[]ed25519.PublicKey{other, third}, attestation, body, ErrAnotherKey, " or "},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckVersion(c.keys, c.attestation, c.body, m)
			switch {
			case c.want != nil && !errors.Is(err, c.want):
				t.Errorf("error %v, want %v", err, c.want)
			case c.want == nil && (err == nil) != (c.says == ""), err != nil && !strings.Contains(err.Error(), c.says):
				t.Errorf("error %v, want one with %q", err, c.says)
			}
		})
	}
}

// The statement has the fields that in-toto asks for.
func TestStatementIsInToto(t *testing.T) {
	key, _ := newKey(t)
	attestation, body, _ := signed(t, key)
	e, err := ParseEnvelope(attestation)
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(e.Payload, &s); err != nil {
		t.Fatal(err)
	}
	subject := s["subject"].([]any)[0].(map[string]any)
	if s["_type"] != StatementType || s["predicateType"] != VersionType || subject["name"] != "p/d/_versions/000002.json" ||
		subject["digest"].(map[string]any)["sha256"] != Digest(body) {
		t.Errorf("statement %v", s)
	}
}

func TestKeysThatAreNone(t *testing.T) {
	private, public, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "a word": "hunter2-secret", "public": string(public), "cut": string(private)[:60],
		"an RSA label": strings.ReplaceAll(string(private), "PRIVATE KEY", "RSA PRIVATE KEY"), "garbage": "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----",
	} {
		_, err := ParsePrivateKey("RETORT_SIGNING_KEY", text)
		if schema.KindOf(err) != schema.KindInvalid || !strings.Contains(err.Error(), "RETORT_SIGNING_KEY") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParsePublicKey("f", private); err == nil || !strings.Contains(err.Error(), "private key") {
		t.Errorf("a private key where the public one belongs: %v", err)
	}
	if _, err := ParsePrivateKey("env", strings.ReplaceAll(string(private), "\n", `\n`)); err != nil {
		t.Errorf("line breaks written out: %v", err)
	}
}

// Whatever stands where an attestation should is an error, never a panic.
func FuzzCheckVersion(f *testing.F) {
	key, pub := newKey(f)
	attestation, body, m := signed(f, key)
	f.Add(attestation)
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := CheckVersion([]ed25519.PublicKey{pub}, b, body, m); err == nil {
			e, err := ParseEnvelope(b)
			good, _ := ParseEnvelope(attestation)
			if err != nil || string(e.Payload) != string(good.Payload) {
				t.Errorf("held: %q", b)
			}
		}
	})
}
