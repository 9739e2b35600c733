package stack_test

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/retort-data/retort/local/stack"
)

func TestGatewayCountsRequests(t *testing.T) {
	s := start(t, stack.Options{Only: []stack.Service{stack.S3}})
	before, err := stack.S3Requests(t.Context(), s.S3Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	c := s.S3Client()
	for range 3 { // two of them are refused, and count
		c.PutObject(t.Context(), &s3.PutObjectInput{ //nolint:errcheck // the refusals are meant
			Bucket: aws.String(s.Bucket), Key: aws.String("k"), Body: bytes.NewReader(make([]byte, 1000)), IfNoneMatch: aws.String("*"),
		})
	}
	if got := get(t, s, "k"); len(got) != 1000 {
		t.Fatalf("read %d bytes", len(got))
	}
	after, err := stack.S3Requests(t.Context(), s.S3Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if puts := after.Methods["PUT"] - before.Methods["PUT"]; puts != 3 {
		t.Errorf("%d puts counted, 3 sent", puts)
	}
	if gets := after.Methods["GET"] - before.Methods["GET"]; gets < 1 {
		t.Errorf("no get counted")
	}
	if in, out := after.BytesIn-before.BytesIn, after.BytesOut-before.BytesOut; in < 3000 || out < 1000 {
		t.Errorf("%d bytes in and %d out counted; 3,000 and 1,000 at least went", in, out)
	}
}
