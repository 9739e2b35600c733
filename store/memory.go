package store

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // an ETag, not a safeguard
	"encoding/hex"
	"io"
	"iter"
	"sort"
	"strings"
	"sync"
	"time"
)

// Memory is a Store for tests. The zero value is ready.
type Memory struct {
	Name string

	mu      sync.Mutex
	objects map[string]memoryObject
}

type memoryObject struct {
	body []byte
	info Info
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty bucket.
func NewMemory(bucket string) *Memory { return &Memory{Name: bucket} }

func (m *Memory) Bucket() string { return m.Name }

func (m *Memory) put(key string, body []byte, when condition) error {
	if err := confine("", key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	stands, ok := m.objects[key]
	switch {
	case ok && when.absent:
		return ErrExists
	case when.etag != "" && stands.info.ETag != when.etag:
		return ErrChanged
	}
	if m.objects == nil {
		m.objects = map[string]memoryObject{}
	}
	sum := md5.Sum(body) //nolint:gosec // an ETag
	m.objects[key] = memoryObject{bytes.Clone(body), Info{Key: key, ETag: `"` + hex.EncodeToString(sum[:]) + `"`, Size: int64(len(body)), Modified: time.Now()}}
	return nil
}

func (m *Memory) PutNew(ctx context.Context, key string, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.put(key, body, condition{absent: true})
}

func (m *Memory) Put(ctx context.Context, key string, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.put(key, body, condition{})
}

func (m *Memory) PutOver(ctx context.Context, key string, body []byte, etag string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.put(key, body, condition{etag: etag})
}

func (m *Memory) PutFileNew(ctx context.Context, key string, file io.ReaderAt, size int64) error {
	body, err := io.ReadAll(io.NewSectionReader(file, 0, size))
	if err != nil {
		return err
	}
	return m.PutNew(ctx, key, body)
}

func (m *Memory) find(ctx context.Context, key, etag string) (memoryObject, error) {
	if err := ctx.Err(); err != nil {
		return memoryObject{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return o, ErrNotFound
	}
	if etag != "" && o.info.ETag != etag {
		return o, ErrChanged
	}
	return o, nil
}

func (m *Memory) Get(ctx context.Context, key string) ([]byte, error) {
	o, err := m.find(ctx, key, "")
	return bytes.Clone(o.body), err
}

func (m *Memory) Open(ctx context.Context, key, etag string) (io.ReadCloser, error) {
	o, err := m.find(ctx, key, etag)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(o.body)), nil
}

func (m *Memory) ReadRange(ctx context.Context, key, etag string, offset, n int64) ([]byte, error) {
	o, err := m.find(ctx, key, etag)
	if err != nil {
		return nil, err
	}
	size := int64(len(o.body))
	if offset >= size {
		return nil, io.EOF
	}
	return bytes.Clone(o.body[offset:min(offset+n, size)]), nil
}

func (m *Memory) Head(ctx context.Context, key string) (Info, error) {
	o, err := m.find(ctx, key, "")
	return o.info, err
}

func (m *Memory) List(ctx context.Context, prefix, startAfter string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(Info{}, err)
			return
		}
		m.mu.Lock()
		var infos []Info
		for k, o := range m.objects {
			if strings.HasPrefix(k, prefix) && k > startAfter {
				infos = append(infos, o.info)
			}
		}
		m.mu.Unlock()
		sort.Slice(infos, func(i, j int) bool { return infos[i].Key < infos[j].Key })
		for _, in := range infos {
			if !yield(in, nil) {
				return
			}
		}
	}
}

func (m *Memory) Folders(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	for in, err := range m.List(ctx, prefix, "") {
		if err != nil {
			return nil, err
		}
		name, _, ok := strings.Cut(in.Key[len(prefix):], "/")
		if ok && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (m *Memory) Delete(ctx context.Context, keys ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		delete(m.objects, k)
	}
	return ctx.Err()
}
