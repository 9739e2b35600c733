package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/retort-data/retort/local/verdict"
)

// over makes samples of a minute, one a second; with each second come ten prompts.
func over(value func(second float64) float64) (m series) {
	for i := range 60 {
		m = append(m, sample{time.Duration(i) * time.Second, value(float64(i)), 10 * i})
	}
	return m
}

func judged(t *testing.T, set func(samples)) string {
	var out bytes.Buffer
	s := &soak{options: options{For: time.Minute}, Table: verdict.Table{Out: &out, Began: time.Now()}, samples: samples{}}
	for _, b := range bounds {
		s.samples[b.name] = over(func(float64) float64 { return 100 })
	}
	s.samples["temporal disk"] = over(func(x float64) float64 { return x })
	s.samples["s3 disk"] = over(func(x float64) float64 { return 5 * x })
	set(s.samples)
	s.judgeFlat()
	return out.String()
}

func TestWhatIsFlatAndWhatGrowsEvenlyHolds(t *testing.T) {
	if got := judged(t, func(samples) {}); strings.Contains(got, "FAILS") {
		t.Error(got)
	}
	warm := func(x float64) float64 { return 100 + min(x, 10)*20 } // what grows until it is warm is no leak
	if got := judged(t, func(s samples) { s["worker memory"] = over(warm) }); strings.Contains(got, "FAILS") {
		t.Error(got)
	}
}

func TestLeaksFail(t *testing.T) {
	for name, value := range map[string]func(float64) float64{
		"worker goroutines": func(x float64) float64 { return 100 + 3*x },
		"worker memory":     func(x float64) float64 { return 200 + 4*x },
		"worker files":      func(x float64) float64 { return 30 + x },
		"temporal disk":     func(x float64) float64 { return x * x },
	} {
		got := judged(t, func(s samples) { s[name] = over(value) })
		if strings.Count(got, "FAILS") != 1 || !strings.Contains(got, "FAILS  "+name) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// What was never measured doesn't hold.
func TestNoSamplesFail(t *testing.T) {
	for name, m := range map[string]series{"worker files": nil, "s3 disk": nil, "worker memory": over(func(float64) float64 { return 0 }), "temporal disk": {{time.Second, 1, 0}, {50 * time.Second, 2, 0}}} {
		got := judged(t, func(s samples) { s[name] = m })
		if strings.Count(got, "FAILS") != 1 || !strings.Contains(got, "FAILS  "+name) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A schedule that stops half-way, and a run that is never published, fail.
func TestNightsThatStopFail(t *testing.T) {
	for outcomes, fails := range map[[2]int]bool{{60, 55}: false, {25, 30}: true, {40, 5}: true, {0, 0}: true} {
		var out bytes.Buffer
		s := &soak{options: options{For: time.Hour, Night: 30 * time.Second}, Table: verdict.Table{Out: &out, Began: time.Now()}}
		s.done = tally{published: []string{"d"}, fed: 59, nights: map[string]int{"published": outcomes[0], "nothing_new": outcomes[1]}}
		s.judgeRuns()
		if got := strings.Contains(out.String(), "FAILS  nights"); got != fails {
			t.Errorf("%v: %s", outcomes, out.String())
		}
	}
}
