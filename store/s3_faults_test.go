package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// s3Saying is a store behind a server that answers as respond says.
func s3Saying(t *testing.T, respond http.HandlerFunc) store.Store {
	t.Helper()
	server := httptest.NewServer(respond)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_MAX_ATTEMPTS", "1") // the SDK's own tries are not what is tested
	s, err := store.OpenS3(t.Context(), schema.StoreConfig{Endpoint: server.URL, Bucket: "bucket", Region: "us-east-1", PathStyle: true}, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>no</Message></Error>`, code)
}

// What S3 answers becomes this package's errors: what can pass is tried for ever, what a person must mend says how, and what nobody
// has thought of is left unclassified, so that it is shown after some tries.
func TestWhatS3Answers(t *testing.T) {
	unclassified := errors.New("unclassified")
	for _, c := range []struct {
		status int
		code   string
		want   error       // of this package, or unclassified
		kind   schema.Kind // else
	}{
		{404, "NoSuchKey", store.ErrNotFound, ""},
		{412, "PreconditionFailed", store.ErrExists, ""},
		{403, "AccessDenied", nil, schema.KindFailed},
		{403, "SignatureDoesNotMatch", nil, schema.KindFailed},
		{404, "NoSuchBucket", nil, schema.KindFailed},
		{501, "NotImplemented", nil, schema.KindFailed},
		{500, "InternalError", nil, schema.KindRetry},
		{503, "SlowDown", nil, schema.KindRetry},
		{429, "TooManyRequests", nil, schema.KindRetry},
		{400, "ExpiredToken", nil, schema.KindRetry},
		{400, "InvalidPart", unclassified, ""},
		{405, "MethodNotAllowed", unclassified, ""},
	} {
		t.Run(fmt.Sprintf("%d %s", c.status, c.code), func(t *testing.T) {
			s := s3Saying(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, c.status, c.code) })
			err := s.PutNew(t.Context(), "k", []byte("x"))
			var e *schema.Error
			switch classified := errors.As(err, &e); {
			case c.want == unclassified:
				if err == nil || classified || errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotFound) {
					t.Errorf("error %v", err)
				}
			case c.want != nil:
				if !errors.Is(err, c.want) {
					t.Errorf("error %v, want %v", err, c.want)
				}
			case !classified || e.Kind != c.kind || e.Kind == schema.KindFailed && (e.Hint == "" || e.Code != "s3_"+strings.ToLower(c.code)):
				t.Errorf("error %#v, want kind %s", err, c.kind)
			}
			if err != nil && !strings.Contains(err.Error(), "s3://bucket/k") {
				t.Errorf("%v doesn't say where", err)
			}
		})
	}
}

// A HEAD has no body to say why; 403 is a refusal all the same.
func TestHeadForbidden(t *testing.T) {
	s := s3Saying(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	_, err := s.Head(t.Context(), "k")
	if schema.KindOf(err) != schema.KindFailed {
		t.Errorf("error %v", err)
	}
}

// A put that meets another one at work (409) is repeated, as S3 asks.
func TestConflictIsTriedAgain(t *testing.T) {
	var calls atomic.Int32
	s := s3Saying(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 3 {
			refuse(w, http.StatusConflict, "ConditionalRequestConflict")
		}
	})
	if err := s.PutNew(t.Context(), "k", []byte("x")); err != nil || calls.Load() != 3 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

// A store that isn't there may come back.
func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	s, err := store.OpenS3(context.Background(), schema.StoreConfig{Endpoint: server.URL, Bucket: "bucket", Region: "us-east-1", PathStyle: true}, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(t.Context(), "k")
	var e *schema.Error
	if !errors.As(err, &e) || e.Kind != schema.KindRetry || e.Code != "s3_unreachable" {
		t.Errorf("error %v", err)
	}
}

// The losing upload of a large file is aborted, so that its parts cost nothing.
func TestLoserOfALargeFileIsAborted(t *testing.T) {
	if testing.Short() {
		t.Skip("short: 65 MiB aren't put")
	}
	var aborted, parts atomic.Int32
	s := s3Saying(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.Method == http.MethodHead:
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodPost && q.Has("uploads"):
			if r.Header.Get("X-Amz-Checksum-Algorithm") != "CRC32" {
				t.Error("the upload doesn't name the checksum of its parts")
			}
			fmt.Fprint(w, `<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>k</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>`)
		case r.Method == http.MethodPut && q.Has("partNumber"):
			parts.Add(1)
			io.Copy(io.Discard, r.Body) //nolint:errcheck // an answer before the body's end may reset the connection
			w.Header().Set("ETag", `"e"`)
		case r.Method == http.MethodPost && q.Get("uploadId") == "u1":
			if r.Header.Get("If-None-Match") != "*" {
				t.Error("it is completed over whatever stands there")
			}
			refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
		case r.Method == http.MethodDelete && q.Get("uploadId") == "u1":
			aborted.Add(1)
			w.WriteHeader(http.StatusNoContent)
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	})
	err := s.PutFileNew(t.Context(), "k", zeros{}, 65<<20)
	if !errors.Is(err, store.ErrExists) || parts.Load() != 3 || aborted.Load() != 1 {
		t.Errorf("%v; %d parts, aborted %d times", err, parts.Load(), aborted.Load())
	}
}

type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// An answer that breaks off is an outage, whatever reads it: an object that ends too early would be damage.
func TestAnAnswerThatBreaksOffPasses(t *testing.T) {
	s := s3Saying(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("half")) //nolint:errcheck // a test
	})
	body, err := s.Open(t.Context(), "key", "")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	var e *schema.Error
	if string(got) != "half" || !errors.As(err, &e) || e.Kind != schema.KindRetry || e.Code != "s3_unreachable" {
		t.Errorf("read %q, error %v", got, err)
	}
}
