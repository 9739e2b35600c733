package stack_test

import (
	"context"
	"testing"
	"time"

	"github.com/retort-data/retort/local/stack"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		at := time.Now()
		s, err := stack.Start(context.Background(), stack.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(time.Since(at), s.TemporalAddress, s.UIURL, s.S3Endpoint, s.AccessKey, s.SecretKey)
		at = time.Now()
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		t.Log("stop", time.Since(at))
	}
}
