package provenance

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// PayloadType of in-toto statements in a DSSE envelope.
const PayloadType = "application/vnd.in-toto+json"

// mostEnvelope bounds what is taken for an envelope: a statement names a manifest or the shards of one.
const mostEnvelope = 64 << 20

// Envelope is a DSSE envelope. In JSON payload and signatures are base64.
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     []byte      `json:"payload"`
	Signatures  []Signature `json:"signatures"`
}

// Signature of an envelope; KeyID is a hint.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   []byte `json:"sig"`
}

// What can be wrong with a signature.
var (
	ErrNotSigned  = errors.New("not signed")
	ErrAnotherKey = errors.New("signed by another key")
	ErrNoMatch    = errors.New("signature does not match")
)

// preAuth is DSSE's pre-authentication encoding: what is signed.
func preAuth(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// Sign wraps a payload and signs it. The same payload and key give the same bytes.
func Sign(key ed25519.PrivateKey, payload []byte) Envelope {
	sig := ed25519.Sign(key, preAuth(PayloadType, payload))
	return Envelope{PayloadType, payload, []Signature{{KeyID(PublicOf(key)), sig}}}
}

// Encode is the envelope as it stands in a file.
func (e *Envelope) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(e, "", " ")
	return append(b, '\n'), err
}

// ParseEnvelope reads an envelope and checks nothing of its signatures.
func ParseEnvelope(body []byte) (*Envelope, error) {
	if len(body) > mostEnvelope {
		return nil, fmt.Errorf("%d bytes are no DSSE envelope; the most is %d", len(body), mostEnvelope)
	}
	var e Envelope
	if err := json.Unmarshal(bytes.TrimSpace(body), &e); err != nil {
		return nil, fmt.Errorf("it is no DSSE envelope: %w", err)
	}
	if e.PayloadType != PayloadType {
		return nil, fmt.Errorf("it is no DSSE envelope of an in-toto statement: its payloadType is %.80q", e.PayloadType)
	}
	return &e, nil
}

// Verify says whether one of the keys has signed: nil, ErrNotSigned, ErrAnotherKey or ErrNoMatch.
func (e *Envelope) Verify(keys ...ed25519.PublicKey) error {
	if len(e.Signatures) == 0 {
		return ErrNotSigned
	}
	said, names := false, make([]string, len(keys))
	for i, key := range keys {
		id := KeyID(key)
		for _, s := range e.Signatures {
			if ed25519.Verify(key, preAuth(e.PayloadType, e.Payload), s.Sig) {
				return nil
			}
			said = said || s.KeyID == id
		}
		names[i] = short(id)
	}
	if said {
		return ErrNoMatch
	}
	return fmt.Errorf("%w (%s), not by %s", ErrAnotherKey, e.KeyIDs(), strings.Join(names, " or "))
}

// KeyIDs names who has signed, as the envelope says.
func (e *Envelope) KeyIDs() string {
	names := ""
	for i, s := range e.Signatures {
		if i > 0 {
			names += ", "
		}
		names += short(s.KeyID)
	}
	return names
}

// short is enough of a key's name to know it by.
func short(id string) string { return fmt.Sprintf("%.16s", id) }
