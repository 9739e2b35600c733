package activities

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"sync"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// Teachers are the clients of a worker process, one for each teacher of the configuration, shared by all pages and runs.
type Teachers struct {
	Lender Lender // nil: limits are this process's own
	Log    *slog.Logger

	config  *schema.Config
	agent   string
	process string          // drawn, for people to tell processes apart
	open    context.Context // ends with Close
	close   context.CancelFunc
	held    sync.WaitGroup

	mu    sync.Mutex
	lanes map[string]*lane
}

// NewTeachers makes no client yet: a key that is missing fails the pages of its own teacher alone.
func NewTeachers(config *schema.Config, userAgent string) *Teachers {
	t := &Teachers{Log: slog.Default(), config: config, agent: userAgent, process: rand.Text()[:8], lanes: map[string]*lane{}}
	t.open, t.close = context.WithCancel(context.Background())
	return t
}

// Process names the worker process.
func (t *Teachers) Process() string { return t.process }

// Close gives all leases back.
func (t *Teachers) Close() {
	t.close()
	t.held.Wait()
}

// lane bounds what one process has on the way to a teacher, and lets the pages of a run go one after the other.
type lane struct {
	client      *teacher.Client
	concurrency int
	slots       chan struct{} // requests under way, waits for a retry included: more than the teacher's concurrency
	tenant      *tenant       // nil: the limit is this process's own
	end         context.CancelFunc

	mu        sync.Mutex
	turns     map[string]chan struct{} // run → whose page is sending
	blockedIn string                   // execution of the run in which the teacher refused us
	told      map[string]told          // run → what its workflow was last told that is waited for
}

// waitingShare allows for requests that wait for a retry: they hold a slot of the lane, but none of the limit. With twice the
// concurrency a bad day (5% of 429) halved the rate; with eight times it cost nothing.
const waitingShare = 8

// Of returns the client of a teacher and its lane.
func (t *Teachers) Of(name string) (*teacher.Client, *lane, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l, ok := t.lanes[name]; ok {
		return l.client, l, nil
	}
	declared := t.config.Teacher(name)
	if declared == nil {
		return nil, nil, &schema.Error{Kind: schema.KindHold, Code: "teacher_unknown", Op: "ask", Subject: name,
			Cause: errors.New("this worker's configuration has no such teacher"), Hint: "Give all workers the same temporal.yaml, then release the run."}
	}
	key := ""
	if declared.APIKeyEnv != "" {
		if key = os.Getenv(declared.APIKeyEnv); key == "" {
			return nil, nil, &schema.Error{Kind: schema.KindHold, Code: "teacher_key", Op: "ask", Subject: name,
				Cause: errors.New("the worker's environment lacks " + declared.APIKeyEnv), Hint: "Set it where the worker runs, restart the worker, then release the run."}
		}
	}
	options := teacher.Options{Key: key, UserAgent: t.agent, Observe: observer()}
	if t.Lender != nil {
		options.Limiter = teacher.NewLimiter(name, 0)
	}
	client, err := teacher.New(*declared, options)
	if err != nil {
		return nil, nil, err
	}
	n := max(1, declared.Limits.Concurrency)
	l := &lane{client: client, concurrency: n, slots: make(chan struct{}, waitingShare*n), turns: map[string]chan struct{}{}}
	if t.Lender != nil {
		t.hold(l, declared)
	}
	t.lanes[name] = l
	return client, l, nil
}

// hold lets a lane have its part of the teacher's limit while it has pages.
func (t *Teachers) hold(l *lane, declared *schema.Teacher) {
	var ctx context.Context
	ctx, l.end = context.WithCancel(t.open)
	l.tenant = newTenant(t.Lender, t.process, l.client.Limiter(), declared.Name, declared.Limits, t.Log)
	t.held.Go(func() { l.tenant.hold(ctx) })
}

// OfRun returns the client of a teacher for an execution of a run. A teacher that refused us, or was away for too long, isn't asked any
// more in that execution; in another one a person has released the run, or begun one, so it is asked again.
func (t *Teachers) OfRun(name, execution string) (*teacher.Client, *lane, error) {
	client, l, err := t.Of(name)
	if err == nil && l.unblock(execution) {
		client.Limiter().Reset()
	}
	return client, l, err
}

// unblock forgets a block of another execution, and says whether there was one.
func (l *lane) unblock(execution string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.blockedIn == "" || l.blockedIn == execution {
		return false
	}
	l.blockedIn = ""
	return true
}

// block notes in which execution the teacher refused us.
func (l *lane) block(execution string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.blockedIn == "" {
		l.blockedIn = execution
	}
}

// forget lets the next page make a new client.
func (t *Teachers) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.lanes[name]; l != nil && l.end != nil {
		l.end()
	}
	delete(t.lanes, name)
}

// enter notes that a page has requests to send; again says that it was asked before. The lane's tenant leases a part of the limit
// for as long as there are any.
func (l *lane) enter(requests int, largest int64, again bool) {
	if l.tenant != nil {
		l.tenant.enter(int64(requests), largest, again)
	}
}

func (l *lane) leave(requests int) {
	if l.tenant != nil {
		l.tenant.leave(int64(requests))
	}
}

func (l *lane) turn(run string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.turns[run]
	if !ok {
		c = make(chan struct{}, 1)
		l.turns[run] = c
	}
	return c
}

// takeTurn waits until no other page of the run is sending; false where ctx ended first.
func (l *lane) takeTurn(ctx context.Context, run string) bool {
	select {
	case l.turn(run) <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *lane) giveTurn(run string) { <-l.turn(run) }
