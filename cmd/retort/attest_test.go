package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-data/retort/provenance"
)

// A trainer's statement names the manifest and the shards by their digests, verifies by the trainer's key, and stands beside the dataset and in a file.
func TestAttest(t *testing.T) {
	s := newShelf(t)
	s.publish(1, "r1")
	m := s.publish(2, "r2")
	key, _ := s.newKey("trainer")
	file := filepath.Join(s.dir, "x.json")
	args := []string{"attest", "d@2", "--student", "tiny 1b", "--key", s.dir + "/trainer.pem", "-o", file}
	if out, status := s.do(append(args, "--shards", "train-r2-*", "--shards", m.Shards[0].URI)...); status != 0 || !strings.Contains(out, "3 shards") {
		t.Fatalf("status %d: %s", status, out)
	}
	text, err := os.ReadFile(file)
	s.must(err)
	n := 0
	for in, err := range s.store.List(t.Context(), s.d.StudentAttestations(), "") {
		s.must(err)
		if n++; string(s.get(in.Key)) != string(text) {
			t.Error("what was put isn't what was written")
		}
	}
	e, st, err := provenance.Open[provenance.Student](text, provenance.StudentType)
	s.must(err)
	s.must(e.Verify(provenance.PublicOf(key)))
	if n != 1 || st.Predicate.Student != "tiny 1b" || st.Predicate.Rows != 30 || st.Predicate.Whole || len(st.Subject) != 4 ||
		!st.Names(provenance.Digest(s.get(s.d.Manifest(2)))) || !st.Names(m.Shards[3].SHA256) || st.Names(m.Shards[1].SHA256) {
		t.Errorf("%d; %+v", n, st)
	}
	for _, wrong := range [][]string{{"--shards", "dev-*"}, {"--split", "dev"}, {"--key", s.public}} {
		if out, status := s.do(append(args[:len(args):len(args)], wrong...)...); status != 2 {
			t.Errorf("%v: status %d: %s", wrong, status, out)
		}
	}
	if out, status := s.do("attest", "d", "--student", "x", "--key", s.dir+"/trainer.pem"); status != 2 || !strings.Contains(out, "d@N") {
		t.Errorf("status %d: %s", status, out)
	}
	t.Chdir(t.TempDir())
	if out, status := s.do("attest", "d@1", "--student", "a/b", "--key", s.dir+"/trainer.pem", "--no-put"); status != 0 || !strings.Contains(out, "d-1-a-b.intoto.json") {
		t.Errorf("status %d: %s", status, out)
	}
}
