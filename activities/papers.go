package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/retort-data/retort/report"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// PutPapers puts the card and croissant.json of the dataset's newest version. It may run at once with others and long after it was
// meant to: what stands there of a newer version stays.
func PutPapers(ctx context.Context, s store.Store, d store.Dataset) error {
	n, err := NewestVersion(ctx, s, d)
	if err != nil || n == 0 {
		return err
	}
	p, err := Papers(ctx, s, d, n)
	if err != nil {
		return err
	}
	card, err := p.Card()
	if err != nil {
		return err
	}
	croissant, err := p.Croissant()
	if err != nil {
		return err
	}
	if err := putNewest(ctx, s, d.Card(), card, n, report.CardVersion); err != nil {
		return err
	}
	return putNewest(ctx, s, d.Croissant(), croissant, n, croissantVersion)
}

// croissantVersion is the version that a croissant.json is of; 0 where it doesn't say.
func croissantVersion(body []byte) (n int) {
	var c struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(body, &c) == nil {
		fmt.Sscanf(c.Version, "%d.", &n) //nolint:errcheck // no number: 0
	}
	return n
}

// putNewest overwrites a paper unless a newer version's stands there, or comes while it looks.
func putNewest(ctx context.Context, s store.Store, key string, body []byte, n int, versionOf func([]byte) int) error {
	for {
		info, err := s.Head(ctx, key)
		if notFound(err) {
			if err := s.PutNew(ctx, key, body); !errors.Is(err, store.ErrExists) {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		stands, err := readPinned(ctx, s, key, info.ETag)
		if notFound(err) || errors.Is(err, store.ErrChanged) {
			continue
		}
		if err != nil {
			return err
		}
		if versionOf(stands) > n || bytes.Equal(stands, body) {
			return nil
		}
		if err := s.PutOver(ctx, key, body, info.ETag); !errors.Is(err, store.ErrChanged) {
			return err
		}
	}
}

func readPinned(ctx context.Context, s store.Store, key, etag string) ([]byte, error) {
	r, err := s.Open(ctx, key, etag)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Papers gathers what the papers of version n are made from.
func Papers(ctx context.Context, s store.Store, d store.Dataset, n int) (*report.Papers, error) {
	body, err := s.Get(ctx, d.Manifest(n))
	if err != nil {
		return nil, err
	}
	m, err := LoadManifest(ctx, s, d, n)
	if err != nil {
		return nil, err
	}
	p := &report.Papers{Manifest: m, Digest: digest(body), Home: d.Home()}
	if p.Earlier, err = earlier(ctx, s, d, m); err != nil {
		return nil, err
	}
	p.Summary, err = LoadSummary(ctx, s, d.Run(m.Run))
	return p, err
}

// earlier reads the manifests of the versions whose shards m keeps, newest first.
func earlier(ctx context.Context, s store.Store, d store.Dataset, m *schema.Manifest) (all []*schema.Manifest, err error) {
	missing := map[string]bool{}
	for _, shard := range m.Shards {
		if shard.Run != m.Run {
			missing[shard.Run] = true
		}
	}
	for n := m.Parent; n > 0 && len(missing) > 0; {
		parent, err := LoadManifest(ctx, s, d, n)
		if err != nil {
			return nil, err
		}
		if missing[parent.Run] {
			delete(missing, parent.Run)
			all = append(all, parent)
		}
		n = parent.Parent
	}
	return all, nil
}

// LoadSummary reads what was measured of a run; nil where nothing was.
func LoadSummary(ctx context.Context, s store.Store, run store.Run) (*report.Summary, error) {
	body, err := s.Get(ctx, run.Summary())
	if notFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sum := &report.Summary{}
	if err := json.Unmarshal(body, sum); err != nil || sum.Format != report.SummaryFormat {
		return nil, nil // of another version of Retort: as if nothing had been measured
	}
	return sum, nil
}

// paperFault keeps what can't be mended by trying again from failing a run whose version stands already: it is told on the worker's log and
// beside the run.
func (r *Rooms) paperFault(err error, run store.Run) error {
	var e *schema.Error
	if err == nil || !errors.As(err, &e) || e.Kind != schema.KindFailed {
		return err
	}
	r.Log.Warn("the version is published; its card could not be put", "dataset", run.Name, "run", run.ID, "error", err)
	b, jsonErr := json.MarshalIndent(Problem{Step: schema.StepPublish, Code: "papers", Message: err.Error(), Attempt: 1, At: time.Now().UTC()}, "", " ")
	if jsonErr != nil {
		return jsonErr
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return r.Store.Put(ctx, run.Problem("papers"), b)
}
