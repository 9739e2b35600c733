package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// answers follows the teacher's journal: a line for each answer, written before the answer is sent, so that it outlives the teacher.
type answers struct {
	path string
	stop chan struct{}
	done chan struct{}

	mu      sync.Mutex
	n       int
	again   int // answers beyond the first of their prompt
	prompts map[string]bool
	seen    []seen
	rest    []byte
	read    int64
}

// seen is how many answers there were at a moment.
type seen struct {
	at time.Time
	n  int
}

func follow(path string) *answers {
	a := &answers{path: path, stop: make(chan struct{}), done: make(chan struct{}), prompts: map[string]bool{}}
	go func() {
		defer close(a.done)
		for {
			select {
			case <-a.stop:
				return
			case <-time.After(10 * time.Millisecond):
				a.look() //nolint:errcheck // end looks again
			}
		}
	}()
	return a
}

// end stops following, after a last look.
func (a *answers) end() error {
	close(a.stop)
	<-a.done
	return a.look()
}

func (a *answers) look() error {
	f, err := os.Open(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	body, err := io.ReadAll(io.NewSectionReader(f, a.read, 1<<40))
	a.read += int64(len(body))
	a.rest = append(a.rest, body...)
	before := a.n
	for {
		line, rest, whole := bytes.Cut(a.rest, []byte("\n"))
		if !whole {
			break
		}
		a.rest = rest
		key, _, _ := bytes.Cut(line, []byte("\t"))
		if a.prompts[string(key)] {
			a.again++
		}
		a.prompts[string(key)] = true
		a.n++
	}
	if a.n > before || len(a.seen) == 0 {
		a.seen = append(a.seen, seen{time.Now(), a.n})
	}
	return err
}

// counts are the answers so far, those of prompts that had been answered before, and those of the last second.
func (a *answers) counts() (n, again, lastSecond int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	since := time.Now().Add(-time.Second)
	earlier := 0
	for i := len(a.seen) - 1; i >= 0; i-- {
		if a.seen[i].at.Before(since) {
			earlier = a.seen[i].n
			break
		}
	}
	return a.n, a.again, a.n - earlier
}

// rate is answers a second between a tenth and nine tenths of them: start and end of a run are other work.
func (a *answers) rate() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	var from, to seen
	for _, s := range a.seen {
		if from.n == 0 && s.n >= a.n/10 {
			from = s
		}
		if s.n <= a.n*9/10 {
			to = s
		}
	}
	if took := to.at.Sub(from.at).Seconds(); took > 0 {
		return float64(to.n-from.n) / took
	}
	return 0
}

// span is the time from the first answer to the last.
func (a *answers) span() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) == 0 {
		return 0
	}
	return a.seen[len(a.seen)-1].at.Sub(a.seen[0].at)
}
