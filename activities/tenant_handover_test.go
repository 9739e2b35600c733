package activities

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// askAll starts a process that has n requests, sends them as its lease allows, and holds the lease until ctx ends.
func (m *market) askAll(ctx context.Context, t *testing.T, n int, done, held *sync.WaitGroup) {
	t.Helper()
	limiter := teacher.NewLimiter("t", 0)
	client, err := teacher.New(schema.Teacher{Name: "t", BaseURL: "http://t/v1", Model: "t", Limits: m.limits}, teacher.Options{Limiter: limiter, Transport: m})
	if err != nil {
		t.Fatal(err)
	}
	p := newTenant(m, rand.Text(), limiter, "t", m.limits, slog.New(slog.DiscardHandler))
	held.Go(func() { p.hold(ctx) })
	most := 400
	p.enter(int64(n), int64(most+50), false)
	for range n {
		done.Go(func() {
			defer p.leave(1)
			if _, err := client.Ask(ctx, teacher.Ask{Messages: []schema.Message{{Role: "user", Content: "?"}}, Sampling: schema.Sampling{MaxTokens: &most}}); err != nil {
				t.Error(err)
			}
		})
	}
}

// What one process doesn't use of a teacher's concurrency passes to the others within a moment, whether they begin with the same work
// or one has twice that of another: the teacher is kept busy to the end.
func TestConcurrencyPassesToWhoCanUseIt(t *testing.T) {
	for _, c := range []struct {
		name string
		work []int
		most float64 // seconds lost, of some 25
	}{
		{"one", []int{1280}, 2},
		{"the same work", []int{320, 320, 320, 320}, 2.5},
		{"twice the work", []int{640, 213, 213, 214}, 4},
		{"nearly all of it", []int{1160, 40, 40, 40}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(schema.Limits{Concurrency: 64}, time.Second, 100, 1)
				m.peers, m.slow = len(c.work), 20*time.Millisecond
				ctx, cancel := context.WithCancel(t.Context())
				var done, held sync.WaitGroup
				start, total := time.Now(), 0
				for _, n := range c.work {
					m.askAll(ctx, t, n, &done, &held)
					total += n
				}
				done.Wait()
				took := time.Since(start).Seconds()
				cancel()
				held.Wait()
				time.Sleep(10 * time.Second)        // late messages arrive
				ideal := float64(total) / 64 * 1.25 // half a second at most on the way, and one until the answer
				t.Logf("%.1f s, ideal %.1f, %d asks", took, ideal, m.asks)
				if took > ideal+c.most {
					t.Errorf("%.1f s for what takes %.1f", took, ideal)
				}
				if m.most > 64 {
					t.Errorf("%d requests under way, limit 64", m.most)
				}
			})
		})
	}
}
