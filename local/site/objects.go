package site

import (
	"context"
	"os"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Bucket is the site's.
const Bucket = "retort"

// Objects opens the site's bucket. Credentials come from the environment of this process, which is set for that.
func (s *Site) Objects(ctx context.Context) (store.Store, error) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	return store.OpenS3(ctx, schema.StoreConfig{Endpoint: s.S3Endpoint, Region: "us-east-1", Bucket: Bucket, PathStyle: true}, "")
}
