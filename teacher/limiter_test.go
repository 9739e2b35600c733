package teacher

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

// inBubble hides the test's deadline from rapid: a bubble's clock has nothing to do with it.
type inBubble struct{ testing.TB }

// sends records when calls were sent, and how many tokens each one used.
type sends struct {
	mu     sync.Mutex
	at     []time.Time
	tokens []int64
}

func (s *sends) add(at time.Time, tokens int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = append(s.at, at)
	s.tokens = append(s.tokens, tokens)
}

func (s *sends) n() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.at)
}

// most returns the largest number of sends, and of tokens, in any minute.
func (s *sends) most() (n int, tokens int64) {
	order := make([]int, len(s.at))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return s.at[a].Compare(s.at[b]) })
	first, sum := 0, int64(0)
	for i, at := range order {
		sum += s.tokens[at]
		for s.at[order[i]].Sub(s.at[order[first]]) >= time.Minute {
			sum -= s.tokens[order[first]]
			first++
		}
		n, tokens = max(n, i-first+1), max(tokens, sum)
	}
	return n, tokens
}

// load keeps callers busy with a limiter: each takes a turn of bound tokens, uses some, waits and gives it back.
func load(ctx context.Context, l *Limiter, callers int, latency time.Duration, bound, used int64, s *sends) *sync.WaitGroup {
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for {
				turn, err := l.waitTurn(ctx, 0, "run", 1, bound)
				if err != nil {
					return
				}
				s.add(time.Now(), used)
				time.Sleep(latency)
				l.done(turn, result{sent: true, tokens: used, quota: noQuota})
			}
		})
	}
	return &wg
}

// Whatever the rate, the load and the changes of the lease: no sliding minute is above the limit.
func TestNoMinuteAboveLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(inBubble{t}, func(rt *rapid.T) {
			rpm := rapid.IntRange(1, 1500).Draw(rt, "rpm")
			tpm := rapid.SampledFrom([]int{0, 1000, 20000}).Draw(rt, "tpm")
			bound := int64(rapid.IntRange(1, 900).Draw(rt, "bound"))
			used := int64(rapid.IntRange(1, int(bound)).Draw(rt, "used"))
			l := NewLimiter("t", 0)
			l.SetLease(Rate{RPM: rpm, TPM: tpm, Concurrency: 64}, time.Time{})
			ctx, cancel := context.WithCancel(context.Background())
			var s sends
			wg := load(ctx, l, rapid.IntRange(1, 80).Draw(rt, "callers"), time.Duration(rapid.IntRange(0, 20000).Draw(rt, "ms"))*time.Millisecond, bound, used, &s)
			for range rapid.IntRange(1, 4).Draw(rt, "changes") {
				time.Sleep(time.Duration(rapid.IntRange(30000, 90000).Draw(rt, "for")) * time.Millisecond)
				l.SetLease(Rate{RPM: rapid.IntRange(1, rpm).Draw(rt, "less"), TPM: tpm, Concurrency: 64}, time.Time{})
				time.Sleep(time.Duration(rapid.IntRange(1, 3000).Draw(rt, "pause")) * time.Millisecond)
				l.SetLease(Rate{RPM: rpm, TPM: tpm, Concurrency: 64}, time.Time{})
			}
			cancel()
			wg.Wait()
			n, tokens := s.most()
			if n > rpm {
				rt.Fatalf("%d sends in a minute, limit %d", n, rpm)
			}
			if tpm > 0 && tokens > int64(tpm) {
				rt.Fatalf("%d tokens in a minute, limit %d", tokens, tpm)
			}
		})
	})
}

// Arrivals a second late or early leave no minute above the limit either, and a worker that takes over a dead
// one's lease doesn't bring its minute above it.
func TestJitterAndTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(inBubble{t}, func(rt *rapid.T) {
			rpm := rapid.IntRange(1, 1200).Draw(rt, "rpm")
			var s sends
			for range 2 {
				l := NewLimiter("t", 0)
				l.SetLease(Rate{RPM: rpm, Concurrency: 64}, time.Time{})
				ctx, cancel := context.WithCancel(context.Background())
				wg := load(ctx, l, 64, 100*time.Millisecond, 1, 1, &s)
				time.Sleep(time.Duration(rapid.IntRange(20000, 100000).Draw(rt, "life")) * time.Millisecond)
				cancel()
				wg.Wait()
			}
			for i := range s.at {
				s.at[i] = s.at[i].Add(time.Duration(rapid.IntRange(-500, 500).Draw(rt, "jitter")) * time.Millisecond)
			}
			if n, _ := s.most(); n > rpm {
				rt.Fatalf("%d arrivals in a minute, limit %d", n, rpm)
			}
		})
	})
}

func TestLimitIsUsed(t *testing.T) {
	for _, r := range []struct {
		name           string
		rate           Rate
		bound, used    int64
		latency        time.Duration
		wantN, wantTok float64
	}{
		{name: "600 rpm", rate: Rate{RPM: 600, Concurrency: 64}, bound: 1, used: 1, latency: 200 * time.Millisecond, wantN: 540},
		{name: "10 rpm", rate: Rate{RPM: 10, Concurrency: 8}, bound: 1, used: 1, latency: time.Second, wantN: 9},
		{name: "3 rpm", rate: Rate{RPM: 3, Concurrency: 1}, bound: 1, used: 1, latency: time.Second, wantN: 2.7},
		{name: "12000 rpm", rate: Rate{RPM: 12000, Concurrency: 512}, bound: 1, used: 1, latency: 200 * time.Millisecond, wantN: 10800},
		{name: "tokens", rate: Rate{TPM: 400000, Concurrency: 64}, bound: 2000, used: 600, latency: 2 * time.Second, wantTok: 360000},
	} {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewLimiter("t", 0)
				l.SetLease(r.rate, time.Time{})
				ctx, cancel := context.WithCancel(context.Background())
				var s sends
				start := time.Now()
				wg := load(ctx, l, 2*r.rate.Concurrency, r.latency, r.bound, r.used, &s)
				time.Sleep(10 * time.Minute)
				cancel()
				wg.Wait()
				perMinute := float64(len(s.at)) / 10
				t.Logf("%.1f sends and %.0f tokens a minute after %v", perMinute, perMinute*float64(r.used), time.Since(start))
				if perMinute < r.wantN || perMinute*float64(r.used) < r.wantTok {
					t.Errorf("%.1f sends a minute, %.0f tokens: less than 90%% of the limit", perMinute, perMinute*float64(r.used))
				}
			})
		})
	}
}

func TestLeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter("t", 0)
		ctx, cancel := context.WithCancel(context.Background())
		var s sends
		wg := load(ctx, l, 8, time.Second, 1, 1, &s)
		time.Sleep(time.Minute)
		if s.n() != 0 || l.State().Wait != WaitLease {
			t.Errorf("%d sends without a lease, state %+v", s.n(), l.State())
		}
		l.SetLease(Rate{Concurrency: 4}, time.Now().Add(10*time.Second+time.Millisecond))
		time.Sleep(time.Minute)
		before := s.n()
		if before != 4*11 {
			t.Errorf("%d sends within the lease, want 44", before)
		}
		l.SetLease(Rate{Concurrency: 4}, time.Now().Add(time.Second/2))
		time.Sleep(time.Minute)
		if s.n() != before+4 {
			t.Errorf("%d sends after the renewal, want %d", s.n(), before+4)
		}
		cancel()
		wg.Wait()
	})
}

func TestFlowsShareFairly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter("t", 0)
		l.SetLease(Rate{Concurrency: 4}, time.Time{})
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[string]int{}
		caller := func(flow string, weight float64) {
			for {
				turn, err := l.waitTurn(ctx, 0, flow, weight, 1)
				if err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
				l.done(turn, result{sent: true, quota: noQuota})
				mu.Lock()
				got[flow]++
				mu.Unlock()
			}
		}
		for range 200 {
			wg.Go(func() { caller("large", 1) })
		}
		for range 20 {
			wg.Go(func() { caller("small", 1) })
			wg.Go(func() { caller("heavy", 2) })
		}
		time.Sleep(100 * time.Second)
		cancel()
		wg.Wait()
		if got["small"] < 950 || got["large"] < 950 || got["heavy"] < 1900 {
			t.Errorf("turns by flow: %v, want 1:1:2 of 4,000", got)
		}
	})
}

func TestAIMDSlowsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter("t", 0)
		l.SetLease(Rate{Concurrency: 32}, time.Time{})
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		var mu sync.Mutex
		every, n, busy, most := 0, 0, 0, 0
		for range 64 {
			wg.Go(func() {
				for {
					turn, err := l.waitTurn(ctx, 0, "", 1, 1)
					if err != nil {
						return
					}
					mu.Lock()
					busy++
					most = max(most, busy)
					mu.Unlock()
					time.Sleep(100 * time.Millisecond)
					mu.Lock()
					n++
					busy--
					r := result{sent: true, quota: noQuota}
					if every > 0 && n%every == 0 {
						r.code = CodeRateLimited
					}
					mu.Unlock()
					l.done(turn, r)
				}
			})
		}
		set := func(e int) { mu.Lock(); defer mu.Unlock(); every, most = e, 0 }
		set(20) // 5% fail: not slowed
		time.Sleep(time.Minute)
		if s := l.State().Share; s != 1 {
			t.Errorf("share %v at 5%% of failures", s)
		}
		set(4) // 25%
		time.Sleep(time.Minute)
		if s := l.State().Share; s > 0.25 {
			t.Errorf("share %v at 25%% of failures", s)
		}
		time.Sleep(time.Second)
		set(0)
		time.Sleep(2 * time.Minute)
		if s := l.State().Share; s != 1 {
			t.Errorf("share %v two minutes after the failures ended", s)
		}
		if mu.Lock(); most != 32 {
			t.Errorf("at most %d under way after recovery, want 32", most)
		}
		mu.Unlock()
		cancel()
		wg.Wait()
	})
}

func TestHeadersAreObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter("t", 0)
		l.SetLease(Rate{Concurrency: 8}, time.Time{})
		first, _ := l.waitTurn(context.Background(), 0, "", 1, 1)
		second, _ := l.waitTurn(context.Background(), 0, "", 1, 1)
		// The first was told that two are left after it; the second was sent since: one is left.
		l.done(first, result{sent: true, quota: quota{requests: 2, requestsReset: 30 * time.Second, tokens: -1}})
		start := time.Now()
		third, _ := l.waitTurn(context.Background(), 0, "", 1, 1)
		if time.Since(start) != 0 {
			t.Errorf("the third waited %v", time.Since(start))
		}
		fourth, _ := l.waitTurn(context.Background(), 0, "", 1, 1)
		if time.Since(start) != 30*time.Second {
			t.Errorf("the fourth waited %v, want 30s", time.Since(start))
		}
		for _, turn := range []turn{second, third, fourth} {
			l.done(turn, result{sent: true, quota: noQuota})
		}
	})
}

func TestBreakerOpensWaitsAndHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter("t", 10*time.Minute)
		l.SetLease(Rate{Concurrency: 4}, time.Time{})
		fail := func() error {
			turn, err := l.waitTurn(context.Background(), 0, "", 1, 1)
			if err == nil {
				l.done(turn, result{code: CodeConnect})
			}
			return err
		}
		for range breakerFailures {
			if err := fail(); err != nil {
				t.Fatal(err)
			}
		}
		opened := time.Now()
		s := l.State()
		if s.Phase != PhaseOpen || !s.Since.Equal(opened) || !s.Until.Equal(opened.Add(breakerFirstWait)) || s.Reason != CodeConnect {
			t.Errorf("state %+v", s)
		}
		trials := 0
		var err error
		for err = fail(); err == nil; err = fail() {
			trials++
		}
		var e *schema.Error
		if !errors.As(err, &e) || e.Kind != schema.KindHold || e.Code != CodeUnavailable {
			t.Fatalf("got %v", err)
		}
		if d := time.Since(opened); d != 10*time.Minute {
			t.Errorf("held after %v", d)
		}
		if trials < 20 || trials > 30 {
			t.Errorf("%d trials", trials)
		}
		// A later ask, once a person released the run, is the next trial; its answer closes the breaker.
		turn, err := l.waitTurn(context.Background(), l.currentLife(), "", 1, 1)
		if err != nil || !turn.trial {
			t.Fatalf("trial %v, %v", turn.trial, err)
		}
		l.done(turn, result{sent: true, quota: noQuota})
		if s := l.State(); s.Phase != PhaseClosed {
			t.Errorf("state %+v", s)
		}
	})
}

func TestOneTrialAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter("t", 0)
		l.SetLease(Rate{Concurrency: 16}, time.Time{})
		for range breakerFailures {
			turn, _ := l.waitTurn(context.Background(), 0, "", 1, 1)
			l.done(turn, result{code: CodeServerError, sent: true})
		}
		ctx, cancel := context.WithCancel(context.Background())
		var s sends
		wg := load(ctx, l, 16, 5*time.Second, 1, 1, &s)
		time.Sleep(breakerFirstWait + 4*time.Second)
		if s.n() != 1 {
			t.Errorf("%d calls while the trial was under way", s.n())
		}
		time.Sleep(2 * time.Second) // the trial was answered
		if s.n() != 17 {
			t.Errorf("%d calls after the trial's answer, want 17", s.n())
		}
		cancel()
		wg.Wait()
	})
}

func TestGivingUpKeepsNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(inBubble{t}, func(rt *rapid.T) {
			l := NewLimiter("t", 0)
			l.SetLease(Rate{Concurrency: rapid.IntRange(1, 3).Draw(rt, "concurrency")}, time.Time{})
			var wg sync.WaitGroup
			for range rapid.IntRange(1, 30).Draw(rt, "callers") {
				patience := time.Duration(rapid.IntRange(0, 5).Draw(rt, "patience")) * time.Millisecond
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					defer cancel()
					if turn, err := l.waitTurn(ctx, 0, "", 1, 1); err == nil {
						time.Sleep(time.Millisecond)
						l.done(turn, result{sent: true, quota: noQuota})
					}
				})
			}
			wg.Wait()
			if s := l.State(); s.InFlight != 0 || s.Waiting != 0 {
				rt.Fatalf("left behind: %+v", s)
			}
		})
	})
}
