// Package store keeps objects: on S3, or in memory for tests. Every key follows from run, page and attempt, or from
// content, and is put if absent; see Layout for the keys.
package store

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// ErrExists says that a put-if-absent found an object. What stands there may be the caller's own, of an earlier attempt or of a
// reply that was lost: read it back before deciding.
var ErrExists = errors.New("the object exists already")

// ErrNotFound says that there is no object under the key.
var ErrNotFound = errors.New("no such object")

// ErrChanged says that an object is no longer the one that was pinned (If-Match failed).
var ErrChanged = errors.New("the object has changed since it was pinned")

// Info describes an object.
type Info struct {
	Key      string
	ETag     string
	Version  string // where the bucket keeps versions
	Size     int64
	Modified time.Time
}

// Store is one bucket. All methods may be called by many goroutines and repeated: a put-if-absent that is repeated returns
// ErrExists, a delete of what is gone succeeds.
type Store interface {
	// Bucket is the name, for URIs.
	Bucket() string
	// PutNew puts if absent; ErrExists where something is there.
	PutNew(ctx context.Context, key string, body []byte) error
	// Put overwrites. Only the card, croissant.json, the status of a run or night and what gc has marked are overwritten.
	Put(ctx context.Context, key string, body []byte) error
	// PutOver overwrites what has this etag and nothing else: ErrChanged where something else stands there, or nothing.
	PutOver(ctx context.Context, key string, body []byte, etag string) error
	// PutFileNew puts a file of any size if absent (in parts where large); the upload of a loser is aborted.
	PutFileNew(ctx context.Context, key string, file io.ReaderAt, size int64) error
	// Get reads a whole object; ErrNotFound where there is none.
	Get(ctx context.Context, key string) ([]byte, error)
	// Open streams an object; a non-empty etag must still be its own, else ErrChanged.
	Open(ctx context.Context, key, etag string) (io.ReadCloser, error)
	// ReadRange reads n bytes at offset of an object whose ETag must still be etag (where given).
	ReadRange(ctx context.Context, key, etag string, offset, n int64) ([]byte, error)
	// Head describes an object; ErrNotFound where there is none.
	Head(ctx context.Context, key string) (Info, error)
	// List yields the objects under a prefix in order of keys, from after startAfter.
	List(ctx context.Context, prefix, startAfter string) iter.Seq2[Info, error]
	// Folders lists the names between prefix and the next slash, each once, in order.
	Folders(ctx context.Context, prefix string) ([]string, error)
	// Delete removes keys, in batches; missing ones are no error.
	Delete(ctx context.Context, keys ...string) error
}
