package activities

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
	"github.com/retort-data/retort/workflows"
)

// inBubble hides the test's deadline from rapid: a bubble's clock has nothing to do with it.
type inBubble struct{ testing.TB }

// market is a teacher with the workflow that lends its limit, and the worker processes that ask it.
type market struct {
	limits  schema.Limits
	latency time.Duration // of an answer
	tokens  int           // that an answer uses

	mu     sync.Mutex
	rng    *rand.Rand
	ledger workflows.Ledger
	loses  float64 // of what is asked of the workflow: one half before it was heard, one half of the replies
	asks   int
	peers  int           // processes, as a worker hears
	slow   time.Duration // a message to the workflow takes as long at most

	at     []time.Time // arrivals
	flying int
	most   int // under way at once
}

func newMarket(limits schema.Limits, latency time.Duration, tokens int, seed uint64) *market {
	return &market{limits: limits, latency: latency, tokens: tokens, peers: 4, slow: 400 * time.Millisecond, rng: rand.New(rand.NewPCG(seed, 1))}
}

var errLost = errors.New("lost")

// delay passes some time, and says whether the message is lost.
func (m *market) delay(ctx context.Context) error {
	m.mu.Lock()
	d := time.Duration(m.rng.Int64N(int64(m.slow)))
	lost := m.rng.Float64() < m.loses/2
	m.mu.Unlock()
	if lost {
		<-ctx.Done()
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *market) Lend(ctx context.Context, _ string, a schema.LeaseAsk) (schema.Lease, error) {
	// A message that was given up may still arrive, and late: then nobody hears the reply.
	got := make(chan schema.Lease, 1)
	m.mu.Lock()
	d, lost := time.Duration(m.rng.Int64N(int64(m.slow))), m.rng.Float64()
	if m.rng.Float64() < m.loses/4 {
		d += 5 * time.Second
	}
	loses := m.loses
	m.mu.Unlock()
	if lost < loses/2 {
		return schema.Lease{}, errLost
	}
	go func() {
		time.Sleep(d)
		m.mu.Lock()
		m.asks++
		got <- m.ledger.Lend(time.Now(), a)
		m.mu.Unlock()
	}()
	select {
	case lease := <-got:
		if lost > 1-loses/2 {
			return schema.Lease{}, errLost
		}
		return lease, m.delay(ctx)
	case <-ctx.Done():
		return schema.Lease{}, ctx.Err()
	}
}

func (m *market) Stands(ctx context.Context, _, worker string, number int64) (bool, error) {
	if err := m.delay(ctx); err != nil {
		return false, err
	}
	m.mu.Lock()
	stands := m.ledger.Stands(time.Now(), worker, number)
	m.mu.Unlock()
	return stands, m.delay(ctx)
}

func (m *market) Peers(context.Context) int { return m.peers }

// RoundTrip is the teacher: requests arrive up to half a second after they were sent.
func (m *market) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	m.mu.Lock()
	d := time.Duration(m.rng.Int64N(int64(500 * time.Millisecond)))
	m.mu.Unlock()
	time.Sleep(d)
	m.mu.Lock()
	m.at = append(m.at, time.Now())
	m.flying++
	m.most = max(m.most, m.flying)
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.flying--
		m.mu.Unlock()
	}()
	select {
	case <-time.After(m.latency):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	body := fmt.Sprintf(`{"choices":[{"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":%d,"total_tokens":%d}}`, m.tokens-10, m.tokens)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: r}, nil
}

// mostInMinute is the largest number of arrivals in a sliding minute from a moment on.
func (m *market) mostInMinute() (most int) {
	slices.SortFunc(m.at, time.Time.Compare)
	first := 0
	for i := range m.at {
		for m.at[i].Sub(m.at[first]) >= time.Minute {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func (m *market) arrivedSince(since time.Time) (n int) {
	for _, at := range m.at {
		if !at.Before(since) {
			n++
		}
	}
	return n
}

// process is a worker process with requests to send.
type process struct {
	name   string
	tenant *tenant
	stop   context.CancelFunc // of the senders
	kill   context.CancelFunc // nothing is given back
	wait   *sync.WaitGroup
}

// start starts a process that keeps some requests going until it is stopped, or n of them where n isn't 0.
func (m *market) start(ctx context.Context, t *testing.T, senders, maxTokens, n int) *process {
	t.Helper()
	ctx, kill := context.WithCancel(ctx)
	limiter := teacher.NewLimiter("t", 0)
	client, err := teacher.New(schema.Teacher{Name: "t", BaseURL: "http://t/v1", Model: "t", Limits: m.limits}, teacher.Options{Limiter: limiter, Transport: m})
	if err != nil {
		t.Fatal(err)
	}
	name := crand.Text()
	p := &process{name: name, tenant: newTenant(m, name, limiter, "t", m.limits, slog.New(slog.DiscardHandler)), kill: kill, wait: &sync.WaitGroup{}}
	// A killed process doesn't give back: hold ends by a context of its own, whose end comes when nobody listens any more.
	p.wait.Go(func() { p.tenant.hold(ctx) })
	sending, stop := context.WithCancel(ctx)
	p.stop = stop
	wanted := 1000
	if n > 0 {
		wanted = n
	}
	p.tenant.enter(int64(wanted), int64(maxTokens+50), false)
	var senderWait sync.WaitGroup
	left := make(chan struct{}, max(n, 1))
	for range n {
		left <- struct{}{}
	}
	for range senders {
		senderWait.Go(func() {
			for sending.Err() == nil {
				if n > 0 {
					select {
					case <-left:
					default:
						return
					}
				}
				client.Ask(sending, teacher.Ask{Messages: []schema.Message{{Role: "user", Content: "?"}}, Sampling: schema.Sampling{MaxTokens: &maxTokens}}) //nolint:errcheck // ends with the test
			}
		})
	}
	p.wait.Go(func() {
		senderWait.Wait()
		p.tenant.leave(int64(wanted))
	})
	return p
}

// bury tells the workflow that a process has ended.
func (m *market) bury(process string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ledger.Lend(time.Now(), schema.LeaseAsk{Suspect: true, Limits: m.limits, Gone: []string{process}})
}

// die is kill -9: what is in flight is gone, and nobody is told.
func (p *process) die() {
	p.tenant.lender = unreached{}
	p.kill()
	p.wait.Wait()
}

// unreached is a lender that a dead process can't reach.
type unreached struct{}

func (unreached) Lend(context.Context, string, schema.LeaseAsk) (schema.Lease, error) {
	return schema.Lease{}, errLost
}
func (unreached) Peers(context.Context) int                                   { return 1 }
func (unreached) Stands(context.Context, string, string, int64) (bool, error) { return false, errLost }

// Whatever workers come, go, die and are cut off: no sliding minute is above the limits as the teacher counts, nor are there more
// requests under way than it allows.
func TestNoMinuteAboveTheLimitOverAllWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(inBubble{t}, func(rt *rapid.T) {
			limits := schema.Limits{RPM: rapid.SampledFrom([]int{0, 3, 40, 90, 600, 2000}).Draw(rt, "rpm"),
				TPM:         rapid.SampledFrom([]int{0, 0, 3000, 40000}).Draw(rt, "tpm"),
				Concurrency: rapid.SampledFrom([]int{1, 3, 16, 64}).Draw(rt, "concurrency")}
			if limits.RPM == 0 && limits.TPM == 0 {
				limits.RPM = 300
			}
			tokens := rapid.IntRange(20, 400).Draw(rt, "tokens")
			m := newMarket(limits, time.Duration(rapid.IntRange(10, 4000).Draw(rt, "ms"))*time.Millisecond, tokens, rapid.Uint64().Draw(rt, "seed"))
			m.peers = rapid.IntRange(1, 6).Draw(rt, "peers")
			m.loses = rapid.SampledFrom([]float64{0, 0, 0.2, 0.6}).Draw(rt, "loses")
			var live []*process
			for range rapid.IntRange(3, 14).Draw(rt, "events") {
				switch k := rapid.IntRange(0, 9).Draw(rt, "event"); {
				case k < 5 && len(live) < 6:
					n := rapid.SampledFrom([]int{0, 0, 5, 80}).Draw(rt, "n")
					live = append(live, m.start(t.Context(), t, rapid.SampledFrom([]int{2, 70}).Draw(rt, "senders"), 400, n))
				case len(live) == 0:
				case k < 8:
					i := rapid.IntRange(0, len(live)-1).Draw(rt, "who")
					live[i].die()
					if rapid.Bool().Draw(rt, "succeeded") { // by a process that knows of it, at the soonest once what it had sent has arrived
						time.Sleep(time.Duration(rapid.IntRange(500, 2000).Draw(rt, "after")) * time.Millisecond)
						m.bury(live[i].name)
					}
					live = slices.Delete(live, i, i+1)
					for _, p := range live {
						p.tenant.enter(0, 0, true) // a page of the dead one, asked again
					}
				default:
					live[rapid.IntRange(0, len(live)-1).Draw(rt, "who")].stop()
				}
				time.Sleep(time.Duration(rapid.IntRange(100, 40000).Draw(rt, "for")) * time.Millisecond)
			}
			for _, p := range live {
				p.stop()
				p.kill()
				p.wait.Wait()
			}
			time.Sleep(10 * time.Second) // late messages arrive
			most := m.mostInMinute()
			if limits.RPM > 0 && most > limits.RPM {
				rt.Fatalf("%d requests in a minute, limit %d", most, limits.RPM)
			}
			if limits.TPM > 0 && most*tokens > limits.TPM {
				rt.Fatalf("%d tokens in a minute, limit %d", most*tokens, limits.TPM)
			}
			if m.most > limits.Concurrency {
				rt.Fatalf("%d requests under way, limit %d", m.most, limits.Concurrency)
			}
		})
	})
}

// With four workers that have enough to ask, one of which dies and is replaced, the limit is used to nine tenths in every minute that
// isn't beside the death, and confirming costs no events.
func TestLimitIsUsedByAllWorkers(t *testing.T) {
	for _, limits := range []schema.Limits{{RPM: 600, Concurrency: 64}, {RPM: 90, Concurrency: 64}, {RPM: 20, Concurrency: 8}, {RPM: 6000, Concurrency: 640}} {
		t.Run(fmt.Sprint(limits.RPM), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMarket(limits, 200*time.Millisecond, 100, 1)
				var live []*process
				for range 4 {
					live = append(live, m.start(t.Context(), t, limits.Concurrency, 400, 0))
					time.Sleep(500 * time.Millisecond)
				}
				time.Sleep(30 * time.Second)
				steady, asks := time.Now(), m.asks
				time.Sleep(4 * time.Minute)
				if n := m.arrivedSince(steady); float64(n) < 0.9*4*float64(limits.RPM) {
					t.Errorf("%d requests in four minutes, limit %d a minute", n, limits.RPM)
				} else {
					t.Logf("%.1f%% of the limit, %d asks", 25*float64(n)/float64(limits.RPM), m.asks-asks)
				}
				live[0].die()
				live[0] = m.start(t.Context(), t, limits.Concurrency, 400, 0)
				live[0].tenant.enter(0, 0, true)
				killed := time.Now()
				time.Sleep(time.Minute)
				t.Logf("%.1f%% in the minute of the death", 100*float64(m.arrivedSince(killed))/float64(limits.RPM))
				time.Sleep(2 * time.Minute)
				if n := m.arrivedSince(killed.Add(time.Minute)); float64(n) < 0.9*2*float64(limits.RPM) {
					t.Errorf("%d requests in two minutes after a death, limit %d a minute", n, limits.RPM)
				}
				for _, p := range live {
					p.stop()
					p.kill()
					p.wait.Wait()
				}
				if most := m.mostInMinute(); most > limits.RPM {
					t.Errorf("%d requests in a minute, limit %d", most, limits.RPM)
				}
			})
		})
	}
}
