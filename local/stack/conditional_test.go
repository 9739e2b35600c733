package stack_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/retort-data/retort/local/stack"
)

// The whole of Retort rests on this: of many who put one key if absent, one
// wins and the others are told so.
func TestPutIfAbsentHasOneWinner(t *testing.T) {
	s := start(t, stack.Options{Only: []stack.Service{stack.S3}})
	c := s.S3Client()
	const rounds, racers = 40, 16
	for round := range rounds {
		key := fmt.Sprintf("race/%d", round)
		winner := race(t, racers, func(racer int) error {
			_, err := c.PutObject(context.Background(), &s3.PutObjectInput{
				Bucket: aws.String(s.Bucket), Key: aws.String(key),
				Body: bytes.NewReader([]byte(fmt.Sprint(racer))), IfNoneMatch: aws.String("*"),
			})
			return err
		})
		if got := get(t, s, key); got != fmt.Sprint(winner) {
			t.Fatalf("%s: racer %d won but the object says %q", key, winner, got)
		}
	}
}

func TestCompleteMultipartIfAbsentHasOneWinner(t *testing.T) {
	s := start(t, stack.Options{Only: []stack.Service{stack.S3}})
	c := s.S3Client()
	const rounds, racers = 10, 8
	for round := range rounds {
		key := aws.String(fmt.Sprintf("multipart/%d", round))
		uploads := make([]*s3.CompleteMultipartUploadInput, racers)
		for i := range uploads {
			uploads[i] = uploadPart(t, c, s.Bucket, *key, fmt.Sprint(i))
			uploads[i].IfNoneMatch = aws.String("*")
		}
		winner := race(t, racers, func(racer int) error {
			_, err := c.CompleteMultipartUpload(context.Background(), uploads[racer])
			return err
		})
		if got := get(t, s, *key); got != fmt.Sprint(winner) {
			t.Fatalf("%s: racer %d won but the object says %q", *key, winner, got)
		}
	}
}

func TestPutIfMatch(t *testing.T) {
	s := start(t, stack.Options{Only: []stack.Service{stack.S3}})
	c := s.S3Client()
	put(t, s, "card", "one")
	head, err := c.HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: aws.String(s.Bucket), Key: aws.String("card")})
	if err != nil {
		t.Fatal(err)
	}
	winner := race(t, 16, func(racer int) error {
		_, err := c.PutObject(context.Background(), &s3.PutObjectInput{
			Bucket: aws.String(s.Bucket), Key: aws.String("card"),
			Body: bytes.NewReader([]byte(fmt.Sprint(racer))), IfMatch: head.ETag,
		})
		return err
	})
	if got := get(t, s, "card"); got != fmt.Sprint(winner) {
		t.Errorf("racer %d won but the object says %q", winner, got)
	}
}

// race runs n attempts at once and returns the one that succeeded. All others
// must have been refused with 412 or 409.
func race(t *testing.T, n int, attempt func(racer int) error) int {
	t.Helper()
	errs := make([]error, n)
	ready := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-ready
			errs[i] = attempt(i)
		})
	}
	close(ready)
	all.Wait()
	winner := -1
	for i, err := range errs {
		var answer *awshttp.ResponseError
		switch {
		case err == nil && winner >= 0:
			t.Fatalf("racers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		case errors.As(err, &answer) && (answer.HTTPStatusCode() == http.StatusPreconditionFailed ||
			answer.HTTPStatusCode() == http.StatusConflict):
		default:
			t.Fatalf("racer %d: %v", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	return winner
}

func uploadPart(t *testing.T, c *s3.Client, bucket, key, text string) *s3.CompleteMultipartUploadInput {
	t.Helper()
	upload, err := c.CreateMultipartUpload(context.Background(), &s3.CreateMultipartUploadInput{
		Bucket: aws.String(bucket), Key: aws.String(key),
	})
	if err != nil {
		t.Fatal(err)
	}
	part, err := c.UploadPart(context.Background(), &s3.UploadPartInput{
		Bucket: aws.String(bucket), Key: aws.String(key), UploadId: upload.UploadId,
		PartNumber: aws.Int32(1), Body: bytes.NewReader([]byte(text)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(bucket), Key: aws.String(key), UploadId: upload.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{
			{PartNumber: aws.Int32(1), ETag: part.ETag},
		}},
	}
}
