package activities

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// putVersion commits a manifest as version m.Version, or says errAnother. Before the put it claims the number, so that gc leaves the
// run's files alone for as long as the put may still succeed, looks whether gc was there first, and looks for every file again.
func (r *Rooms) putVersion(ctx context.Context, run store.Run, m *schema.Manifest) (schema.PublishResult, error) {
	body, err := schema.CanonicalManifest(m)
	if err != nil {
		return schema.PublishResult{}, err
	}
	if err := r.claim(ctx, run, m.Version); err != nil {
		return schema.PublishResult{}, err
	}
	if err := r.allThere(ctx, m); err != nil {
		return schema.PublishResult{}, err
	}
	if err := r.attest(ctx, run.Dataset, m, body); err != nil {
		return schema.PublishResult{}, err
	}
	key := run.Manifest(m.Version)
	for {
		if err := ctx.Err(); err != nil {
			return schema.PublishResult{}, err
		}
		err := r.Store.PutNew(context.WithoutCancel(ctx), key, body) // the commit isn't stopped half-way: it was made, or it wasn't
		if err == nil {
			return schema.PublishResult{Version: m.Version, Digest: digest(body)}, nil
		}
		if !errors.Is(err, store.ErrExists) {
			return schema.PublishResult{}, err
		}
		stands, err := r.Store.Get(ctx, key)
		switch {
		case notFound(err): // a 409 of a put that then failed: nothing stands there
			continue
		case err != nil:
			return schema.PublishResult{}, err
		}
		if ReadManifest(stands).Run == run.ID {
			return schema.PublishResult{Version: m.Version, Digest: digest(stands)}, nil
		}
		return schema.PublishResult{}, errAnother
	}
}

// claim says that the run is about to become version n, and refuses where gc has been. gc does the same the other way round: it says that
// it collects the run, and then looks for claims. So at least one of the two sees the other, however long either sleeps.
func (r *Rooms) claim(ctx context.Context, run store.Run, n int) error {
	if err := putValue(ctx, r.Store, run.Claim(n), map[string]int{"version": n}); err != nil {
		return err
	}
	return r.collected(ctx, run)
}

// collected is an error where gc has taken the run.
func (r *Rooms) collected(ctx context.Context, run store.Run) error {
	_, err := r.Store.Head(ctx, run.Collected())
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return &schema.Error{Kind: schema.KindFailed, Code: "collected", Op: "publish", Subject: run.ID, Cause: errors.New("the run had ended, and `retort gc` has collected its files since"),
		Hint: "Nothing was published. Start a new run; what was paid for stands in " + run.URI(run.Home()) + " unless gc was told to take it."}
}

// whyGone says of a run's object that isn't there that gc has taken it, where that is so.
func (r *Rooms) whyGone(ctx context.Context, run store.Run, err error) error {
	if !notFound(err) {
		return err
	}
	if gone := r.collected(ctx, run); gone != nil {
		return gone
	}
	return err
}

// mostHeads bounds the look-ups under way at once.
const mostHeads = 16

// allThere looks for every file of the version; the run's own were read back and compared before.
func (r *Rooms) allThere(ctx context.Context, m *schema.Manifest) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(mostHeads)
	for _, files := range [][]schema.Shard{m.Shards, m.Rejects} {
		for _, s := range files {
			g.Go(func() error {
				in, err := r.Store.Head(ctx, s.Key)
				if err != nil {
					return missing(s, err)
				}
				if in.Size != s.Bytes {
					return &schema.Error{Kind: schema.KindFailed, Code: "shard_differs", Op: "check", Subject: s.URI,
						Cause: fmt.Errorf("%d bytes stand there; %d were written", in.Size, s.Bytes), Hint: "Something else wrote to this key, or the store lost data."}
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// missing says of a file that isn't there that nothing is published without it.
func missing(s schema.Shard, err error) error {
	if !notFound(err) {
		return err
	}
	return &schema.Error{Kind: schema.KindFailed, Code: "shard_missing", Op: "check", Subject: s.URI, Cause: err,
		Hint: "Something deleted it. A version that lists it can't be read whole."}
}

// chain ties a manifest to its parent, and returns the parent, nil where there is none.
func (r *Rooms) chain(ctx context.Context, d store.Dataset, m *schema.Manifest) (*schema.Manifest, error) {
	if m.Parent == 0 {
		return nil, nil
	}
	parent, body, err := ManifestBytes(ctx, r.Store, d, m.Parent)
	if err != nil {
		return nil, err
	}
	if parent.Version != m.Parent {
		return nil, &schema.Error{Kind: schema.KindFailed, Code: "manifest", Op: "read", Subject: d.URI(d.Manifest(m.Parent)),
			Cause: fmt.Errorf("the manifest that stands there is of version %d", parent.Version), Hint: "Somebody exchanged it. See: retort verify " + d.Name}
	}
	m.ParentDigest, m.Retracted = digest(body), parent.Retracted
	return parent, nil
}
