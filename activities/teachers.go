package activities

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/teacher"
)

// Teachers are the clients of a worker process, one for each teacher of the configuration, shared by all pages and runs.
type Teachers struct {
	config *schema.Config
	agent  string

	mu    sync.Mutex
	lanes map[string]*lane
}

// NewTeachers makes no client yet: a key that is missing fails the pages of its own teacher alone.
func NewTeachers(config *schema.Config, userAgent string) *Teachers {
	return &Teachers{config: config, agent: userAgent, lanes: map[string]*lane{}}
}

// lane bounds what one process has on the way to a teacher, and lets the pages of a run go one after the other.
type lane struct {
	client      *teacher.Client
	concurrency int
	slots       chan struct{} // requests under way, waits for a retry included: more than the teacher's concurrency

	mu        sync.Mutex
	turns     map[string]chan struct{} // run → whose page is sending
	blockedIn string                   // execution of the run in which the teacher refused us
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
	client, err := teacher.New(*declared, teacher.Options{Key: key, UserAgent: t.agent})
	if err != nil {
		return nil, nil, err
	}
	n := max(1, declared.Limits.Concurrency)
	l := &lane{client: client, concurrency: n, slots: make(chan struct{}, waitingShare*n), turns: map[string]chan struct{}{}}
	t.lanes[name] = l
	return client, l, nil
}

// OfRun returns the client of a teacher for an execution of a run. A teacher that refused us isn't asked any more in that execution; in
// another one a person has released the run, or begun one, so it is asked again.
func (t *Teachers) OfRun(name, execution string) (*teacher.Client, *lane, error) {
	client, l, err := t.Of(name)
	if err != nil || !l.blockedElsewhere(execution) {
		return client, l, err
	}
	t.mu.Lock()
	if t.lanes[name] == l {
		delete(t.lanes, name)
	}
	t.mu.Unlock()
	return t.Of(name)
}

func (l *lane) blockedElsewhere(execution string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blockedIn != "" && l.blockedIn != execution
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
	delete(t.lanes, name)
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
