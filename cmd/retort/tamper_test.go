package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/retort-data/retort/provenance"
)

func unmarshal(b []byte, into any) error { return json.Unmarshal(b, into) }

// Every way of tampering is named by verify, at the place where it was done.
func TestTamperingIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		tamper func(s *shelf)
		verify string // default d@2
		says   []string
		key    string // file of another key than the right one; "none": none is given
	}{
		"nothing": {func(*shelf) {}, "", nil, ""},
		"one bit flipped in a shard": {func(s *shelf) {
			key := s.d.Shard("train", "r2", 1)
			body := s.get(key)
			body[len(body)/2] ^= 1
			s.set(key, body)
		}, "", []string{"data/train-r2-00001.parquet: it was changed"}, ""},
		"a row removed, the file written properly": {func(s *shelf) { s.shard("r2", 1, 10, 9) }, "",
			[]string{"data/train-r2-00001.parquet: it was changed", "it has 9 records, the manifest says 10"}, ""},
		"a record exchanged, the file written properly": {func(s *shelf) { s.shard("r2", 1, 11, 10) }, "",
			[]string{"data/train-r2-00001.parquet: it was changed", "its records are others"}, ""},
		"a shard swapped with another": {func(s *shelf) {
			one, two := s.d.Shard("train", "r2", 0), s.d.Shard("train", "r2", 1)
			a, b := s.get(one), s.get(two)
			s.set(one, b)
			s.set(two, a)
		}, "", []string{"train-r2-00000.parquet: it was changed", "they are those of p/d/data/train-r2-00001.parquet"}, ""},
		"a shard deleted": {func(s *shelf) { s.must(s.store.Delete(s.t.Context(), s.d.Shard("train", "r1", 0))) }, "", []string{"train-r1-00000.parquet: it is gone"}, ""},
		"the manifest edited": {func(s *shelf) {
			s.set(s.d.Manifest(2), []byte(strings.Replace(string(s.get(s.d.Manifest(2))), `"license":"mit"`, `"license":"cc0"`, 1)))
		}, "", []string{"the manifest was edited, or exchanged, after it was signed"}, ""},
		"the manifest edited, no key given": {func(s *shelf) {
			s.set(s.d.Manifest(2), []byte(strings.Replace(string(s.get(s.d.Manifest(2))), `"license":"mit"`, `"license":"cc0"`, 1)))
		}, "", []string{"the manifest was edited, or exchanged, after it was signed"}, "none"},
		"the manifest edited by hand": {func(s *shelf) { s.set(s.d.Manifest(2), append(s.get(s.d.Manifest(2)), '\n')) }, "",
			[]string{"not canonical JSON"}, ""},
		"a row removed, and the manifest with it, not signed again": {func(s *shelf) {
			m := s.manifest(2)
			m.Shards[3] = s.shard("r2", 1, 10, 9)
			m.Counts.Admitted, m.Counts.Planned = 19, 19
			s.key, _ = s.newKey("thief")
			s.put(m)
		}, "", []string{"signature: signed by another key"}, ""},
		"a signature from another key": {func(s *shelf) {
			s.key, _ = s.newKey("thief")
			s.put(s.manifest(2))
		}, "", []string{"signature: signed by another key"}, ""},
		"checked with another key": {func(s *shelf) { s.newKey("other") }, "", []string{"signature: signed by another key"}, "other.pub.pem"},
		"no signature": {func(s *shelf) {
			s.must(s.store.Delete(s.t.Context(), s.d.Attestation(provenance.Digest(s.get(s.d.Manifest(2))))))
		}, "", []string{"signature: not signed"}, ""},
		"a signature that was edited": {func(s *shelf) {
			key := s.d.Attestation(provenance.Digest(s.get(s.d.Manifest(2))))
			e, err := provenance.ParseEnvelope(s.get(key))
			s.must(err)
			e.Payload = []byte(strings.Replace(string(e.Payload), `"admitted":20`, `"admitted":21`, 1))
			b, err := e.Encode()
			s.must(err)
			s.set(key, b)
		}, "", []string{"signature: signature does not match"}, ""},
		"a stale version in a newer one's place": {func(s *shelf) { s.set(s.d.Manifest(2), s.get(s.d.Manifest(1))) }, "",
			[]string{"a stale version stands in its place"}, ""},
		"a stale version in a newer one's place, seen from the next": {func(s *shelf) { s.set(s.d.Manifest(2), s.get(s.d.Manifest(1))) }, "d@3",
			[]string{"version 2 was edited, or exchanged"}, ""},
		"a parent that was exchanged for another that was signed": {func(s *shelf) {
			m := s.manifest(1)
			m.Description = "another"
			s.put(m)
		}, "", []string{"version 1 was edited, or exchanged"}, ""},
		"a version exchanged for another that was signed": {func(s *shelf) {
			m := s.manifest(2)
			m.Description = "another"
			s.put(m)
		}, "", []string{"version 3 was made on top of"}, ""},
		"the gate's log deleted": {func(s *shelf) {
			m := s.manifest(2)
			m.Gate.Log = strings.Repeat("ab", 32)
			s.put(m)
		}, "", []string{"the gate's log, p/d/_runs/r2/gate/000000.jsonl.zst and those behind it, is gone"}, ""},
		"a version that is gone": {func(s *shelf) { s.must(s.store.Delete(s.t.Context(), s.d.Manifest(1))) }, "", []string{"version 1, the parent of 2, is gone"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			for n, run := range []string{"r1", "r2", "r3"} {
				s.publish(n+1, run)
			}
			key := s.public
			c.tamper(s)
			args := []string{"verify", "d@2"}
			if c.verify != "" {
				args[1] = c.verify
			}
			switch c.key {
			case "":
				args = append(args, "--key", key)
			case "none":
			default:
				args = append(args, "--key", s.dir+"/"+c.key)
			}
			out, status := s.do(args...)
			if want := min(len(c.says), 1); status != want {
				t.Errorf("status %d, want %d", status, want)
			}
			for _, text := range c.says {
				if !strings.Contains(out, text) {
					t.Errorf("it doesn't say %q", text)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// Without a key verify says that it has checked no signature, and by which key it was made.
func TestVerifyWithoutAKey(t *testing.T) {
	s := newShelf(t)
	s.publish(1, "r1")
	id := provenance.KeyID(provenance.PublicOf(s.key))[:16]
	if out, status := s.do("verify", "d"); status != 0 || !strings.Contains(out, "by "+id+", not checked") {
		t.Errorf("status %d: %s", status, out)
	}
	s.must(s.store.Delete(t.Context(), s.d.Attestation(provenance.Digest(s.get(s.d.Manifest(1))))))
	if out, status := s.do("verify", "d"); status != 0 || !strings.Contains(out, "not signed") {
		t.Errorf("status %d: %s", status, out)
	}
	if out, status := s.do("verify", "d", "--key", s.dir+"/own.pem"); status != 2 || !strings.Contains(out, "private key") {
		t.Errorf("a private key: status %d: %s", status, out)
	}
}
