package activities

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/retort-data/retort/report"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// papersOf are the versions that card and croissant.json say they are of.
func (l *lab) papersOf() [2]int {
	l.t.Helper()
	card, err := l.store.Get(l.t.Context(), l.run.Card())
	l.must(err)
	croissant, err := l.store.Get(l.t.Context(), l.run.Croissant())
	l.must(err)
	return [2]int{report.CardVersion(card), croissantVersion(croissant)}
}

func TestPapersAreOfTheNewestVersion(t *testing.T) {
	l, r, one := writtenRun(t, "")
	var err error
	one.result, err = r.Publish(t.Context(), one.publish)
	l.must(err)
	if got := l.papersOf(); got != [2]int{1, 1} {
		t.Fatalf("after version 1 the papers are of %v", got)
	}
	two := l.another("r2")
	_, err = l.rooms(l.store).Publish(t.Context(), two.publish)
	l.must(err)
	if got := l.papersOf(); got != [2]int{2, 2} {
		t.Fatalf("after version 2 the papers are of %v", got)
	}
	card, err := l.store.Get(t.Context(), l.run.Card())
	l.must(err)
	for _, s := range l.manifest(2).Shards {
		if !strings.Contains(string(card), "- "+report.RelativePath("d", s)+"\n") {
			t.Errorf("the card's configs lack %s", s.Key)
		}
	}
	// The first run's Publish once more, as a worker that comes back after days would do it.
	got, err := l.rooms(l.store).Publish(t.Context(), one.publish)
	l.must(err)
	if now := l.papersOf(); got.Version != 1 || now != [2]int{2, 2} {
		t.Errorf("a late attempt of version %d left the papers of %v", got.Version, now)
	}
}

// whileReading runs something between the reading of a paper and the put over it.
type whileReading struct {
	store.Store
	key  string
	do   func()
	once sync.Once
}

func (w *whileReading) Open(ctx context.Context, key, etag string) (io.ReadCloser, error) {
	got, err := w.Store.Open(ctx, key, etag)
	if key == w.key {
		w.once.Do(w.do)
	}
	return got, err
}

// A worker that stopped between its look at the card and its put, while a newer version was published, puts nothing over it.
func TestNoOlderCardOverANewerOne(t *testing.T) {
	l, r, one := writtenRun(t, "")
	_, err := r.Publish(t.Context(), one.publish)
	l.must(err)
	card, err := l.store.Get(t.Context(), l.run.Card())
	l.must(err)
	two := l.another("r2")
	slow := &whileReading{Store: l.store, key: l.run.Card(), do: func() {
		if _, err := l.rooms(l.store).Publish(t.Context(), two.publish); err != nil {
			t.Error(err)
		}
	}}
	l.must(putNewest(t.Context(), slow, l.run.Card(), append(card, "an older worker's"...), 1, report.CardVersion))
	if got := l.papersOf(); got != [2]int{2, 2} {
		t.Errorf("the papers are of %v", got)
	}
}

// A card can't be put: the version stands, the run is published, and why the card is missing stands beside the run.
func TestAMissingCardFailsNoRun(t *testing.T) {
	l, _, f := writtenRun(t, "")
	r := l.rooms(&cardless{l.store})
	got, err := r.Publish(t.Context(), f.publish)
	l.must(err)
	if got.Version != 1 {
		t.Errorf("version %d", got.Version)
	}
	if _, err := l.store.Get(t.Context(), l.run.Problem("papers")); err != nil {
		t.Error(err)
	}
}

// cardless refuses the card for good.
type cardless struct{ store.Store }

func (c *cardless) PutNew(ctx context.Context, key string, body []byte) error {
	if strings.HasSuffix(key, "README.md") {
		return &schema.Error{Kind: schema.KindFailed, Code: "s3_accessdenied", Op: "put", Subject: key}
	}
	return c.Store.PutNew(ctx, key, body)
}

// The report stands beside the manifest, before it: of that version and run, and with what the run's pages say.
func TestReportStandsBeforeTheManifest(t *testing.T) {
	l, r, one := writtenRun(t, "")
	order := &putOrder{Store: l.store}
	r.Store = order
	_, err := r.Publish(t.Context(), one.publish)
	l.must(err)
	report, manifest := order.at(l.run.Report(1, "r1")), order.at(l.run.Manifest(1))
	if report < 0 || report > manifest {
		t.Errorf("the report was put as number %d, the manifest as %d", report, manifest)
	}
	page, err := l.store.Get(t.Context(), l.run.Report(1, "r1"))
	l.must(err)
	for _, want := range []string{"version 1", "Tell me about topic", "rejected: exact", digest([]byte(l.objects(l.run.Manifest(1))[l.run.Manifest(1)]))} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	sum, err := LoadSummary(t.Context(), l.store, l.run)
	l.must(err)
	if sum == nil || len(sum.Teachers) != 1 || sum.Teachers[0].Admitted != prompts || sum.Teachers[0].Rejected != prompts || len(sum.Signals) == 0 {
		t.Errorf("summary %+v", sum)
	}
}

// putOrder notes the order of puts.
type putOrder struct {
	store.Store
	mu   sync.Mutex
	keys []string
}

func (p *putOrder) PutNew(ctx context.Context, key string, body []byte) error {
	p.mu.Lock()
	p.keys = append(p.keys, key)
	p.mu.Unlock()
	return p.Store.PutNew(ctx, key, body)
}

func (p *putOrder) at(key string) int { return slices.Index(p.keys, key) }

// A run whose number another takes has its report under the next one; the one under the other's number is left to gc.
func TestReportUnderTheNextNumber(t *testing.T) {
	l, _, one := writtenRun(t, "")
	two := l.another("r2")
	between := &before{Store: l.store, key: "_versions/000001.json", do: func() {
		if _, err := l.rooms(l.store).Publish(t.Context(), two.publish); err != nil {
			t.Error(err)
		}
	}}
	got, err := l.rooms(between).Publish(t.Context(), one.publish)
	l.must(err)
	if got.Version != 2 {
		t.Fatalf("version %d", got.Version)
	}
	var reports []string
	for key := range l.objects(l.run.Versions()) {
		if strings.HasSuffix(key, ".html") {
			reports = append(reports, strings.TrimPrefix(key, l.run.Versions()))
		}
	}
	slices.Sort(reports)
	if want := []string{"000001-r1.report.html", "000001-r2.report.html", "000002-r1.report.html"}; !slices.Equal(reports, want) {
		t.Errorf("reports %v, want %v", reports, want)
	}
}
