package storetest

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/retort-data/retort/store"
)

// Under is the part of a store below a prefix, as an empty store of its own: for a bucket that has other things in it.
func Under(s store.Store, prefix string) store.Store { return under{s, prefix} }

type under struct {
	s      store.Store
	prefix string
}

func (u under) own(in store.Info) store.Info {
	in.Key = strings.TrimPrefix(in.Key, u.prefix)
	return in
}

func (u under) Bucket() string { return u.s.Bucket() }

func (u under) PutNew(ctx context.Context, key string, body []byte) error {
	return u.s.PutNew(ctx, u.prefix+key, body)
}

func (u under) Put(ctx context.Context, key string, body []byte) error {
	return u.s.Put(ctx, u.prefix+key, body)
}

func (u under) PutOver(ctx context.Context, key string, body []byte, etag string) error {
	return u.s.PutOver(ctx, u.prefix+key, body, etag)
}

func (u under) PutFileNew(ctx context.Context, key string, file io.ReaderAt, size int64) error {
	return u.s.PutFileNew(ctx, u.prefix+key, file, size)
}

func (u under) Get(ctx context.Context, key string) ([]byte, error) {
	return u.s.Get(ctx, u.prefix+key)
}

func (u under) Open(ctx context.Context, key, etag string) (io.ReadCloser, error) {
	return u.s.Open(ctx, u.prefix+key, etag)
}

func (u under) ReadRange(ctx context.Context, key, etag string, offset, n int64) ([]byte, error) {
	return u.s.ReadRange(ctx, u.prefix+key, etag, offset, n)
}

func (u under) Head(ctx context.Context, key string) (store.Info, error) {
	in, err := u.s.Head(ctx, u.prefix+key)
	return u.own(in), err
}

func (u under) List(ctx context.Context, prefix, startAfter string) iter.Seq2[store.Info, error] {
	if startAfter != "" {
		startAfter = u.prefix + startAfter
	}
	return func(yield func(store.Info, error) bool) {
		for in, err := range u.s.List(ctx, u.prefix+prefix, startAfter) {
			if !yield(u.own(in), err) {
				return
			}
		}
	}
}

func (u under) Folders(ctx context.Context, prefix string) ([]string, error) {
	return u.s.Folders(ctx, u.prefix+prefix)
}

func (u under) Delete(ctx context.Context, keys ...string) error {
	full := make([]string, len(keys))
	for i, k := range keys {
		full[i] = u.prefix + k
	}
	return u.s.Delete(ctx, full...)
}
