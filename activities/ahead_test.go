package activities

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
)

func TestAheadTakesInOrderAndHoldsFew(t *testing.T) {
	var held, most atomic.Int64
	var taken []int
	err := ahead(context.Background(), 100, pagesAhead, func(_ context.Context, i int) (int, error) {
		for n := held.Add(1); ; {
			if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
				return i, nil
			}
		}
	}, func(i, v int) error {
		if i != v {
			t.Errorf("%d was taken as %d", v, i)
		}
		taken = append(taken, v)
		held.Add(-1)
		return nil
	})
	if err != nil || len(taken) != 100 || !slices.IsSorted(taken) {
		t.Fatalf("taken %v, error %v", taken, err)
	}
	if most.Load() > pagesAhead+1 {
		t.Errorf("%d were held at once", most.Load())
	}
}

func TestAheadEndsWithTheFirstError(t *testing.T) {
	bad := errors.New("bad")
	err := ahead(context.Background(), 100, pagesAhead, func(_ context.Context, i int) (int, error) {
		if i == 7 {
			return 0, bad
		}
		return i, nil
	}, func(i, _ int) error {
		if i >= 7 {
			t.Errorf("%d was taken after the error", i)
		}
		return nil
	})
	if !errors.Is(err, bad) {
		t.Errorf("error %v", err)
	}
	err = ahead(context.Background(), 100, pagesAhead, func(_ context.Context, i int) (int, error) { return i, nil }, func(i, _ int) error {
		if i == 3 {
			return bad
		}
		return nil
	})
	if !errors.Is(err, bad) {
		t.Errorf("error of taking: %v", err)
	}
}
