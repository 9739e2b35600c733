package store_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
	"github.com/retort-data/retort/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return store.NewMemory("bucket") })
}

func TestMemoryUnderAPrefix(t *testing.T) {
	s := store.NewMemory("bucket")
	if err := s.Put(t.Context(), "z", nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	storetest.Run(t, func(*testing.T) store.Store { n++; return storetest.Under(s, fmt.Sprintf("part/%d/", n)) })
}

// TestS3 runs against the bucket RETORT_TEST_S3_BUCKET behind RETORT_TEST_S3_ENDPOINT, with the AWS SDK's credentials. What it puts
// it deletes.
func TestS3(t *testing.T) {
	endpoint, bucket := os.Getenv("RETORT_TEST_S3_ENDPOINT"), os.Getenv("RETORT_TEST_S3_BUCKET")
	if endpoint == "" || bucket == "" {
		t.Skip("RETORT_TEST_S3_ENDPOINT and RETORT_TEST_S3_BUCKET name no S3 to test against")
	}
	s, err := store.OpenS3(t.Context(), schema.StoreConfig{Endpoint: endpoint, Bucket: bucket, Region: "us-east-1", PathStyle: true}, "")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	storetest.Run(t, func(t *testing.T) store.Store {
		n++
		own := storetest.Under(s, fmt.Sprintf("retort-test/%d-%d/%d/", time.Now().UnixNano(), os.Getpid(), n))
		t.Cleanup(func() {
			ctx := context.WithoutCancel(t.Context())
			var keys []string
			for in, err := range own.List(ctx, "", "") {
				if err != nil {
					t.Error(err)
					break
				}
				keys = append(keys, in.Key)
			}
			if err := own.Delete(ctx, keys...); err != nil {
				t.Error(err)
			}
		})
		return own
	})
}
