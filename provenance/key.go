package provenance

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/retort-data/retort/schema"
)

// PEM types of the two halves of a key.
const (
	privateType = "PRIVATE KEY" // PKCS #8
	publicType  = "PUBLIC KEY"  // SubjectPublicKeyInfo
)

// NewKey makes a key; both halves as PEM, as OpenSSL writes them.
func NewKey() (private, public []byte, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	return encodeKey(pub, key)
}

func encodeKey(pub ed25519.PublicKey, key ed25519.PrivateKey) (private, public []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	public, err = PublicPEM(pub)
	return pem.EncodeToMemory(&pem.Block{Type: privateType, Bytes: der}), public, err
}

// PublicPEM is a public key as ParsePublicKey reads it.
func PublicPEM(key ed25519.PublicKey) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: spki}), err
}

// ParsePrivateKey reads a PEM of PKCS #8 with an ed25519 key. Line breaks may be written as \n, as where an environment can't hold
// them. No error holds any of the text. subject names where it came from.
func ParsePrivateKey(subject, text string) (ed25519.PrivateKey, error) {
	block, err := onlyBlock(subject, strings.ReplaceAll(text, `\n`, "\n"))
	if err != nil {
		return nil, err
	}
	if block.Type != privateType {
		return nil, keyError(subject, errors.New("it is a "+known(block.Type)+", not a private key (PEM, PKCS #8)"))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, keyError(subject, errors.New("it is no PKCS #8 key"))
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, keyError(subject, errors.New("it is not an ed25519 key"))
	}
	return key, nil
}

// ParsePublicKey reads a PEM of a SubjectPublicKeyInfo with an ed25519 key.
func ParsePublicKey(subject string, text []byte) (ed25519.PublicKey, error) {
	block, err := onlyBlock(subject, string(text))
	if err != nil {
		return nil, err
	}
	if block.Type == privateType {
		return nil, keyError(subject, errors.New("it is a private key; checking needs the public one, and nobody else should have the private one"))
	}
	if block.Type != publicType {
		return nil, keyError(subject, errors.New("it is a "+known(block.Type)+", not a public key"))
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, keyError(subject, errors.New("it is no public key"))
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, keyError(subject, errors.New("it is not an ed25519 key"))
	}
	return key, nil
}

func onlyBlock(subject, text string) (*pem.Block, error) {
	block, _ := pem.Decode([]byte(strings.TrimSpace(text) + "\n"))
	if block == nil {
		return nil, keyError(subject, errors.New("it is no PEM file"))
	}
	return block, nil
}

// known keeps a PEM type out of messages that nobody expects: it may be anything.
func known(pemType string) string {
	switch pemType {
	case privateType, publicType, "CERTIFICATE", "EC PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
		return pemType
	}
	return "block of another type"
}

func keyError(subject string, cause error) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "signing_key", Op: "read the key", Subject: subject, Cause: cause,
		Hint: "retort keygen makes a pair: the private one for who signs, the public one for who checks."}
}

// KeyID is a name for a public key: sha256 of its SubjectPublicKeyInfo (DER), hex. It is a hint, not a proof.
func KeyID(key ed25519.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "" // an ed25519 key always has one
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// PublicOf is the public half.
func PublicOf(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }
