package activities

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/provenance"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// state puts a run's status.
func (l *lab) state(run, state string) {
	l.t.Helper()
	body, err := json.Marshal(schema.Status{Dataset: "d", Run: run, State: state, Updated: time.Now()})
	l.must(err)
	l.must(l.store.Put(l.t.Context(), l.run.Dataset.Run(run).Status(), body))
}

// gc looks as many days from now as are given, one after the other, and removes.
func (l *lab) gc(s store.Store, days ...int) (removed []string) {
	l.t.Helper()
	for _, day := range days {
		c := &Collector{Store: s, Dataset: l.run.Dataset, Now: time.Now().Add(time.Duration(day) * MarkedFor)}
		all, err := c.Mark(context.Background())
		l.must(err)
		gone, _, err := c.Sweep(context.Background(), all)
		l.must(err)
		for _, m := range gone {
			removed = append(removed, m.Key)
		}
	}
	return removed
}

// shards are the keys under data/.
func (l *lab) shards() (keys []string) {
	for key := range l.objects(l.run.Data()) {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// whole says whether every version can be read whole.
func (l *lab) wholeVersions() {
	l.t.Helper()
	for key := range l.objects(l.run.Versions()) {
		n, ok := store.VersionNumber(key)
		if !ok {
			continue
		}
		m := l.manifest(n)
		for _, s := range append(m.Shards, m.Rejects...) {
			if err := CheckFile(l.t.Context(), l.store, s); err != nil {
				l.t.Errorf("version %d: %v", n, err)
			}
		}
		body, err := l.store.Get(l.t.Context(), key)
		l.must(err)
		attestation, err := Attestation(l.t.Context(), l.store, l.run.Dataset, body)
		l.must(err)
		if err := provenance.CheckVersion([]ed25519.PublicKey{provenance.PublicOf(labKey)}, attestation, body, m); err != nil {
			l.t.Errorf("version %d: %v", n, err)
		}
	}
}

// What versions and open or held runs need is never marked; what a failed run wrote is, and its answers are kept; it goes after a day and not before.
func TestGCTakesWhatNothingNeeds(t *testing.T) {
	l := twoVersions(t)
	l.state("r1", schema.StatePublished)
	l.state("r2", schema.StatePublished)
	for _, run := range []string{"r3", "r4", "r5", "r6"} {
		l.anew(run)
	}
	l.state("r3", schema.StateFailed)
	l.state("r4", schema.StateHeld)
	l.state("r5", schema.StateWriting)
	// r6 has begun, and no worker has taken it up.
	l.must(l.store.Put(t.Context(), l.run.Dataset.Run("preview-1").Home()+"plan.json", []byte("{}")))
	l.must(l.store.Put(t.Context(), l.run.Data()+"somebody-elses.parquet", []byte("x")))
	m := l.manifest(2)
	m.Run, m.Version = "r3", 9
	stray, err := provenance.SignVersion(labKey, "k", m, []byte("{}"))
	l.must(err)
	l.must(l.store.Put(t.Context(), l.run.Attestation(provenance.Digest([]byte("{}"))), stray))
	before := l.objects("")
	if got := l.gc(l.store, 0); len(got) != 0 {
		t.Fatalf("removed at once: %v", got)
	}
	got := l.gc(l.store, 1)
	for _, key := range got {
		if !strings.Contains(key, "r3") && !strings.Contains(key, "preview-1") && !strings.Contains(key, "_attestations/") || strings.Contains(key, "/answers/") || strings.Contains(key, "/plan/0") {
			t.Errorf("removed %s", key)
		}
	}
	for _, want := range []string{"train-r3-", "_runs/r3/index/", "_runs/r3/layout.json", "preview-1/plan.json", "_attestations/"} {
		if !slices.ContainsFunc(got, func(k string) bool { return strings.Contains(k, want) }) {
			t.Errorf("%s stayed", want)
		}
	}
	after := l.objects("")
	if added := 2; len(before)-len(after)+added != len(got) { // the marks, and the fence
		t.Errorf("%d objects became %d; %d were removed", len(before), len(after), len(got))
	}
	l.wholeVersions()
	if got := l.gc(l.store, 2, 3); len(got) != 0 {
		t.Errorf("later: %v", got)
	}
	c := &Collector{Store: l.store, Dataset: l.run.Dataset, Now: time.Now(), Answers: true}
	all, err := c.Mark(t.Context())
	l.must(err)
	if !slices.ContainsFunc(all, func(m Mark) bool { return strings.Contains(m.Key, "_runs/r3/answers/") }) || slices.ContainsFunc(all, func(m Mark) bool { return strings.HasSuffix(m.Key, "_runs/r3/status.json") }) {
		t.Errorf("with answers: %+v", all)
	}
}

// States of gates go once their run has ended, published or not, and no fence is put for them: the log and the pages give them again.
func TestGCTakesStatesOfGates(t *testing.T) {
	l := twoVersions(t)
	l.state("r1", schema.StatePublished)
	l.state("r2", schema.StatePublished)
	for run, state := range map[string]string{"r3": schema.StateFailed, "r4": schema.StateHeld} {
		l.anew(run)
		l.state(run, state)
	}
	for _, run := range []string{"r1", "r3", "r4"} {
		of := l.run.Dataset.Run(run)
		for _, key := range []string{of.GateState(2), of.GateLog(2), of.GateVerdict(2)} {
			l.must(l.store.Put(t.Context(), key, []byte("x")))
		}
	}
	got := l.gc(l.store, 0, 1)
	for run, want := range map[string]bool{"r1": true, "r3": true, "r4": false} {
		of := l.run.Dataset.Run(run)
		if slices.Contains(got, of.GateState(2)) != want {
			t.Errorf("%s: state removed %v, want %v", run, !want, want)
		}
		if slices.Contains(got, of.GateLog(2)) || slices.Contains(got, of.GateVerdict(2)) {
			t.Errorf("%s: its log or verdict is gone", run)
		}
	}
	if _, err := l.store.Head(t.Context(), l.run.Dataset.Run("r1").Collected()); !notFound(err) {
		t.Errorf("a fence at a published run: %v", err)
	}
}

// What is needed again, or is another object, begins its day anew.
func TestGCMarksAnew(t *testing.T) {
	l := twoVersions(t)
	l.anew("r3")
	l.state("r3", schema.StateFailed)
	l.gc(l.store, 0)
	l.state("r3", schema.StateHeld)
	l.gc(l.store, 1)
	l.state("r3", schema.StateFailed)
	if got := l.gc(l.store, 1); len(got) != 0 {
		t.Errorf("needed in between: %v", got)
	}
	key := l.run.Dataset.Shard("train", "r3", 0)
	body, err := l.store.Get(t.Context(), key)
	l.must(err)
	l.must(l.store.Put(t.Context(), key, append(body, 'x')))
	if got := l.gc(l.store, 2); slices.Contains(got, key) {
		t.Error("another object was removed in the place of the one that was marked")
	}
}

// A run that is under way by its status alone is left alone unless Temporal says that it isn't, and its status is old.
func TestGCAndADeadRun(t *testing.T) {
	l := twoVersions(t)
	l.anew("r3")
	l.state("r3", schema.StateWriting)
	for name, c := range map[string]struct {
		days int
		dead func(string) bool
		want bool
	}{
		"Temporal can't be asked": {3, nil, false}, "it runs": {3, func(string) bool { return false }, false}, "it has just stopped": {0, func(string) bool { return true }, false}, "it is gone": {3, func(string) bool { return true }, true},
	} {
		g := &Collector{Store: l.store, Dataset: l.run.Dataset, Now: time.Now().Add(time.Duration(c.days) * MarkedFor), Dead: c.dead}
		all, err := g.Mark(t.Context())
		l.must(err)
		if got := slices.ContainsFunc(all, func(m Mark) bool { return m.Run == "r3" }); got != c.want {
			t.Errorf("%s: marked %v, want %v", name, got, c.want)
		}
	}
}

// sleeper is a store that does something before its n-th operation of any kind, from 1.
type sleeper struct {
	store.Store
	at, n int
	do    func()
}

func (s *sleeper) step() {
	if s.n++; s.n == s.at {
		s.do()
	}
}

func (s *sleeper) PutNew(ctx context.Context, key string, body []byte) error {
	s.step()
	return s.Store.PutNew(ctx, key, body)
}
func (s *sleeper) Get(ctx context.Context, key string) ([]byte, error) {
	s.step()
	return s.Store.Get(ctx, key)
}
func (s *sleeper) Head(ctx context.Context, key string) (store.Info, error) {
	s.step()
	return s.Store.Head(ctx, key)
}
func (s *sleeper) Open(ctx context.Context, key, etag string) (io.ReadCloser, error) {
	s.step()
	return s.Store.Open(ctx, key, etag)
}
func (s *sleeper) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	s.step()
	return s.Store.List(ctx, prefix, after)
}

// A worker falls asleep before every single operation of its publish, or of its retraction, in turn, and comes back after two days. Meanwhile its run was given
// up as failed, and gc has marked and removed what it could; with and without another run's version in between. Whatever happens: every version that
// stands there can be read whole and is signed, the run is published once or fails clearly, and a second attempt says the same.
func TestAWorkerComesBackAfterTwoDays(t *testing.T) {
	base := twoVersions(t)
	other := base.anew("r3").publish
	late := base.anew("r4").publish
	base.state("r4", schema.StateFailed)
	base.state("r3", schema.StatePublishing)
	retraction := base.retraction("retract-1", schema.Retracted{Records: base.ids(base.manifest(1))[:2]})
	start := base.objects("")
	publish := func(r *Rooms) (schema.PublishResult, error) { return r.Publish(t.Context(), late) }
	retract := func(r *Rooms) (schema.PublishResult, error) { return r.Retract(t.Context(), retraction) }
	for _, c := range []struct {
		name, run string
		do        func(*Rooms) (schema.PublishResult, error)
	}{{"publish", "r4", publish}, {"retract", "retract-1", retract}} {
		for _, between := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/another=%v", c.name, between), func(t *testing.T) {
				steps, published, failed := 1, 0, 0
				for at := 1; at <= steps; at++ {
					l := base.copied(t, start)
					asleep := &sleeper{Store: l.store, at: at, do: func() {
						if between {
							_, err := l.rooms(l.store).Publish(t.Context(), other)
							l.must(err)
							l.state("r3", schema.StatePublished)
						}
						l.gc(l.store, 0, 1, 2)
					}}
					got, err := c.do(l.rooms(asleep))
					steps = max(steps, min(asleep.n, 60))
					if l.outcomeOf(c.run, at, got, err, c.do); err == nil {
						published++
					} else {
						failed++
					}
				}
				if failed == 0 || published == 0 && !(between && c.name == "publish") { // a publish that finds its number taken must claim the next, and can't
					t.Errorf("published %d, failed %d: one of the two was never tried", published, failed)
				}
				t.Logf("%d operations; published %d times, failed clearly %d times", steps, published, failed)
			})
		}
	}
}

// copied is a lab with these objects.
func (l *lab) copied(t *testing.T, objects map[string]string) *lab {
	c := &lab{t: t, store: store.NewMemory("bucket"), config: l.config, ref: l.ref, run: l.run, logs: &strings.Builder{}, dir: t.TempDir()}
	for key, body := range objects {
		c.must(c.store.Put(t.Context(), key, []byte(body)))
	}
	return c
}

// outcomeOf holds what a run that slept came to against what stands there, and against what a second attempt says.
func (l *lab) outcomeOf(run string, at int, got schema.PublishResult, err error, again func(*Rooms) (schema.PublishResult, error)) {
	l.t.Helper()
	l.wholeVersions()
	second, errSecond := again(l.rooms(l.store))
	var e *schema.Error
	switch {
	case err == nil && (errSecond != nil || second != got):
		l.t.Errorf("operation %d: published as %+v; again %+v, %v", at, got, second, errSecond)
	case err != nil && (!errors.As(err, &e) || e.Code != "collected"):
		l.t.Errorf("operation %d: it failed unclearly: %v", at, err)
	case err != nil && errSecond == nil:
		l.t.Errorf("operation %d: first %v; then it was published as %+v", at, err, second)
	}
	versions := 0
	for key := range l.objects(l.run.Versions()) {
		if n, ok := store.VersionNumber(key); ok && l.manifest(n).Run == run {
			versions++
		}
	}
	if err == nil && versions != 1 || err != nil && versions != 0 {
		l.t.Errorf("operation %d: %d versions of the run; %v", at, versions, err)
	}
	l.wholeVersions()
}

// gc is killed between any two of its own writes, and runs again: nothing that is needed is gone, and what isn't needed goes in the end.
func TestEveryWriteOfGCMayFail(t *testing.T) {
	base := twoVersions(t)
	base.anew("r3")
	base.state("r3", schema.StateFailed)
	start := base.objects("")
	for at := 1; at <= 40; at++ {
		l := base.copied(t, start)
		b := &breaking{Store: l.store, at: at}
		for day := range 2 {
			c := &Collector{Store: deleting{b}, Dataset: l.run.Dataset, Now: time.Now().Add(time.Duration(day) * MarkedFor)}
			if all, err := c.Mark(t.Context()); err == nil {
				c.Sweep(t.Context(), all) //nolint:errcheck // killed
			}
		}
		l.gc(l.store, 2, 3)
		l.wholeVersions()
		if got := l.shards(); len(got) != 2 {
			t.Fatalf("killed at %d: shards %v", at, got)
		}
		if !b.dead {
			return
		}
	}
	t.Error("gc has more than 40 writes")
}

// deleting counts deletes as writes.
type deleting struct{ *breaking }

func (d deleting) Delete(ctx context.Context, keys ...string) error {
	return d.write(func() error { return d.Store.Delete(ctx, keys...) })
}
