// Package provenance says who stands behind a version, and lets a stranger check it: ed25519 keys, DSSE envelopes
// (https://github.com/secure-systems-lab/dsse, v1) around in-toto statements (https://in-toto.io/Statement/v1), and proofs that a record
// stands in a version. Everything is a pure function of bytes and keys, so that it works without S3 and without Retort's configuration.
package provenance
