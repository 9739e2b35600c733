package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/retort-data/retort/local/site"
	"github.com/retort-data/retort/schema"
)

type budgetCommand struct {
	Seeds   int           `default:"20" help:"Runs, each with the next seed."`
	Workers int           `default:"4" help:"Worker processes."`
	USD     float64       `default:"1" help:"Cap of each run."`
	Latency time.Duration `default:"200ms" help:"The teacher's time to an answer."`
	Prompts int           `default:"3000" help:"Prompts of each run: more than the cap pays for."`
}

const (
	// maxTokens is what answers are cut at; most of them come to it.
	maxTokens = 100
	// perMillion is the price of output in USD: an answer is about a tenth of a cent.
	perMillion = 10
)

// Run spends a budget with a worker killed in each run, and once without.
func (c *budgetCommand) Run(t *trial) error {
	if err := t.programs(); err != nil {
		return err
	}
	dir, done, err := t.folder()
	if err != nil {
		return err
	}
	defer done()
	s, err := t.start(dir, site.Options{Workers: c.Workers,
		TeacherFlags: []string{"--latency", c.Latency.String(), "--set", fmt.Sprintf(`{"min_words": 20, "max_words": 200, "price_input": 1, "price_output": %d}`, perMillion)},
		Price:        fmt.Sprintf("{input: 1, output: %d}", perMillion)})
	if err != nil {
		return err
	}
	defer s.Stop()
	t.Say("cap %.2f USD, %d workers, 64 in flight, answers cut at %d tokens; a worker killed in each run but the last", c.USD, c.Workers, maxTokens)
	t.Say("\n seed  killed    when billed  billed USD  counted USD  admitted  ended as")
	var most float64
	for i := range c.Seeds {
		billed, _, err := c.once(t, s, t.Seed+uint64(i), true)
		if err != nil {
			return err
		}
		most = max(most, billed)
	}
	calm, _, err := c.once(t, s, t.Seed+uint64(c.Seeds), false)
	if err != nil {
		return err
	}
	t.Say("")
	t.Hold(most <= c.USD && calm <= c.USD, "the cap holds", "the teacher billed %.4f USD at most", max(most, calm))
	t.Hold(calm >= 0.95*c.USD, "the cap is used", "without a kill it billed %.4f USD", calm)
	return t.verdict(fmt.Sprintf("%d runs of %.2f USD", c.Seeds+1, c.USD))
}

// once makes one run, and returns what the teacher billed.
func (c *budgetCommand) once(t *trial, s *ground, seed uint64, kill bool) (billed float64, st *schema.Status, err error) {
	rng := rand.New(rand.NewPCG(seed, 3))
	dataset := fmt.Sprintf("budget-%d", seed)
	recipe, err := s.recipe(dataset, c.Prompts, maxTokens, fmt.Sprintf("budget: {usd: %g}\noutput: {on_budget: publish}\n", c.USD))
	if err != nil {
		return 0, nil, err
	}
	if err := s.reset(); err != nil {
		return 0, nil, err
	}
	if err := s.retort("run", "--detach", recipe); err != nil {
		return 0, nil, err
	}
	who, when := "nobody", 0.0
	if kill {
		who = site.Worker(rng.IntN(c.Workers))
		if when, err = c.awaitBilled(t, s, (0.1+0.8*rng.Float64())*c.USD); err != nil {
			return 0, nil, err
		}
		if err := s.replace(who); err != nil {
			return 0, nil, err
		}
	}
	if st, err = s.finish(dataset, 3*time.Minute); err != nil {
		return 0, nil, err
	}
	counts, err := s.stats()
	if err != nil {
		return 0, nil, err
	}
	billed = float64(counts.BilledMicroUSD) / 1e6
	t.Say("%5d  %-8s  %11.4f  %10.4f  %11.4f  %8d  %s%s", seed, who, when, billed, float64(st.Cost.Micros)/1e6, st.Counts.Admitted, st.State, reason(st))
	if st.State != schema.StatePublished || !st.OnBudget {
		return billed, st, fmt.Errorf("%s ended as %s, not published at its budget", dataset, st.State)
	}
	return billed, st, nil
}

// awaitBilled waits until the teacher has billed so much.
func (c *budgetCommand) awaitBilled(t *trial, s *ground, usd float64) (float64, error) {
	deadline := time.Now().Add(2 * time.Minute)
	for {
		st, err := s.stats()
		if err != nil {
			return 0, err
		}
		if billed := float64(st.BilledMicroUSD) / 1e6; billed >= usd {
			return billed, nil
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("%.4f USD weren't billed within two minutes", usd)
		}
		select {
		case <-t.ctx.Done():
			return 0, t.ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
