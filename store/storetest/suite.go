package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/retort-data/retort/store"
)

// Run holds the store that open returns against the contract of store.Store. Each call of open returns an empty store; where the
// bucket isn't, Under it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(*testing.T, store.Store){
		"put and get":                putAndGet,
		"put if absent":              putIfAbsent,
		"one winner of many":         oneWinner,
		"one winner of many files":   oneWinnerOfFiles,
		"put over what is known":     putOver,
		"what is missing":            missing,
		"reads of what is pinned":    pinned,
		"ranges":                     ranges,
		"list":                       list,
		"more than a page of a list": longList,
		"folders":                    folders,
		"delete":                     deletes,
		"large files":                largeFiles,
		"an end that came before":    ended,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, got, want error, what string) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

func body(t *testing.T, s store.Store, key string) string {
	t.Helper()
	b, err := s.Get(t.Context(), key)
	must(t, err)
	return string(b)
}

// awkward keys are what datasets and files may be called.
var awkward = []string{"plain", "a/b/c.json", "with space", "plus+and%25", "ünïcode/日本", "equals=1&amp;", "_under/.dot", "UPPER", "'quote\""}

func putAndGet(t *testing.T, s store.Store) {
	for _, key := range awkward {
		for _, text := range []string{"first of " + key, "", "second, longer, of " + key} {
			must(t, s.Put(t.Context(), key, []byte(text)))
			if got := body(t, s, key); got != text {
				t.Errorf("%q holds %q, want %q", key, got, text)
			}
			info, err := s.Head(t.Context(), key)
			must(t, err)
			if info.Key != key || info.Size != int64(len(text)) || info.ETag == "" || info.Modified.IsZero() {
				t.Errorf("%q is described as %+v", key, info)
			}
		}
	}
	kept := []byte("kept")
	must(t, s.Put(t.Context(), "own", kept))
	kept[0] = 'X'
	got, err := s.Get(t.Context(), "own")
	must(t, err)
	got[1] = 'X'
	if again := body(t, s, "own"); again != "kept" {
		t.Errorf("the caller's bytes are the store's: %q", again)
	}
}

func putIfAbsent(t *testing.T, s store.Store) {
	must(t, s.PutNew(t.Context(), "k", []byte("one")))
	want(t, s.PutNew(t.Context(), "k", []byte("two")), store.ErrExists, "a second put")
	want(t, s.PutNew(t.Context(), "k", []byte("one")), store.ErrExists, "the same put again")
	want(t, s.PutFileNew(t.Context(), "k", bytes.NewReader([]byte("three")), 5), store.ErrExists, "a file")
	if got := body(t, s, "k"); got != "one" {
		t.Errorf("it holds %q", got)
	}
	must(t, s.Delete(t.Context(), "k"))
	must(t, s.PutNew(t.Context(), "k", []byte("four")))
	must(t, s.PutNew(t.Context(), "empty", nil))
	want(t, s.PutNew(t.Context(), "empty", []byte("x")), store.ErrExists, "a put over an empty object")
}

func putOver(t *testing.T, s store.Store) {
	ctx := t.Context()
	etag := func() string {
		info, err := s.Head(ctx, "k")
		must(t, err)
		return info.ETag
	}
	want(t, s.PutOver(ctx, "k", []byte("x"), `"0123456789abcdef0123456789abcdef"`), store.ErrChanged, "a put over nothing")
	must(t, s.PutNew(ctx, "k", []byte("one")))
	first := etag()
	must(t, s.PutOver(ctx, "k", []byte("two"), first))
	want(t, s.PutOver(ctx, "k", []byte("three"), first), store.ErrChanged, "a put over what has changed")
	if got := body(t, s, "k"); got != "two" {
		t.Errorf("it holds %q", got)
	}
	second := etag()
	race(t, store.ErrChanged, func(i int) error { return s.PutOver(ctx, "k", []byte{byte(i)}, second) })
}

// racers is how many put at once.
const racers = 16

// race returns who won; everybody else must have been told so by the error lost.
func race(t *testing.T, lost error, put func(i int) error) (winner int) {
	t.Helper()
	errs := make([]error, racers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			<-start
			errs[i] = put(i)
		})
	}
	close(start)
	wg.Wait()
	winner = -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("%d and %d have won", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, lost):
			t.Errorf("racer %d: %v", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody has won")
	}
	return winner
}

func oneWinner(t *testing.T, s store.Store) {
	for round := range 5 {
		key := string(rune('a' + round))
		winner := race(t, store.ErrExists, func(i int) error { return s.PutNew(t.Context(), key, bytes.Repeat([]byte{byte(i)}, 1000+i)) })
		if got := body(t, s, key); len(got) != 1000+winner || got[0] != byte(winner) {
			t.Errorf("%d has won, and %d bytes of %d stand there", winner, len(got), got[0])
		}
	}
}

func oneWinnerOfFiles(t *testing.T, s store.Store) {
	winner := race(t, store.ErrExists, func(i int) error {
		return s.PutFileNew(t.Context(), "k", bytes.NewReader(bytes.Repeat([]byte{byte(i)}, 1000+i)), int64(1000+i))
	})
	if got := body(t, s, "k"); len(got) != 1000+winner || got[0] != byte(winner) {
		t.Errorf("%d has won, and %d bytes of %d stand there", winner, len(got), got[0])
	}
}

func missing(t *testing.T, s store.Store) {
	ctx := t.Context()
	_, err := s.Get(ctx, "gone")
	want(t, err, store.ErrNotFound, "get")
	_, err = s.Head(ctx, "gone")
	want(t, err, store.ErrNotFound, "head")
	_, err = s.Open(ctx, "gone", "")
	want(t, err, store.ErrNotFound, "open")
	_, err = s.Open(ctx, "gone", `"0123456789abcdef0123456789abcdef"`)
	if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrChanged) {
		t.Errorf("open of what was pinned and is gone: %v", err)
	}
	_, err = s.ReadRange(ctx, "gone", "", 0, 1)
	want(t, err, store.ErrNotFound, "range")
	must(t, s.Put(ctx, "folder/k", []byte("x")))
	_, err = s.Get(ctx, "folder")
	want(t, err, store.ErrNotFound, "a folder")
}

func pinned(t *testing.T, s store.Store) {
	ctx := t.Context()
	must(t, s.Put(ctx, "k", []byte("as it was")))
	info, err := s.Head(ctx, "k")
	must(t, err)
	read := func(etag string) (string, error) {
		r, err := s.Open(ctx, "k", etag)
		if err != nil {
			return "", err
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		return string(b), err
	}
	for _, etag := range []string{info.ETag, ""} {
		if got, err := read(etag); err != nil || got != "as it was" {
			t.Errorf("open with etag %q: %q, %v", etag, got, err)
		}
		if got, err := s.ReadRange(ctx, "k", etag, 3, 2); err != nil || string(got) != "it" {
			t.Errorf("range with etag %q: %q, %v", etag, got, err)
		}
	}
	must(t, s.Put(ctx, "k", []byte("as it is now")))
	_, err = read(info.ETag)
	want(t, err, store.ErrChanged, "open of what has changed")
	_, err = s.ReadRange(ctx, "k", info.ETag, 0, 1)
	want(t, err, store.ErrChanged, "range of what has changed")
	if got, err := read(""); err != nil || got != "as it is now" {
		t.Errorf("open without an etag: %q, %v", got, err)
	}
}

func ranges(t *testing.T, s store.Store) {
	must(t, s.Put(t.Context(), "k", []byte("0123456789")))
	for _, c := range []struct {
		offset, n int64
		want      string
	}{{0, 10, "0123456789"}, {0, 1, "0"}, {9, 1, "9"}, {4, 3, "456"}, {8, 100, "89"}, {3, 0, ""}} {
		if got, err := s.ReadRange(t.Context(), "k", "", c.offset, c.n); err != nil || string(got) != c.want {
			t.Errorf("%d bytes at %d: %q, %v; want %q", c.n, c.offset, got, err, c.want)
		}
	}
	for _, offset := range []int64{10, 11, 1000} {
		if got, err := s.ReadRange(t.Context(), "k", "", offset, 5); !errors.Is(err, io.EOF) {
			t.Errorf("at %d: %q, %v; want EOF", offset, got, err)
		}
	}
}

func keys(t *testing.T, s store.Store, prefix, after string) (got []string) {
	t.Helper()
	for in, err := range s.List(t.Context(), prefix, after) {
		must(t, err)
		got = append(got, in.Key)
	}
	return got
}

func list(t *testing.T, s store.Store) {
	// No key is a folder of another's: a gateway that keeps objects as files has no room for that.
	all := []string{"a/1", "a/10", "a/2", "a0", "b/_x", "b/é", "b/z"}
	for _, i := range rand.Perm(len(all)) {
		must(t, s.Put(t.Context(), all[i], []byte(all[i])))
	}
	for _, c := range []struct {
		prefix, after string
		want          []string
	}{
		{"", "", []string{"a/1", "a/10", "a/2", "a0", "b/_x", "b/z", "b/é"}},
		{"a/", "", []string{"a/1", "a/10", "a/2"}},
		{"a", "", []string{"a/1", "a/10", "a/2", "a0"}},
		{"", "a/2", []string{"a0", "b/_x", "b/z", "b/é"}},
		{"a/", "a/1", []string{"a/10", "a/2"}},
		{"a/", "a/11", []string{"a/2"}},
		{"a/", "a/2", nil},
		{"b/", "", []string{"b/_x", "b/z", "b/é"}},
		{"none", "", nil},
	} {
		if got := keys(t, s, c.prefix, c.after); !slices.Equal(got, c.want) {
			t.Errorf("under %q after %q: %q, want %q", c.prefix, c.after, got, c.want)
		}
	}
	for in, err := range s.List(t.Context(), "a/10", "") {
		must(t, err)
		head, err := s.Head(t.Context(), in.Key)
		must(t, err)
		if in.Size != 4 || in.ETag != head.ETag {
			t.Errorf("listed as %+v, described as %+v", in, head)
		}
	}
	for range s.List(t.Context(), "", "") {
		break // one may stop early
	}
}

// longList is longer than what S3 returns at once.
func longList(t *testing.T, s store.Store) {
	const n = 1050
	var all []string
	var wg sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range n {
		key := "many/" + string(rune('a'+i/676)) + string(rune('a'+i/26%26)) + string(rune('a'+i%26))
		all = append(all, key)
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := s.Put(t.Context(), key, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := keys(t, s, "many/", ""); !slices.Equal(got, all) {
		t.Errorf("%d keys, want %d", len(got), n)
	}
	if got := keys(t, s, "many/", all[20]); !slices.Equal(got, all[21:]) {
		t.Errorf("%d keys after the 21st, want %d", len(got), n-21)
	}
	must(t, s.Delete(t.Context(), all...))
	if got := keys(t, s, "many/", ""); len(got) != 0 {
		t.Errorf("%d keys are left of what was deleted at once", len(got))
	}
}

func folders(t *testing.T, s store.Store) {
	for _, key := range []string{"runs/b/x", "runs/b/y/z", "runs/a/x", "runs/file", "runs/c/_x", "other/d/x"} {
		must(t, s.Put(t.Context(), key, []byte("x")))
	}
	got, err := s.Folders(t.Context(), "runs/")
	must(t, err)
	if want := []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("folders %q, want %q", got, want)
	}
	if got, err = s.Folders(t.Context(), "none/"); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %q, %v", got, err)
	}
}

func deletes(t *testing.T, s store.Store) {
	for _, key := range awkward {
		must(t, s.Put(t.Context(), key, []byte("x")))
	}
	must(t, s.Put(t.Context(), "stays", []byte("x")))
	must(t, s.Delete(t.Context(), append([]string{"never there"}, awkward...)...))
	must(t, s.Delete(t.Context(), awkward[0]))
	must(t, s.Delete(t.Context()))
	if got := keys(t, s, "", ""); !slices.Equal(got, []string{"stays"}) {
		t.Errorf("left are %q", got)
	}
}

// largeBytes takes several parts, the last of them odd.
const largeBytes = 65<<20 + 7

func largeFiles(t *testing.T, s store.Store) {
	if testing.Short() {
		t.Skip("short: 65 MiB aren't put")
	}
	large := make([]byte, largeBytes)
	for i := range large {
		large[i] = byte(i ^ i>>8 ^ i>>16)
	}
	must(t, s.PutFileNew(t.Context(), "large", bytes.NewReader(large), largeBytes))
	want(t, s.PutFileNew(t.Context(), "large", bytes.NewReader(make([]byte, largeBytes)), largeBytes), store.ErrExists, "a second one")
	info, err := s.Head(t.Context(), "large")
	must(t, err)
	if info.Size != largeBytes {
		t.Errorf("%d bytes stand there, want %d", info.Size, largeBytes)
	}
	for _, offset := range []int64{0, 32<<20 - 3, 64<<20 - 3, largeBytes - 6} {
		got, err := s.ReadRange(t.Context(), "large", info.ETag, offset, 6)
		must(t, err)
		if !bytes.Equal(got, large[offset:offset+6]) {
			t.Errorf("at %d stands %x, want %x", offset, got, large[offset:offset+6])
		}
	}
	must(t, s.Delete(t.Context(), "large"))
	// Two at once: one is there whole, the other was told.
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			errs[i] = s.PutFileNew(t.Context(), "raced", bytes.NewReader(large), largeBytes)
		})
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("errors %v: one must win", errs)
	}
	for _, err := range errs {
		if err != nil {
			want(t, err, store.ErrExists, "the one who lost")
		}
	}
	if got := keys(t, s, "", ""); !slices.Equal(got, []string{"raced"}) {
		t.Errorf("what stands there are %q: a loser's parts are no object", got)
	}
}

func ended(t *testing.T, s store.Store) {
	ctx, end := context.WithCancel(t.Context())
	end()
	for name, err := range map[string]error{
		"put":     s.Put(ctx, "k", []byte("x")),
		"put new": s.PutNew(ctx, "k", []byte("x")),
		"file":    s.PutFileNew(ctx, "k", bytes.NewReader([]byte("x")), 1),
		"delete":  s.Delete(ctx, "k"),
	} {
		want(t, err, context.Canceled, name)
	}
	_, err := s.Get(ctx, "k")
	want(t, err, context.Canceled, "get")
	for _, err := range s.List(ctx, "", "") {
		want(t, err, context.Canceled, "list")
	}
	if got := keys(t, s, "", ""); len(got) != 0 {
		t.Errorf("%q were put after the end", got)
	}
}
