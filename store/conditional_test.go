package store_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// forgetful is a store that overwrites whatever it is told not to.
type forgetful struct{ *store.Memory }

func (f forgetful) PutNew(ctx context.Context, key string, body []byte) error {
	return f.Put(ctx, key, body)
}

// A store that overwrites is found out and refused with what to do; one that honours the condition isn't, again and again, and what
// the check puts is one small object.
func TestCheckConditional(t *testing.T) {
	good := store.NewMemory("bucket")
	for range 3 {
		if err := store.CheckConditional(t.Context(), good, "a/b"); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for in, err := range good.List(t.Context(), "", "") {
		if n++; err != nil || in.Key != "a/b/_retort/conditional-put" || in.Size > 100 {
			t.Errorf("%+v, %v", in, err)
		}
	}
	if n != 1 {
		t.Errorf("%d objects", n)
	}
	bad := forgetful{store.NewMemory("bucket")}
	for range 2 { // also where the object stands there already
		err := store.CheckConditional(t.Context(), bad, "")
		if schema.KindOf(err) != schema.KindInvalid || !strings.Contains(err.Error(), "If-None-Match") || !strings.Contains(err.Error(), "upgrade") {
			t.Errorf("error %v", err)
		}
	}
}

// Over the wire: a server that ignores the header, one that doesn't implement it, and one that is broken, which says nothing about it.
func TestCheckConditionalOverHTTP(t *testing.T) {
	var puts atomic.Int32
	for name, c := range map[string]struct {
		respond http.HandlerFunc
		want    schema.Kind
	}{
		"ignores the header": {func(http.ResponseWriter, *http.Request) {}, schema.KindInvalid},
		"doesn't know it":    {func(w http.ResponseWriter, _ *http.Request) { refuse(w, 501, "NotImplemented") }, schema.KindInvalid},
		"is broken":          {func(w http.ResponseWriter, _ *http.Request) { refuse(w, 500, "InternalError") }, schema.KindRetry},
		"honours it": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") == "*" && puts.Add(1) > 1 {
				refuse(w, 412, "PreconditionFailed")
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := store.CheckConditional(t.Context(), s3Saying(t, c.respond), "")
			if c.want == "" && err != nil || c.want != "" && schema.KindOf(err) != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
