package teacher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

func TestCost(t *testing.T) {
	for _, r := range []struct {
		price schema.Price
		usage Usage
		batch bool
		want  int64
	}{
		{schema.Price{Input: 0.20, Output: 0.60}, Usage{Input: 1000, Output: 1000}, false, 800},
		{schema.Price{Input: 0.1}, Usage{Input: 30}, false, 3}, // 0.1 * 30 is above 3 in floating point
		{schema.Price{Input: 0.20}, Usage{Input: 1}, false, 1}, // rounded up
		{schema.Price{Input: 0.075, Output: 0.3}, Usage{Input: 1}, false, 1},
		{schema.Price{Input: 2, CachedInput: ptr(0.5)}, Usage{Input: 100, Cached: 60}, false, 110},
		{schema.Price{Input: 2, CachedInput: ptr(0.0)}, Usage{Input: 100, Cached: 60}, false, 80},
		{schema.Price{Input: 2}, Usage{Input: 100, Cached: 60}, false, 200},
		{schema.Price{Input: 2, CachedInput: ptr(0.5)}, Usage{Input: 100, Cached: 1000}, false, 50}, // no more cached than there is
		{schema.Price{Input: 2, Output: 4, Batch: 0.5}, Usage{Input: 10, Output: 10}, true, 30},
		{schema.Price{Input: 2, Output: 4, Batch: 0.5}, Usage{Input: 10, Output: 10}, false, 60},
		{schema.Price{Input: 2, Output: 4}, Usage{Input: 10, Output: 10}, true, 60},
		{schema.Price{}, Usage{Input: 10, Output: 10}, false, 0},
		{schema.Price{Input: 1}, Usage{Input: -5, Output: -5}, false, 0},
		{schema.Price{Input: math.NaN(), Output: math.Inf(1)}, Usage{Input: 5}, false, 0},
	} {
		if got := Cost(&r.price, r.usage, r.batch); *got != r.want {
			t.Errorf("%+v of %+v: %d, want %d", r.usage, r.price, *got, r.want)
		}
	}
	if Cost(nil, Usage{Input: 1}, false) != nil || WorstCase(nil, 1, 1) != 0 {
		t.Error("an unknown price has a cost")
	}
}

// Cost is the exact sum, rounded up once, and never above the worst case of what it is bounded by.
func TestCostIsExactAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		millionths := func(name string) (float64, *big.Int) {
			n := rapid.Int64Range(0, 100_000_000).Draw(t, name)
			return float64(n) / 1e6, big.NewInt(n)
		}
		in, bigIn := millionths("in")
		cached, bigCached := millionths("cached")
		out, bigOut := millionths("out")
		u := Usage{Input: rapid.Int64Range(0, 10_000_000).Draw(t, "input"), Output: rapid.Int64Range(0, 10_000_000).Draw(t, "output")}
		u.Cached = rapid.Int64Range(0, u.Input).Draw(t, "cachedTokens")
		p := schema.Price{Input: in, Output: out, CachedInput: &cached}
		sum := new(big.Int).Mul(bigIn, big.NewInt(u.Input-u.Cached))
		sum.Add(sum, new(big.Int).Mul(bigCached, big.NewInt(u.Cached)))
		sum.Add(sum, new(big.Int).Mul(bigOut, big.NewInt(u.Output)))
		sum.Add(sum, big.NewInt(pricePlaces-1)).Div(sum, big.NewInt(pricePlaces))
		got := *Cost(&p, u, false)
		if got != sum.Int64() {
			t.Fatalf("cost %d, exactly %v", got, sum)
		}
		bytes := u.Input + rapid.Int64Range(0, 1000).Draw(t, "bytes")
		most := u.Output + rapid.Int64Range(0, 1000).Draw(t, "most")
		if worst := WorstCase(&p, bytes, most); worst < got {
			t.Fatalf("worst case %d below a cost of %d", worst, got)
		}
	})
}

func TestCostStaysInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := schema.Price{Input: rapid.Float64().Draw(t, "in"), Output: rapid.Float64().Draw(t, "out"), Batch: rapid.Float64().Draw(t, "batch")}
		u := Usage{Input: rapid.Int64().Draw(t, "input"), Cached: rapid.Int64().Draw(t, "cached"), Output: rapid.Int64().Draw(t, "output")}
		if got := *Cost(&p, u, rapid.Bool().Draw(t, "isBatch")); got < 0 {
			t.Fatalf("cost %d", got)
		}
	})
}

// Whatever the order of leases, reservations and settlements: spent and reserved never exceed what was leased,
// and nothing is lost.
func TestBudgetNeverExceedsItsLease(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBudget(true, true)
		var leased, spent, calls int64
		var open []int64
		done, cancel := context.WithCancel(context.Background())
		cancel() // Reserve doesn't wait
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				micros, n := rapid.Int64Range(0, 1000).Draw(t, "micros"), rapid.Int64Range(0, 5).Draw(t, "calls")
				b.AddLease(micros, n)
				leased += micros
				calls += n
			case 1:
				worst := rapid.Int64Range(0, 400).Draw(t, "worst")
				reserved := int64(0)
				for _, w := range open {
					reserved += w
				}
				err := b.Reserve(done, worst)
				fits := leased-spent-reserved >= worst && calls > 0
				if fits != (err == nil) {
					t.Fatalf("reserving %d of %d leased, %d spent, %d reserved, %d calls: %v", worst, leased, spent, reserved, calls, err)
				}
				if err == nil {
					open = append(open, worst)
					calls--
				} else if len(open) == 0 && schema.KindOf(err) != schema.KindBudget {
					t.Fatalf("nothing is under way, but Reserve would wait: %v", err)
				}
			case 2:
				if len(open) > 0 {
					i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
					actual := rapid.Int64Range(0, open[i]).Draw(t, "actual")
					called := rapid.Bool().Draw(t, "called")
					b.Settle(open[i], actual, called)
					spent += actual
					if !called {
						calls++
					}
					open = append(open[:i], open[i+1:]...)
				}
			}
			left, leftCalls := b.Left()
			reserved := int64(0)
			for _, w := range open {
				reserved += w
			}
			if b.Spent() != spent || left != leased-spent-reserved || left < 0 || leftCalls != calls {
				t.Fatalf("spent %d left %d calls %d; want %d, %d, %d", b.Spent(), left, leftCalls, spent, leased-spent-reserved, calls)
			}
		}
	})
}

func TestBudgetTakesBackOnlyWhatIsLeft(t *testing.T) {
	b := NewBudget(true, true)
	b.AddLease(100, 2)
	if err := b.Reserve(t.Context(), 60); err != nil {
		t.Fatal(err)
	}
	b.AddLease(-1000, -1000)
	if micros, calls := b.Left(); micros != 0 || calls != 0 {
		t.Errorf("left %d, %d", micros, calls)
	}
	b.Settle(60, 10, true)
	if micros, _ := b.Left(); micros != 50 {
		t.Errorf("left %d after the settlement, want 50", micros)
	}
}

func TestReserveWaitsForSettlementsAndLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(true, false)
		b.AddLease(100, 0)
		if err := b.Reserve(t.Context(), 80); err != nil {
			t.Fatal(err)
		}
		got := make(chan error, 1)
		go func() { got <- b.Reserve(t.Context(), 50) }()
		synctest.Wait()
		if len(got) != 0 {
			t.Fatal("reserved what isn't there")
		}
		b.Settle(80, 20, true)
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		go func() { got <- b.Reserve(t.Context(), 50) }()
		synctest.Wait()
		b.AddLease(50, 0)
		if err := <-got; err != nil {
			t.Fatal(err)
		}
	})
}

// A cap of 1.00 USD, 64 at once, answers up to max_tokens, timeouts and resets: what the teacher bills is never
// above the cap, and 95% of it is spent.
func TestCapHolds(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng, mu := rand.New(rand.NewPCG(seed, 0)), sync.Mutex{}
			price := &schema.Price{Input: 1, Output: 10}
			var billed atomic.Int64
			handler := func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				mu.Lock()
				output, x := 1+rng.Int64N(200), rng.Float64()
				mu.Unlock()
				time.Sleep(time.Duration(output) * time.Millisecond)
				if x < 0.03 {
					writeJSON(w, 500, `{}`)
					return
				}
				billed.Add(*Cost(price, Usage{Input: 20, Output: output}, false))
				switch {
				case x < 0.05:
					<-r.Context().Done()
				case x < 0.07:
					conn, _, _ := w.(http.Hijacker).Hijack()
					conn.Close()
				default:
					body := strings.Replace(completion("ok"), `"prompt_tokens":10,"completion_tokens":5`, fmt.Sprintf(`"prompt_tokens":20,"completion_tokens":%d`, output), 1)
					writeJSON(w, 200, body)
				}
			}
			inTime(t, handler, func(teach *schema.Teacher, _ *Options) { teach.Price = price }, func(t *testing.T, c *Client) {
				budget := NewBudget(true, false)
				budget.AddLease(1_000_000, 0)
				var wg sync.WaitGroup
				var costs, unasked atomic.Int64
				for range 128 {
					wg.Go(func() {
						for {
							a := hello()
							a.Sampling.MaxTokens, a.Budget = ptr(200), budget
							r, err := c.Ask(t.Context(), a)
							costs.Add(*r.CostMicros)
							if err != nil {
								if schema.KindOf(err) != schema.KindBudget || r.FailCode != CodeBudget {
									t.Errorf("%v %+v", err, r)
								}
								unasked.Add(1)
								return
							}
						}
					})
				}
				wg.Wait()
				if unasked.Load() != 128 || costs.Load() != budget.Spent() || c.Stats().CostMicros != budget.Spent() {
					t.Errorf("%d stopped, responses cost %d, stats %d, budget %d", unasked.Load(), costs.Load(), c.Stats().CostMicros, budget.Spent())
				}
				if b := billed.Load(); b > 1_000_000 || budget.Spent() > 1_000_000 {
					t.Errorf("billed %d, spent %d of 1,000,000", b, budget.Spent())
				}
				if budget.Spent() < 950_000 {
					t.Errorf("spent %d: less than 95%%", budget.Spent())
				}
				t.Logf("billed %d, spent %d", billed.Load(), budget.Spent())
			})
		})
	}
}

func TestRequestBudget(t *testing.T) {
	var calls atomic.Int64
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%2 == 0 {
			writeJSON(w, 500, `{}`)
			return
		}
		writeJSON(w, 200, completion("ok"))
	}, nil)
	budget := NewBudget(false, true)
	budget.AddLease(0, 5)
	for {
		a := hello()
		a.Budget = budget
		if _, err := c.Ask(context.Background(), a); err != nil {
			var e *schema.Error
			if !errors.As(err, &e) || e.Kind != schema.KindBudget {
				t.Fatal(err)
			}
			break
		}
	}
	if calls.Load() != 5 {
		t.Errorf("%d calls, want 5", calls.Load())
	}
}
