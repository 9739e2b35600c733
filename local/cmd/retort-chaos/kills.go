package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/retort-data/retort/local/site"
	"github.com/retort-data/retort/schema"
)

// faults of the teacher: shares of all requests.
const (
	rateLimited = 0.05  // 429 with Retry-After: 1
	serverError = 0.02  // 500
	resets      = 0.005 // connections
	garbage     = 0.005 // bodies that are no completion
	hangs       = 0.002 // no answer until the asker leaves
)

type killsCommand struct {
	Prompts     int           `default:"20000" help:"Prompts of the run."`
	Kills       int           `default:"40" help:"Processes to kill."`
	Latency     time.Duration `default:"20ms" help:"The teacher's time to an answer."`
	Concurrency int           `default:"64" help:"Requests at once that the teacher allows."`
	Timeout     time.Duration `default:"2s" help:"Of an answer: a request that hangs is given up then."`
	Within      time.Duration `default:"20m" help:"The run must end within this."`
	NoCalm      bool          `help:"Leave the run without kills out."`
	NoRate      bool          `help:"Don't judge the rate of the run without kills: for machines that do other work."`
}

// killable are the processes that are killed, in the order that the seed's choice counts in.
var killable = []string{site.Worker(0), site.Temporal, site.S3, site.Teacher}

// Run runs under kills, and then without.
func (c *killsCommand) Run(t *trial) error {
	if err := t.programs(); err != nil {
		return err
	}
	t.Say("%d prompts at %v, %d at once; 429 %.1f%% (Retry-After 1), 500 %.1f%%, resets %.1f%%, garbage %.1f%%, hangs %.1f%% (given up after %v)",
		c.Prompts, c.Latency, c.Concurrency, 100*rateLimited, 100*serverError, 100*resets, 100*garbage, 100*hangs, c.Timeout)
	if err := c.killed(t); err != nil {
		return err
	}
	if !c.NoCalm {
		if err := c.calm(t); err != nil {
			return err
		}
	}
	return t.verdict(fmt.Sprintf("%d prompts, %d kills", c.Prompts, c.Kills))
}

func (c *killsCommand) site(dir string) site.Options {
	flags := []string{"--latency", c.Latency.String(), "--journal", filepath.Join(dir, "teacher.journal"), "--retry-after", "1",
		"--429", fmt.Sprint(rateLimited), "--500", fmt.Sprint(serverError), "--reset", fmt.Sprint(resets), "--garbage", fmt.Sprint(garbage), "--hang", fmt.Sprint(hangs)}
	return site.Options{Workers: 1, TeacherFlags: flags, Limits: fmt.Sprintf("{concurrency: %d}", c.Concurrency), TeacherMore: fmt.Sprintf("    timeout: %v\n", c.Timeout)}
}

// begun is a run under the teacher's faults.
type begun struct {
	*ground
	answers *answers
	end     func() // ends the site and removes its folder
}

func (c *killsCommand) begin(t *trial) (b *begun, err error) {
	dir, done, err := t.folder()
	if err != nil {
		return nil, err
	}
	s, err := t.start(dir, c.site(dir))
	if err != nil {
		done()
		return nil, err
	}
	b = &begun{s, follow(filepath.Join(dir, "teacher.journal")), func() { s.Stop(); done() }}
	recipe, err := s.recipe("chaos", c.Prompts, 400, "")
	if err == nil {
		err = s.retort("run", "--detach", recipe)
	}
	if err != nil {
		b.end()
	}
	return b, err
}

// finish waits for the run's end, and holds what it published against what it planned.
func (c *killsCommand) finish(b *begun, how string) error {
	st, err := b.ground.finish("chaos", c.Within)
	if err != nil {
		return err
	}
	if err := b.answers.end(); err != nil {
		return err
	}
	b.t.Say("\n%s, %v:", how, b.answers.span().Round(100*time.Millisecond))
	return b.complete("chaos", st, c.Prompts)
}

// killed kills a process after every so many answers.
func (c *killsCommand) killed(t *trial) error {
	b, err := c.begin(t)
	if err != nil {
		return err
	}
	defer b.end()
	bound, kills, err := c.killAll(t, b.ground, b.answers)
	if err != nil {
		return err
	}
	if err := c.finish(b, fmt.Sprintf("with %d kills", kills)); err != nil {
		return err
	}
	n, again, _ := b.answers.counts()
	t.Hold(kills == c.Kills, "kills", "%d of %d", kills, c.Kills)
	t.Hold(again <= bound, "prompts answered twice", "%d of %d answers; for each kill %d in flight and the answers of the second before it: %d", again, n, c.Concurrency, bound)
	return nil
}

// killAll returns the bound of answers that kills may have lost, and how many kills there were.
func (c *killsCommand) killAll(t *trial, s *ground, a *answers) (bound, kills int, err error) {
	rng := rand.New(rand.NewPCG(t.Seed, 1))
	t.Say("\n kill  process    after answers  in the second before  answered twice so far  back after")
	for kills < c.Kills {
		name := killable[rng.IntN(len(killable))]
		// Answers that came while a process came back are no reason to kill the next one before it has done something.
		n, again, _ := a.counts()
		n -= again
		ended, err := c.awaitAnswers(t, s, a, n+max(1, (c.Prompts-n)/(c.Kills-kills)))
		if ended || err != nil {
			return bound, kills, err
		}
		var second int
		n, again, second = a.counts()
		began := time.Now()
		if err := s.replace(name); err != nil {
			return bound, kills, err
		}
		kills++
		bound += c.Concurrency + second
		t.Say("%5d  %-9s  %13d  %20d  %21d  %10v", kills, name, n, second, again, time.Since(began).Round(time.Millisecond))
	}
	return bound, kills, nil
}

// awaitAnswers waits until n prompts are answered; ended says that the run ended before.
func (c *killsCommand) awaitAnswers(t *trial, s *ground, a *answers, n int) (ended bool, err error) {
	n = min(n, c.Prompts) // the last kill comes when all is answered: it hits the deciding and writing
	looked, deadline := time.Now(), time.Now().Add(c.Within)
	for {
		got, again, _ := a.counts()
		if got -= again; got >= n {
			return false, nil
		}
		if time.Since(looked) > time.Second {
			looked = time.Now()
			if st := s.status("chaos"); st != nil && schema.Ended(st.State) {
				return true, nil
			}
		}
		if time.Now().After(deadline) {
			return false, fmt.Errorf("%d of %d answers after %v: it has stalled", got, n, c.Within)
		}
		select {
		case <-t.ctx.Done():
			return false, t.ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// calm runs under the same faults without kills, and compares its rate with what they allow.
func (c *killsCommand) calm(t *trial) error {
	b, err := c.begin(t)
	if err != nil {
		return err
	}
	defer b.end()
	if err := c.finish(b, "without kills"); err != nil {
		return err
	}
	c.judgeRate(t, b.answers)
	return nil
}

// judgeRate compares with the rate that the waits allow.
func (c *killsCommand) judgeRate(t *trial, a *answers) {
	calls := 1 / (1 - rateLimited - serverError - resets - garbage - hangs) // for an answer
	latency := c.Latency.Seconds()
	busy := calls * ((1-hangs)*latency + hangs*c.Timeout.Seconds())
	waits := calls * rateLimited * 1.0
	held := float64(c.Concurrency) / (busy + waits)
	free := float64(c.Concurrency) / busy
	got := a.rate()
	t.Say(`  An answer takes 1 / (1 - %.3f) = %.3f calls. They keep one of %d places for %.1f ms, timeouts of hangs included. The Retry-After
  of 1 s that %.1f%% of calls get adds %.1f ms to an answer: held in its place, the waits allow %d / %.1f ms = %.0f answers a second;
  beside it, as here, %.0f would be possible on a machine that is quick enough.`,
		1-1/calls, calls, c.Concurrency, 1000*busy, 100*rateLimited, 1000*waits, c.Concurrency, 1000*(busy+waits), held, free)
	line := fmt.Sprintf("%.0f answers a second: %.0f%% of %.0f, and %.0f%% of %.0f", got, 100*got/held, held, 100*got/free, free)
	if c.NoRate {
		t.Say("  (not judged) rate                  %s", line)
		return
	}
	t.Hold(got >= 0.8*held, "rate", "%s", line)
}
