package activities

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// written returns a run whose files stand there, ready to be published.
func writtenRun(t testing.TB, more string) (*lab, *Rooms, *flow) {
	l := newLab(t, more)
	r := l.rooms(l.store)
	f := l.flow(r)
	f.decide()
	f.write()
	return l, r, f
}

// another begins and writes a second run of the dataset, with other prompts.
func (l *lab) another(id string) *flow {
	l.t.Helper()
	l.sources(prompts + 7)
	l.begin(id)
	f := l.flow(l.rooms(l.store))
	f.decide()
	f.write()
	return f
}

func (l *lab) manifest(n int) *schema.Manifest {
	l.t.Helper()
	m, err := LoadManifest(l.t.Context(), l.store, l.run.Dataset, n)
	l.must(err)
	return m
}

// before runs something before the first put of a key that contains a text.
type before struct {
	store.Store
	key  string
	do   func()
	once sync.Once
}

func (b *before) PutNew(ctx context.Context, key string, body []byte) error {
	if strings.Contains(key, b.key) {
		b.once.Do(b.do)
	}
	return b.Store.PutNew(ctx, key, body)
}

// Two runs that publish at once become two versions, the later one with the earlier as its parent and with its shards.
func TestTwoRunsPublishAtOnce(t *testing.T) {
	for range 5 {
		l, _, one := writtenRun(t, "")
		two := l.another("r2")
		var wg sync.WaitGroup
		for _, f := range []*flow{one, two} {
			wg.Go(func() {
				var err error
				if f.result, err = l.rooms(l.store).Publish(t.Context(), f.publish); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		versions := []int{one.result.Version, two.result.Version}
		if slices.Sort(versions); !slices.Equal(versions, []int{1, 2}) {
			t.Fatalf("versions %v", versions)
		}
		first, second := l.manifest(1), l.manifest(2)
		if second.Parent != 1 || first.Parent != 0 || len(second.Shards) != len(first.Shards)+1 || second.Run == first.Run {
			t.Errorf("parents %d and %d, shards %d and %d", first.Parent, second.Parent, len(first.Shards), len(second.Shards))
		}
	}
}

// Attempts of one run at once publish it once, and all are told the same version.
func TestOneRunPublishedByMany(t *testing.T) {
	l, _, f := writtenRun(t, "")
	got := make([]schema.PublishResult, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = l.rooms(l.store).Publish(t.Context(), f.publish); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, g := range got {
		if g.Version != 1 || g != got[0] {
			t.Errorf("one was told %+v, another %+v", got[0], g)
		}
	}
	if n := l.manifests(); n != 1 {
		t.Errorf("%d manifests", n)
	}
}

// Another run's manifest that comes between look and put takes the number; this run becomes the next one, on top of it.
func TestAnotherRunComesBetween(t *testing.T) {
	l, _, one := writtenRun(t, "")
	two := l.another("r2")
	between := &before{Store: l.store, key: "_versions/", do: func() {
		var err error
		if two.result, err = l.rooms(l.store).Publish(t.Context(), two.publish); err != nil {
			t.Error(err)
		}
	}}
	got, err := l.rooms(between).Publish(t.Context(), one.publish)
	l.must(err)
	if got.Version != 2 || two.result.Version != 1 {
		t.Fatalf("versions %d and %d", got.Version, two.result.Version)
	}
	if m := l.manifest(2); m.Parent != 1 || m.Run != "r1" || len(m.Shards) != 2 {
		t.Errorf("parent %d, run %s, %d shards", m.Parent, m.Run, len(m.Shards))
	}
	// An attempt that nobody heard of is found again, though its run isn't the newest version any more.
	if again, err := l.rooms(l.store).Publish(t.Context(), two.publish); err != nil || again != two.result {
		t.Errorf("published again: %+v, %v; was %+v", again, err, two.result)
	}
}

// supersede lists the run's own shards alone.
func TestSupersede(t *testing.T) {
	l, _, one := writtenRun(t, "output: {previous: supersede}\n")
	two := l.another("r2")
	for _, f := range []*flow{one, two} {
		_, err := l.rooms(l.store).Publish(t.Context(), f.publish)
		l.must(err)
	}
	if m := l.manifest(2); len(m.Shards) != 1 || m.Parent != 1 || m.Shards[0].Run != "r2" {
		t.Errorf("version 2 lists %+v", m.Shards)
	}
}

// What doesn't add up isn't published, and nothing is put.
func TestPublishRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(l *lab, in *schema.PublishInput)
		code  string
	}{
		"counts that don't reconcile": {func(_ *lab, in *schema.PublishInput) { in.Counts.Planned++ }, "counts"},
		"counts that the files don't have": {func(_ *lab, in *schema.PublishInput) {
			in.Counts.Admitted--
			in.Counts.Unasked++
		}, "counts"},
		"rejects that no file has": {func(_ *lab, in *schema.PublishInput) {
			in.Counts.Rejected["near"]++
			in.Counts.Planned++
		}, "counts"},
		"a damaged shard": {func(l *lab, _ *schema.PublishInput) {
			key := l.run.Shard("train", "r1", 0)
			body, err := l.store.Get(l.t.Context(), key)
			l.must(err)
			body[len(body)/2] ^= 1
			l.must(l.store.Put(l.t.Context(), key, body))
		}, "shard_differs"},
		"a shortened shard": {func(l *lab, _ *schema.PublishInput) {
			key := l.run.Shard("train", "r1", 0)
			body, err := l.store.Get(l.t.Context(), key)
			l.must(err)
			l.must(l.store.Put(l.t.Context(), key, body[:len(body)-1]))
		}, "shard_differs"},
	} {
		t.Run(name, func(t *testing.T) {
			l, r, f := writtenRun(t, "")
			c.spoil(l, &f.publish)
			_, err := r.Publish(t.Context(), f.publish)
			var e *schema.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Kind != schema.KindFailed {
				t.Errorf("error %v, want code %s", err, c.code)
			}
			if n := len(l.objects(l.run.Versions())); n != 0 {
				t.Errorf("%d manifests were put", n)
			}
		})
	}
}

// A shard that is gone is no version.
func TestPublishWithoutAShard(t *testing.T) {
	l, r, f := writtenRun(t, "")
	l.must(l.store.Delete(t.Context(), l.run.Shard("train", "r1", 0)))
	if _, err := r.Publish(t.Context(), f.publish); !errors.Is(err, store.ErrNotFound) || len(l.objects(l.run.Versions())) != 0 {
		t.Errorf("error %v", err)
	}
}
