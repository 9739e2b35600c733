package activities

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// How many objects are read and decoded while one is worked on: pages are large, decisions small.
const (
	pagesAhead     = 1
	decisionsAhead = 16
)

// ahead reads 0 to n-1, most at once, and takes them in order. Memory holds most and one more.
func ahead[T any](ctx context.Context, n, most int, read func(context.Context, int) (T, error), take func(int, T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	type got struct {
		value T
		err   error
	}
	slots := make(chan chan got, most)
	g.Go(func() error {
		defer close(slots)
		for i := range n {
			slot := make(chan got, 1)
			select {
			case slots <- slot:
			case <-ctx.Done():
				return ctx.Err()
			}
			g.Go(func() error {
				v, err := read(ctx, i)
				slot <- got{v, err}
				return err
			})
		}
		return nil
	})
	g.Go(func() error {
		i := 0
		for slot := range slots {
			v := <-slot
			if v.err != nil {
				return v.err
			}
			if err := take(i, v.value); err != nil {
				return err
			}
			i++
		}
		return nil
	})
	return g.Wait()
}
