package store

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

var hostileNames = []string{"", ".", "..", "../..", "/", "//", "a/../../b", "..\\..", "x\x00y", "a\nb", "\u202eb", "\xff", "%2e%2e%2f", strings.Repeat("long", 400), "_versions/000001", "data/train"}

var keyString = reflect.TypeFor[string]()

// keysOf calls every function of Dataset and Run that gives keys, with names drawn for their parameters.
func keysOf(t *rapid.T, of any, name *rapid.Generator[string]) map[string]string {
	keys := map[string]string{}
	v := reflect.ValueOf(of)
	for i := range v.NumMethod() {
		m, f := v.Type().Method(i), v.Method(i)
		if m.Name == "URI" || f.Type().NumOut() != 1 || f.Type().Out(0) != keyString {
			continue
		}
		var in []reflect.Value
		for p := range f.Type().NumIn() {
			switch to := f.Type().In(p); to {
			case keyString:
				in = append(in, reflect.ValueOf(name.Draw(t, m.Name)))
			case reflect.TypeFor[int]():
				in = append(in, reflect.ValueOf(rapid.IntRange(0, 1<<30).Draw(t, "n")))
			case reflect.TypeFor[schema.PageRef]():
				in = append(in, reflect.ValueOf(schema.PageRef{Teacher: rapid.IntRange(0, 99).Draw(t, "teacher"), Number: rapid.IntRange(0, 1<<20).Draw(t, "page")}))
			case reflect.TypeFor[time.Time]():
				in = append(in, reflect.ValueOf(time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "at"), 0)))
			default:
				t.Fatalf("%s takes a %s: this test doesn't know how to draw one", m.Name, to)
			}
		}
		keys[m.Name] = f.Call(in)[0].String()
	}
	return keys
}

// Each key of a dataset stands under its folder, and is a plain one, whatever the names that Retort makes.
func TestKeysStandUnderTheirDataset(t *testing.T) {
	ours := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,60}`).Filter(func(s string) bool { return !strings.Contains(s, "..") })
	dataset := rapid.StringMatching(`[a-z0-9][a-z0-9_-]{0,10}(/[a-z0-9][a-z0-9_.-]{0,10}){0,2}`).Filter(func(s string) bool { return schema.CheckDataset(s) == nil })
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "team", "team/a"}).Draw(t, "prefix")
		d := NewDataset("bucket", prefix, dataset.Draw(t, "dataset"))
		run := d.Run(ours.Draw(t, "run"))
		n := 0
		for _, of := range []any{d, run} {
			for method, key := range keysOf(t, of, ours) {
				if method == "Home" && strings.HasPrefix(key, "s3://") {
					continue
				}
				n++
				if !strings.HasPrefix(key, d.root()) || strings.HasPrefix(method, "Home") && key != run.Home() || keyFault(d.Prefix, strings.TrimSuffix(key, "/")) != "" {
					t.Fatalf("%s gives %q in %q", method, key, d.root())
				}
			}
		}
		if n < 60 {
			t.Fatalf("only %d functions were called", n)
		}
	})
}

// Names that nobody checked make keys that stay under the dataset's folder, or that can't be written.
func TestHostileNamesMakeNoKey(t *testing.T) {
	hostile := rapid.OneOf(rapid.SampledFrom(hostileNames), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		d := NewDataset("bucket", "team", hostile.Draw(t, "dataset"))
		for _, of := range []any{d, d.Run(hostile.Draw(t, "run"))} {
			for method, key := range keysOf(t, of, hostile) {
				if keyFault("team/", key) == "" && (!strings.HasPrefix(key, "team/") || regexp.MustCompile(`(^|/)\.{0,2}(/|$)|[\x00-\x1f\x7f\\]`).MatchString(key)) {
					t.Fatalf("%s gives %q, and it may be written", method, key)
				}
			}
		}
	})
}

// recorded is what an endpoint that looks like S3 was asked.
type recorded struct {
	mu  sync.Mutex
	all []*http.Request
}

func (r *recorded) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	io.Copy(io.Discard, req.Body) //nolint:errcheck // whoever is gone
	r.mu.Lock()
	r.all = append(r.all, req)
	r.mu.Unlock()
	switch q := req.URL.Query(); {
	case req.Method == http.MethodHead:
		w.WriteHeader(http.StatusNotFound)
	case req.Method == http.MethodPost && q.Has("uploads"):
		io.WriteString(w, `<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>`) //nolint:errcheck // the same
	case req.Method == http.MethodPost && q.Has("uploadId"):
		io.WriteString(w, `<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>`) //nolint:errcheck // the same
	case req.Method == http.MethodPost && q.Has("delete"):
		io.WriteString(w, `<DeleteResult/>`) //nolint:errcheck // the same
	default:
		w.Header().Set("ETag", `"e"`)
	}
}

// writes does all that writes.
func writes(t *testing.T, s Store, key string) (errs []error) {
	ctx := t.Context()
	return []error{s.PutNew(ctx, key, []byte("x")), s.Put(ctx, key, []byte("x")), s.PutOver(ctx, key, []byte("x"), `"e"`),
		s.PutFileNew(ctx, key, strings.NewReader("x"), 1), s.PutFileNew(ctx, key, nothing{}, 2*partBytes+1), s.Delete(ctx, key)}
}

func recording(t *testing.T, c schema.StoreConfig) (*recorded, Store) {
	t.Helper()
	r := &recorded{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	c.Endpoint, c.Bucket, c.Region, c.PathStyle = server.URL, "bucket", "us-east-1", true
	s, err := OpenS3(t.Context(), c, "")
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

// nothing is a file of zeros.
type nothing struct{}

func (nothing) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// With store.kms_key every object is put with it, in one piece or in parts; without it none is.
func TestKMSKeyOnEveryPut(t *testing.T) {
	const key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	for _, kms := range []string{"", key} {
		r, s := recording(t, schema.StoreConfig{KMSKey: kms})
		for i, err := range writes(t, s, "d/x") {
			if err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		}
		created := 0
		for _, req := range r.all {
			q := req.URL.Query()
			creates := req.Method == http.MethodPut && !q.Has("partNumber") || req.Method == http.MethodPost && q.Has("uploads")
			if creates {
				created++
			}
			algorithm, id := req.Header.Get("X-Amz-Server-Side-Encryption"), req.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id")
			if want := creates && kms != ""; (algorithm == "aws:kms") != want || (id == key) != want {
				t.Errorf("kms_key %q: %s %s has %q, %q", kms, req.Method, req.URL, algorithm, id)
			}
		}
		if created != 5 {
			t.Errorf("%d objects were put", created)
		}
	}
}

// What isn't a plain key under the store's prefix is neither written nor deleted: nothing is sent.
func TestNothingIsWrittenOutsideThePrefix(t *testing.T) {
	r, s := recording(t, schema.StoreConfig{Prefix: "team/a"})
	for _, key := range append([]string{"team/b/x", "team/ab", "team/a", "team/a/../b/x", "team/a//x", "team/a/x/"}, hostileNames...) {
		for i, err := range writes(t, s, key) {
			if schema.KindOf(err) != schema.KindFailed {
				t.Errorf("write %d of %q: %v", i, key, err)
			}
		}
	}
	if len(r.all) > 0 {
		t.Errorf("%d requests were sent, first %s %s", len(r.all), r.all[0].Method, r.all[0].URL)
	}
	if err := s.Put(t.Context(), "team/a/x", nil); err != nil || len(r.all) != 1 {
		t.Errorf("a good key: %v, %d requests", err, len(r.all))
	}
}

func FuzzKeyFault(f *testing.F) {
	for _, name := range hostileNames {
		f.Add("team/", "team/"+name)
	}
	f.Fuzz(func(t *testing.T, prefix, key string) {
		if keyFault(prefix, key) == "" && (!strings.HasPrefix(key, prefix) || strings.Contains("/"+key+"/", "/../") || strings.Contains("/"+key+"/", "//") || strings.ContainsAny(key, "\x00\n\\")) {
			t.Errorf("%q under %q may be written", key, prefix)
		}
	})
}
