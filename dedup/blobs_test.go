package dedup

import (
	"context"
	"errors"
	"slices"
	"sync"
)

var (
	errAbsent = errors.New("no such object")
	errExists = errors.New("the object exists already")
	errCrash  = errors.New("crashed")
)

// fakeBlobs keeps objects in memory and fails where a test wants it.
type fakeBlobs struct {
	mu      sync.Mutex
	objects map[string][]byte
	puts    int
	failAt  int  // the put with this number (from 1) fails; 0 never
	lost    bool // a failing put is done all the same: its reply is lost
}

func newBlobs() *fakeBlobs { return &fakeBlobs{objects: map[string][]byte{}} }

func (f *fakeBlobs) Get(_ context.Context, key string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, ok := f.objects[key]
	if !ok {
		return nil, errAbsent
	}
	return slices.Clone(b), nil
}

func (f *fakeBlobs) PutNew(_ context.Context, key string, body []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.puts++
	if f.puts == f.failAt && !f.lost {
		return errCrash
	}
	if _, ok := f.objects[key]; ok {
		return errExists
	}
	f.objects[key] = slices.Clone(body)
	if f.puts == f.failAt {
		return errCrash
	}
	return nil
}

func isAbsent(err error) bool { return errors.Is(err, errAbsent) }
