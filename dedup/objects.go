package dedup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// objects are the segments and roots under a prefix. Keys follow from pages and content.
type objects struct {
	blobs      Blobs
	prefix     string
	isNotFound func(error) bool
}

func (o objects) get(ctx context.Context, key string) ([]byte, error) {
	body, err := o.blobs.Get(ctx, key)
	if err != nil && o.isNotFound != nil && o.isNotFound(err) {
		return nil, corrupt(key, err)
	}
	return body, err
}

// put puts if absent. What stands there already must be the same: an earlier attempt's, or another worker's.
func (o objects) put(ctx context.Context, key string, body []byte) error {
	err := o.blobs.PutNew(ctx, key, body)
	if err == nil {
		return nil
	}
	got, readErr := o.blobs.Get(ctx, key)
	if readErr != nil {
		return err
	}
	if !bytes.Equal(got, body) {
		return corrupt(key, errors.New("another object stands under its key"))
	}
	return nil
}

func (o objects) readSegment(ctx context.Context, ref segmentRef) ([]byte, error) {
	body, err := o.get(ctx, ref.Key)
	if err != nil {
		return nil, err
	}
	if sum := digest(body); sum != ref.SHA256 {
		return nil, corrupt(ref.Key, fmt.Errorf("its sha256 is %s, not %s", sum, ref.SHA256))
	}
	return body, nil
}

func (o objects) putSegment(ctx context.Context, ref segmentRef, body []byte) (segmentRef, error) {
	ref.SHA256, ref.Bytes = digest(body), len(body)
	ref.Key = fmt.Sprintf("%ssegments/%d-%09d-%09d-%s", o.prefix, ref.Level, ref.First, ref.Last, ref.SHA256[:32])
	return ref, o.put(ctx, ref.Key, body)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
