package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/retort-data/retort/schema"
)

// S3 is a bucket behind the S3 protocol. Credentials come from the SDK's default chain.
type S3 struct {
	client *s3.Client
	bucket string
	kmsKey string
	prefix string // under which alone it writes
}

var _ Store = (*S3)(nil)

// OpenS3 makes a client; it sends nothing yet. bucket "" is the configuration's own.
func OpenS3(ctx context.Context, c schema.StoreConfig, bucket string) (*S3, error) {
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 64
		t.DialContext = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext
		t.ResponseHeaderTimeout = 60 * time.Second
	})
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.Region), config.WithHTTPClient(transport))
	if err != nil {
		return nil, &schema.Error{Kind: schema.KindInvalid, Code: "s3_config", Op: "read the AWS configuration", Cause: err,
			Hint: "Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the machine's role."}
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = c.PathStyle
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenSupported
		o.DisableLogOutputChecksumValidationSkipped = true // else a line on stderr for every range and every file in parts
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
		}
	})
	if bucket == "" {
		bucket = c.Bucket
	}
	return &S3{client: client, bucket: bucket, kmsKey: c.KMSKey, prefix: NewDataset("", c.Prefix, "").Prefix}, nil
}

func (s *S3) Bucket() string { return s.bucket }

// conflictTries bounds how often a put is repeated that met another one at work (409): S3 asks to try again.
const conflictTries = 8

// condition is what must hold for a put: that nothing stands there, or what has this etag.
type condition struct {
	absent bool
	etag   string
}

func (s *S3) putObject(ctx context.Context, key string, body io.ReadSeeker, size int64, when condition) error {
	if err := confine(s.prefix, key); err != nil {
		return err
	}
	in := &s3.PutObjectInput{Bucket: &s.bucket, Key: &key, Body: body, ContentLength: &size, ContentType: contentType(key)}
	if when.absent {
		in.IfNoneMatch = aws.String("*")
	}
	if when.etag != "" {
		in.IfMatch = &when.etag
	}
	if s.kmsKey != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &s.kmsKey
	}
	for try := 1; ; try++ {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err := s.client.PutObject(ctx, in)
		if err == nil {
			return nil
		}
		if when.etag != "" && (status(err) == http.StatusPreconditionFailed || status(err) == http.StatusNotFound) {
			return fmt.Errorf("%s: %w", s.uri(key), ErrChanged)
		}
		if status(err) != http.StatusConflict || try == conflictTries {
			return s.wrap("put", key, err)
		}
		if err := pause(ctx, time.Duration(try)*20*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (s *S3) PutNew(ctx context.Context, key string, body []byte) error {
	return s.putObject(ctx, key, bytes.NewReader(body), int64(len(body)), condition{absent: true})
}

func (s *S3) Put(ctx context.Context, key string, body []byte) error {
	return s.putObject(ctx, key, bytes.NewReader(body), int64(len(body)), condition{})
}

func (s *S3) PutOver(ctx context.Context, key string, body []byte, etag string) error {
	return s.putObject(ctx, key, bytes.NewReader(body), int64(len(body)), condition{etag: etag})
}

// partBytes is the size of a part: 5 MiB at least by the protocol, 10,000 parts at most.
const partBytes = 32 << 20

func (s *S3) PutFileNew(ctx context.Context, key string, file io.ReaderAt, size int64) error {
	if size <= 2*partBytes {
		return s.putObject(ctx, key, io.NewSectionReader(file, 0, size), size, condition{absent: true})
	}
	if err := confine(s.prefix, key); err != nil {
		return err
	}
	if _, err := s.Head(ctx, key); err == nil {
		return ErrExists // saves sending gigabytes for nothing; the last word has CompleteMultipartUpload
	}
	// Parts carry a checksum, so the upload must name its algorithm: without it some stores refuse them when it is completed.
	create := &s3.CreateMultipartUploadInput{Bucket: &s.bucket, Key: &key, ContentType: contentType(key), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32}
	if s.kmsKey != "" {
		create.ServerSideEncryption, create.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, &s.kmsKey
	}
	up, err := s.client.CreateMultipartUpload(ctx, create)
	if err != nil {
		return s.wrap("put", key, err)
	}
	if err := s.putParts(ctx, key, up.UploadId, file, size); err != nil {
		abort, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_, abortErr := s.client.AbortMultipartUpload(abort, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &key, UploadId: up.UploadId})
		if errors.Is(err, ErrExists) {
			return err
		}
		return errors.Join(err, abortErr)
	}
	return nil
}

func (s *S3) putParts(ctx context.Context, key string, id *string, file io.ReaderAt, size int64) error {
	var parts []types.CompletedPart
	for off, n := int64(0), int32(1); off < size; off, n = off+partBytes, n+1 {
		body := io.NewSectionReader(file, off, min(partBytes, size-off))
		out, err := s.client.UploadPart(ctx, &s3.UploadPartInput{Bucket: &s.bucket, Key: &key, UploadId: id, PartNumber: &n, Body: body})
		if err != nil {
			return s.wrap("put", key, err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(n), ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32})
	}
	_, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &s.bucket, Key: &key, UploadId: id,
		IfNoneMatch: aws.String("*"), MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	return s.wrap("put", key, err)
}

func (s *S3) get(ctx context.Context, key, etag, span string) (*s3.GetObjectOutput, error) {
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key}
	if etag != "" {
		in.IfMatch = &etag
	}
	if span != "" {
		in.Range = &span
	}
	out, err := s.client.GetObject(ctx, in)
	if err != nil && status(err) == http.StatusPreconditionFailed {
		return nil, fmt.Errorf("%s: %w", s.uri(key), ErrChanged)
	}
	return out, s.wrap("get", key, err)
}

func (s *S3) Get(ctx context.Context, key string) ([]byte, error) {
	out, err := s.get(ctx, key, "", "")
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	buf := bytes.NewBuffer(make([]byte, 0, max(aws.ToInt64(out.ContentLength), 0)+bytes.MinRead))
	if _, err := buf.ReadFrom(out.Body); err != nil {
		return nil, s.wrap("get", key, err)
	}
	return buf.Bytes(), nil
}

func (s *S3) Open(ctx context.Context, key, etag string) (io.ReadCloser, error) {
	out, err := s.get(ctx, key, etag, "")
	if err != nil {
		return nil, err
	}
	return &body{out.Body, s, key}, nil
}

// body says of an answer that breaks off that the store can't be reached: what reads it can't tell that from an object that ends too early.
type body struct {
	io.ReadCloser
	s   *S3
	key string
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.s.wrap("get", b.key, err)
	}
	return n, err
}

func (s *S3) ReadRange(ctx context.Context, key, etag string, offset, n int64) ([]byte, error) {
	if n <= 0 {
		return nil, nil
	}
	out, err := s.get(ctx, key, etag, fmt.Sprintf("bytes=%d-%d", offset, offset+n-1))
	if err != nil {
		if status(err) == http.StatusRequestedRangeNotSatisfiable {
			return nil, io.EOF
		}
		return nil, err
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	return b, s.wrap("get", key, err)
}

func (s *S3) Head(ctx context.Context, key string) (Info, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return Info{}, s.wrap("head", key, err)
	}
	return Info{Key: key, ETag: aws.ToString(out.ETag), Version: aws.ToString(out.VersionId), Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified)}, nil
}

func (s *S3) List(ctx context.Context, prefix, startAfter string) iter.Seq2[Info, error] {
	in := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix}
	if startAfter != "" {
		in.StartAfter = &startAfter
	}
	return func(yield func(Info, error) bool) {
		for pages := s3.NewListObjectsV2Paginator(s.client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Info{}, s.wrap("list", prefix, err))
				return
			}
			for _, o := range page.Contents {
				if !yield(Info{Key: aws.ToString(o.Key), ETag: aws.ToString(o.ETag), Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

func (s *S3) Folders(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	in := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix, Delimiter: aws.String("/")}
	for pages := s3.NewListObjectsV2Paginator(s.client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.wrap("list", prefix, err)
		}
		for _, p := range page.CommonPrefixes {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(aws.ToString(p.Prefix), prefix), "/"))
		}
	}
	return names, nil
}

// deleteBatch is the protocol's bound for one call.
const deleteBatch = 1000

func (s *S3) Delete(ctx context.Context, keys ...string) error {
	if err := confineAll(s.prefix, keys); err != nil {
		return err
	}
	for len(keys) > 0 {
		n := min(deleteBatch, len(keys))
		ids := make([]types.ObjectIdentifier, n)
		for i := range ids {
			ids[i].Key = &keys[i]
		}
		out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &s.bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		if err != nil {
			return s.wrap("delete", keys[0], err)
		}
		for _, e := range out.Errors {
			if aws.ToString(e.Code) != "NoSuchKey" {
				return s.wrap("delete", aws.ToString(e.Key), errors.New(aws.ToString(e.Code)))
			}
		}
		keys = keys[n:]
	}
	return nil
}

func (s *S3) uri(key string) string { return "s3://" + s.bucket + "/" + key }

func status(err error) int {
	var re *awshttp.ResponseError
	if errors.As(err, &re) {
		return re.HTTPStatusCode()
	}
	return 0
}

// refusals are answers that trying again can't change, with the mend.
var refusals = map[string]string{
	"NoSuchBucket":          "Create the bucket, or mend store.bucket in the configuration.",
	"AccessDenied":          "The credentials lack a permission; docs/security.md lists what is needed.",
	"InvalidAccessKeyId":    "Check AWS_ACCESS_KEY_ID (local stack: source .retort/env).",
	"SignatureDoesNotMatch": "Check AWS_SECRET_ACCESS_KEY (local stack: source .retort/env).",
	"InvalidBucketName":     "Mend store.bucket in the configuration.",
	"Forbidden":             "The credentials lack a permission; docs/security.md lists what is needed.", // of a HEAD, whose answer has no body
	"NotImplemented":        "The store lacks conditional puts (If-None-Match); Retort can't publish safely there.",
}

// passing are refusals (4xx) that a later try may find gone.
var passing = map[string]bool{"RequestTimeout": true, "RequestTimeTooSkewed": true, "ExpiredToken": true, "BadDigest": true, "SlowDown": true}

// passes says whether a fault may pass by itself, however long it takes: the store is away, busy, or the way to it is cut.
func passes(status int, code string) bool {
	return status < 400 || status >= 500 || status == http.StatusRequestTimeout || status == http.StatusConflict || status == http.StatusTooManyRequests || passing[code]
}

// wrap says what failed and where, and turns the protocol's answers into this package's errors.
func (s *S3) wrap(op, key string, err error) error {
	if err == nil {
		return nil
	}
	var api smithy.APIError
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	if hint, ok := refusals[code]; ok {
		return &schema.Error{Kind: schema.KindFailed, Code: "s3_" + strings.ToLower(code), Op: op, Subject: s.uri(key), Cause: errors.New(code), Hint: hint}
	}
	switch {
	case status(err) == http.StatusPreconditionFailed:
		return fmt.Errorf("%s: %w", s.uri(key), ErrExists)
	case status(err) == http.StatusNotFound:
		return fmt.Errorf("%s: %w", s.uri(key), ErrNotFound)
	case !passes(status(err), code):
		return fmt.Errorf("%s %s: the store refuses it: %w", op, s.uri(key), err) // some tries, then the run shows it
	}
	return &schema.Error{Kind: schema.KindRetry, Code: "s3_unreachable", Op: op, Subject: s.uri(key), Cause: err}
}

func contentType(key string) *string {
	for suffix, t := range map[string]string{".json": "application/json", ".html": "text/html; charset=utf-8", ".md": "text/markdown; charset=utf-8"} {
		if strings.HasSuffix(key, suffix) {
			return &t
		}
	}
	return aws.String("application/octet-stream")
}
