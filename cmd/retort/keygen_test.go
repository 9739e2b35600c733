package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/provenance"
)

// keygen makes a pair that belongs together, keeps the private half to its owner, and overwrites nothing.
func TestKeygen(t *testing.T) {
	s := newShelf(t)
	name := filepath.Join(s.dir, "team")
	out, status := s.do("keygen", "-o", name)
	if status != 0 || !strings.Contains(out, "RETORT_SIGNING_KEY") || strings.Contains(out, "PRIVATE KEY") {
		t.Fatalf("status %d: %s", status, out)
	}
	private, err := os.ReadFile(name + ".pem")
	s.must(err)
	key, err := provenance.ParsePrivateKey("f", string(private))
	s.must(err)
	public, err := readPublicKeys([]string{name + ".pub.pem"})
	s.must(err)
	if !provenance.PublicOf(key).Equal(public[0]) {
		t.Error("the halves don't belong together")
	}
	if in, err := os.Stat(name + ".pem"); err != nil || in.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", in.Mode(), err)
	}
	if out, status := s.do("keygen", "-o", name); status != 2 || !strings.Contains(out, "never overwritten") {
		t.Errorf("status %d: %s", status, out)
	}
	s.must(os.Remove(name + ".pub.pem"))
	if _, status := s.do("keygen", "-o", name); status != 2 {
		t.Error("the private key was overwritten")
	}
	if _, err := os.Stat(name + ".pub.pem"); err == nil {
		t.Error("a public key without its private one was left")
	}
	if again, err := os.ReadFile(name + ".pem"); err != nil || string(again) != string(private) {
		t.Error("the private key changed")
	}
}
