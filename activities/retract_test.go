package activities

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// twoVersions has version 1 of r1 and version 2 of r2 with version 1's shards.
func twoVersions(t testing.TB) *lab {
	l := newLab(t, "")
	l.flow(l.rooms(l.store)).whole()
	f := l.anew("r2")
	_, err := l.rooms(l.store).Publish(t.Context(), f.publish)
	l.must(err)
	return l
}

// anew is another run whose answers are others than those of the runs before: duplicates of earlier versions aren't admitted.
func (l *lab) anew(id string) *flow {
	l.t.Helper()
	l.mu.Lock()
	l.respond = func(w http.ResponseWriter, prompt string) bool {
		answer(w, essay(id+" "+prompt))
		return true
	}
	l.mu.Unlock()
	return l.another(id)
}

// retraction puts a request for a retraction, as the command line does.
func (l *lab) retraction(id string, what schema.Retracted) schema.RunRef {
	l.t.Helper()
	body, err := json.Marshal(RetractionRequest{Retracted: what, Release: schema.Release{Who: "me", When: time.Unix(2e9, 0).UTC(), Why: "asked for"}, Program: "test"})
	l.must(err)
	ref := schema.RunRef{Dataset: "d", Run: id}
	l.must(put(l.t.Context(), l.store, l.run.Dataset.Run(id).Retraction(), body))
	return ref
}

// ids are the records of a version's shards.
func (l *lab) ids(m *schema.Manifest) (ids []string) {
	l.t.Helper()
	for _, s := range m.Shards {
		l.must(l.rooms(l.store).eachRecord(l.t.Context(), s, func(r *schema.Record) error {
			ids = append(ids, r.ID)
			return nil
		}))
	}
	return ids
}

// A retraction of single records makes a version without them, keeps every other shard, says what it did and who has them, and verifies by its counts.
func TestRetractRecords(t *testing.T) {
	l := twoVersions(t)
	two := l.manifest(2)
	of1 := l.ids(l.manifest(1))
	gone := []string{of1[3], of1[5]}
	key, _, err := provenance.NewKey()
	l.must(err)
	trainer, err := provenance.ParsePrivateKey("t", string(key))
	l.must(err)
	for n := 1; n <= 2; n++ { // one student of version 1 has them, one of version 2's own shard doesn't
		m, body, err := ManifestBytes(t.Context(), l.store, l.run.Dataset, n)
		l.must(err)
		signed, err := provenance.SignStudent(trainer, l.run.Manifest(n), body, m, m.Shards[n-1:], provenance.Student{Student: fmt.Sprintf("s%d", n)})
		l.must(err)
		l.must(l.store.Put(t.Context(), l.run.StudentAttestation(provenance.Digest(signed)), signed))
	}
	l.must(l.store.Put(t.Context(), l.run.StudentAttestation("garbage"), []byte("{")))
	got, err := l.rooms(l.store).Retract(t.Context(), l.retraction("x1", schema.Retracted{Records: gone}))
	l.must(err)
	m := l.manifest(3)
	r := m.Retraction
	if got.Version != 3 || m.Parent != 2 || r == nil || r.Removed != 2 || len(r.Replaced) != 1 || !slices.Equal(r.Versions, []int{1, 2}) || r.Why != "asked for" ||
		len(r.Students) != 1 || r.Students[0].Student != "s1" || r.Students[0].KeyID != provenance.KeyID(provenance.PublicOf(trainer)) {
		t.Fatalf("%+v; %+v", got, r)
	}
	if m.Shards[1] != two.Shards[1] || m.Shards[0].Key == two.Shards[0].Key || m.Shards[0].Rows != two.Shards[0].Rows-2 || m.Generations["1"] != two.Generations["1"]-2 {
		t.Errorf("shards %+v; generations %v", m.Shards, m.Generations)
	}
	want := slices.DeleteFunc(l.ids(two), func(id string) bool { return slices.Contains(gone, id) })
	if !slices.Equal(l.ids(m), want) {
		t.Error("other records are gone, or their order changed")
	}
	if again, err := l.rooms(l.store).Retract(t.Context(), l.retraction("x1", schema.Retracted{})); err != nil || again != got {
		t.Errorf("a second attempt: %+v, %v", again, err)
	}
	// A run with previous: keep that was under way meanwhile doesn't bring them back.
	f := l.anew("r4")
	_, err = l.rooms(l.store).Publish(t.Context(), f.publish)
	l.must(err)
	four := l.manifest(4)
	if got := l.ids(four); slices.Contains(got, gone[0]) || slices.Contains(got, gone[1]) || len(got) <= len(want) || !slices.Equal(four.Retracted.Records, slices.Sorted(slices.Values(gone))) {
		t.Errorf("%d records, retracted %+v", len(got), four.Retracted)
	}
}

// A whole source that goes leaves an empty version; a run that has asked it meanwhile is held, and a new one is refused before anything is asked.
func TestRetractASource(t *testing.T) {
	l := twoVersions(t)
	f := l.anew("r3")
	got, err := l.rooms(l.store).Retract(t.Context(), l.retraction("x1", schema.Retracted{Sources: []string{"questions.jsonl"}}))
	l.must(err)
	if m := l.manifest(got.Version); len(m.Shards) != 0 || slices.ContainsFunc(m.Sources, func(s schema.ManifestSource) bool { return s.From == "questions.jsonl" }) || len(m.Generations) != 0 || m.Retraction.Replaced[0].By != "" {
		t.Errorf("%+v", m)
	}
	_, err = l.rooms(l.store).Publish(t.Context(), f.publish)
	var e *schema.Error
	if !errors.As(err, &e) || e.Code != "retracted" || e.Kind != schema.KindHold || l.manifests() != 3 {
		t.Errorf("a run under way: %v", err)
	}
	calls := l.calls()
	l.begin("r5")
	_, err = l.rooms(l.store).Plan(t.Context(), l.ref)
	if schema.KindOf(err) != schema.KindInvalid || !strings.Contains(err.Error(), "recipe.yaml:3:") || !strings.Contains(err.Error(), "was retracted from d") || l.calls() != calls {
		t.Errorf("a new run: %v", err)
	}
}

// What isn't there can't be taken out, and nothing is published.
func TestRetractNothing(t *testing.T) {
	l := twoVersions(t)
	before := l.objects(l.run.Versions())
	_, err := l.rooms(l.store).Retract(t.Context(), l.retraction("x1", schema.Retracted{Records: []string{"none"}, Sources: []string{"no.jsonl"}}))
	var e *schema.Error
	if !errors.As(err, &e) || e.Code != "nothing_to_retract" || !maps.Equal(before, l.objects(l.run.Versions())) {
		t.Errorf("error %v", err)
	}
}

// A record that only a superseded version has: the tombstone is written, no shard is replaced.
func TestRetractFromAnEarlierVersion(t *testing.T) {
	l := newLab(t, "output: {previous: supersede}\n")
	l.flow(l.rooms(l.store)).whole()
	gone := l.ids(l.manifest(1))[0]
	f := l.anew("r2")
	_, err := l.rooms(l.store).Publish(t.Context(), f.publish)
	l.must(err)
	_, err = l.rooms(l.store).Retract(t.Context(), l.retraction("x1", schema.Retracted{Records: []string{gone}}))
	l.must(err)
	if m, two := l.manifest(3), l.manifest(2); !slices.Equal(m.Shards, two.Shards) || !slices.Equal(m.Retraction.Versions, []int{1}) || m.Retraction.Removed != 0 {
		t.Errorf("%+v", m.Retraction)
	}
}

// A retraction is killed before every single write in turn, and every reply is lost once: the next attempt finishes it, once, with the same outcome; in
// between readers see version 2 or version 3.
func TestEveryWriteOfARetractionMayFail(t *testing.T) {
	base := twoVersions(t)
	ids := base.ids(base.manifest(1))
	start := base.objects("")
	what := schema.Retracted{Records: []string{ids[0], ids[9]}}
	retract := func(t *testing.T, at int, lost bool) (map[string]string, int) {
		l := &lab{t: t, store: store.NewMemory("bucket"), config: base.config, ref: base.ref, run: base.run, logs: &strings.Builder{}, dir: t.TempDir()}
		for key, body := range start {
			l.must(l.store.Put(t.Context(), key, []byte(body)))
		}
		ref := l.retraction("x1", what)
		b := &breaking{Store: l.store, at: at, lost: lost}
		rooms, got, err := l.rooms(b), schema.PublishResult{}, error(nil)
		for try := 0; ; try++ {
			if got, err = rooms.Retract(t.Context(), ref); err == nil {
				break
			}
			if try == 3 {
				t.Fatal(err)
			}
			if n := l.manifests(); n > 3 {
				t.Fatalf("%d versions", n)
			}
			if b.dead {
				rooms = l.rooms(l.store)
			}
		}
		if got.Version != 3 {
			t.Errorf("version %d", got.Version)
		}
		return l.objects(""), b.writes
	}
	want, writes := retract(t, 0, false)
	if writes < 5 {
		t.Fatalf("%d writes", writes)
	}
	for _, lost := range []bool{false, true} {
		for n := 1; n <= writes; n++ {
			t.Run(fmt.Sprintf("lost=%v/write %d", lost, n), func(t *testing.T) {
				if got, _ := retract(t, n, lost); !maps.Equal(got, want) {
					t.Errorf("%d objects, want %d, or some differ", len(got), len(want))
				}
			})
		}
	}
}

// A run and a retraction that publish at once become two versions, and the retracted record is in the last one in no case.
func TestRetractBesideARun(t *testing.T) {
	for _, first := range []string{"run", "retraction"} {
		t.Run(first, func(t *testing.T) {
			l := twoVersions(t)
			gone := l.ids(l.manifest(1))[0]
			f := l.anew("r3")
			ref := l.retraction("x1", schema.Retracted{Records: []string{gone}})
			publish := func(s store.Store) error { _, err := l.rooms(s).Publish(t.Context(), f.publish); return err }
			retract := func(s store.Store) error { _, err := l.rooms(s).Retract(t.Context(), ref); return err }
			if first == "run" {
				publish, retract = retract, publish
			}
			l.must(publish(&before{Store: l.store, key: "_versions/000003", do: func() { l.must(retract(l.store)) }}))
			if m := l.manifest(4); slices.Contains(l.ids(m), gone) || m.Parent != 3 || len(m.Shards) != 3 {
				t.Errorf("version 4: %+v", m.Shards)
			}
		})
	}
}
