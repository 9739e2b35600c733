package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/retort-data/retort/local/site"
)

type rateCommand struct {
	RPM     int           `default:"600" help:"Requests a minute that the teacher allows."`
	Workers int           `default:"4" help:"Worker processes."`
	For     time.Duration `default:"4m" help:"How long there is something to ask."`
	Latency time.Duration `default:"200ms" help:"The teacher's time to an answer."`
}

// arrivals are the teacher's count of requests over time.
type arrivals struct {
	at []time.Time
	n  []int64
}

// Run lets two datasets share one limit over some workers, one of which is killed and replaced.
func (c *rateCommand) Run(t *trial) error {
	if err := t.programs(); err != nil {
		return err
	}
	dir, done, err := t.folder()
	if err != nil {
		return err
	}
	defer done()
	// The teacher counts in sliding minutes itself, and answers 429 above its limit.
	s, err := t.start(dir, site.Options{Workers: c.Workers, TeacherFlags: []string{"--latency", c.Latency.String(), "--rpm", fmt.Sprint(c.RPM)},
		Limits: fmt.Sprintf("{rpm: %d, concurrency: 64}", c.RPM)})
	if err != nil {
		return err
	}
	defer s.Stop()
	prompts := int(float64(c.RPM) * c.For.Minutes() / 2)
	datasets := []string{"left", "right"}
	for _, d := range datasets {
		recipe, err := s.recipe(d, prompts, 400, "")
		if err != nil {
			return err
		}
		if err := s.retort("run", "--detach", recipe); err != nil {
			return err
		}
	}
	t.Say("%d workers, two datasets of %d prompts, one teacher of %d requests a minute", c.Workers, prompts, c.RPM)
	who := site.Worker(rand.New(rand.NewPCG(t.Seed, 2)).IntN(c.Workers))
	var seen arrivals
	killed, err := c.watch(t, s, &seen, who, int64(2*prompts))
	if err != nil {
		return err
	}
	for _, d := range datasets {
		st, err := s.finish(d, 3*time.Minute)
		if err != nil {
			return err
		}
		if err := s.complete(d, st, prompts); err != nil {
			return err
		}
	}
	st, err := s.stats()
	if err != nil {
		return err
	}
	t.Hold(st.MaxInMinute <= c.RPM && st.Errors["over_limit"] == 0, "no sliding minute above", "%d requests at most in a sliding minute, limit %d; %d over it", st.MaxInMinute, c.RPM, st.Errors["over_limit"])
	begin := seen.at[0].Add(settle)
	before, _ := seen.minutes(begin, killed)
	after, _ := seen.minutes(killed.Add(settle), seen.at[len(seen.at)-1])
	worst, best := seen.minutes(begin, seen.at[len(seen.at)-1])
	least := int64(0.9 * float64(c.RPM))
	t.Hold(before >= least && after >= least, "the limit is used", "at least %d in every full minute before the kill and %d after it (%v left out after start and kill)", before, after, settle)
	t.Say("  with the kill in it: %d at least, %d at most in a full minute", worst, best)
	return t.verdict(fmt.Sprintf("%d requests a minute over %d workers", c.RPM, c.Workers))
}

// settle is how long shares take to be even after a start or a death.
const settle = 20 * time.Second

// watch samples the teacher's count until most of the requests have come, and kills a worker a third of the way.
func (c *rateCommand) watch(t *trial, s *ground, seen *arrivals, who string, requests int64) (killed time.Time, err error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for said := time.Now(); ; {
		st, err := s.stats()
		if err != nil {
			return killed, err
		}
		if st.Total > 0 {
			seen.at, seen.n = append(seen.at, time.Now()), append(seen.n, st.Total)
		}
		if killed.IsZero() && st.Total > requests*2/5 {
			killed = time.Now()
			if err := s.replace(who); err != nil {
				return killed, err
			}
			t.Say("%5.0f s  %s killed and replaced, after %d requests", killed.Sub(seen.at[0]).Seconds(), who, st.Total)
		}
		if time.Since(said) > 15*time.Second && len(seen.at) > 0 {
			said = time.Now()
			t.Say("%5.0f s  %d requests, %d in flight, at most %d in a sliding minute", said.Sub(seen.at[0]).Seconds(), st.Total, st.InFlight, st.MaxInMinute)
		}
		if st.Total >= requests*95/100 { // what comes after is the last pages'
			return killed, nil
		}
		select {
		case <-t.ctx.Done():
			return killed, t.ctx.Err()
		case <-tick.C:
		}
	}
}

// minutes are the fewest and the most requests of the full minutes within a time.
func (a *arrivals) minutes(from, to time.Time) (least, most int64) {
	least = -1
	first := 0
	for i := range a.at {
		if a.at[i].After(to) {
			break
		}
		for first < i && (a.at[first].Before(from) || a.at[i].Sub(a.at[first+1]) >= time.Minute) {
			first++
		}
		if a.at[first].Before(from) || a.at[i].Sub(a.at[first]) < time.Minute {
			continue
		}
		n := (a.n[i] - a.n[first]) * int64(time.Minute) / int64(a.at[i].Sub(a.at[first]))
		if least < 0 || n < least {
			least = n
		}
		most = max(most, n)
	}
	return max(least, 0), most
}
