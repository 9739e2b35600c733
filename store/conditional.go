package store

import (
	"context"
	"errors"

	"github.com/retort-data/retort/schema"
)

// ProbeKey is where CheckConditional puts its one small object, under the store's prefix.
func ProbeKey(prefix string) string {
	return NewDataset("", prefix, "").Prefix + "_retort/conditional-put"
}

// CheckConditional finds out whether a store honours If-None-Match on puts: what is put first under a key must stay. Without it two workers
// could each publish a version of the same number, and one would be lost. It puts an object of some bytes and leaves it there, so
// that the next check costs two requests and nothing has to be deleted. A store that ignores the condition, or doesn't know it, is an error of
// KindInvalid; one that can't be reached is none of both: the error says what it is.
func CheckConditional(ctx context.Context, s Store, prefix string) error {
	key := ProbeKey(prefix)
	body := []byte("Retort put this here to find out whether this store honours If-None-Match on puts.\n")
	for try := range 2 {
		err := s.PutNew(ctx, key, body)
		var e *schema.Error
		switch {
		case errors.Is(err, ErrExists):
			return nil
		case errors.As(err, &e) && e.Code == "s3_notimplemented":
			return unconditional(s, key, e.Cause)
		case err != nil:
			return err
		case try == 1:
			return unconditional(s, key, errors.New("it put an object twice where the second put must be refused"))
		}
	}
	return nil
}

func unconditional(s Store, key string, cause error) error {
	return &schema.Error{Kind: schema.KindInvalid, Code: "unconditional", Op: "use the store", Subject: "s3://" + s.Bucket() + "/" + key, Cause: errors.Join(errors.New("it doesn't honour If-None-Match on puts"), cause),
		Hint: "Two workers could overwrite each other's versions there, so nothing is started. Use a store with conditional puts (AWS S3 has them since November 2024, as have current versions of MinIO, Ceph and others), upgrade this one, or turn off a proxy that drops the header."}
}
