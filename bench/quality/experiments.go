package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/retort-data/retort/quality"
)

type bench struct {
	runs, records, version, beside int
	seed                           uint64
	only                           string
	corpora                        [][]string
}

func (b *bench) run(do, files string) (err error) {
	if b.corpora, err = readCorpora(files); err != nil {
		return err
	}
	n := 0
	for _, c := range b.corpora {
		n += len(c)
	}
	fmt.Fprintf(os.Stderr, "%s, %d texts in %d strata, %d records a run, %d runs, seeds from %d, %s\n", time.Now().Format("2006-01-02"), n, len(b.corpora), b.records, b.runs, b.seed, runtime.Version())
	switch do {
	case "alarms":
		return b.alarms()
	case "detect":
		return b.detect()
	case "speed":
		return b.speed()
	case "signals":
		return b.signals()
	case "digest":
		return b.digest()
	}
	return fmt.Errorf("unknown experiment %q", do)
}

func (b *bench) wants(name string) bool {
	return b.only == "" || slices.Contains(strings.Split(b.only, ","), name)
}

// record is an answer or twin with its features made once.
type record struct {
	text, stratum string
	f             quality.Features
	key           string   // of the row that it answers, if any
	asked         []uint64 // and the words of what was asked
}

func records(texts []string, stratum string) []record {
	out := make([]record, len(texts))
	for i, t := range texts {
		out[i] = record{text: t, stratum: stratum, f: quality.FeaturesOf(t)}
	}
	return out
}

// trial is one run: a stream against twins, from a profile.
type trial struct {
	anchor *quality.Anchor
	twins  []record
	stream []record
	events func(i int) []string
}

// result is where each method raised its alarm (record from 1, 0 never).
type result struct {
	gate    int
	account string
	others  [numAlternatives]int
}

func (t trial) run(o quality.GateOptions, beside bool) result {
	g, err := quality.NewGate(t.withTwins(), o)
	if err != nil {
		panic(err)
	}
	alt := &alternatives{}
	if beside = beside && t.anchor != nil; beside {
		alt = newAlternatives(t.anchor, t.twins)
	}
	var r result
	for i, s := range t.stream {
		var events []string
		if t.events != nil {
			events = t.events(i)
		}
		u := g.Observe(quality.Answer{ID: "r", Key: s.key, Stratum: s.stratum, Features: s.f, Events: events})
		if u.Held && r.gate == 0 {
			v := g.Verdict()
			r.gate, r.account = v.AlarmAt, v.Account
		}
		if beside {
			alt.observe(s.f, i+1)
		} else if u.Held {
			break
		}
	}
	r.others = alt.alarms
	return r
}

// withTwins is the anchor with the trial's twins; nil where rates alone are watched.
func (t trial) withTwins() *quality.Anchor {
	if t.anchor == nil {
		return nil
	}
	a := *t.anchor
	a.Topics, a.Twins = nil, make([]quality.AnchorRecord, len(t.twins))
	for i, w := range t.twins {
		a.Twins[i] = quality.AnchorRecord{Key: w.key, Asked: w.asked, Stratum: w.stratum, Text: w.text}
	}
	return &a
}

// experiment prints the share of runs that alarm and the median record, of the gate and of what stands beside it. Records up
// to after are healthy: an alarm there is early and doesn't count.
func (b *bench) experiment(name string, after int, o quality.GateOptions, setUp func(rng *rand.Rand) trial) {
	if !b.wants(strings.Fields(name)[0]) {
		return
	}
	results := make([]result, b.runs)
	start := time.Now()
	var wg sync.WaitGroup
	next := numbers(b.runs)
	for range runtime.NumCPU() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range next {
				results[i] = setUp(rand.New(rand.NewPCG(b.seed+uint64(i), 6))).run(o, i < b.beside)
			}
		}()
	}
	wg.Wait()
	accounts := map[string]int{}
	at := []int{}
	early := 0
	for _, r := range results {
		if r.gate > 0 {
			accounts[r.account]++
			if r.gate <= after {
				early++
				continue
			}
			at = append(at, r.gate-after)
		}
	}
	fmt.Printf("| %s | %s |", name, share(at, b.runs))
	for k := range numAlternatives {
		var x []int
		for _, r := range results[:min(b.runs, b.beside)] {
			if r.others[k] > after {
				x = append(x, r.others[k]-after)
			}
		}
		fmt.Printf(" %s |", share(x, min(b.runs, b.beside)))
	}
	var names []string
	for n, c := range accounts {
		names = append(names, fmt.Sprintf("%s %d", n, c))
	}
	sort.Strings(names)
	if early > 0 {
		names = append(names, fmt.Sprintf("early %d", early))
	}
	fmt.Printf(" %s | %.0f s |\n", strings.Join(names, ", "), time.Since(start).Seconds())
}

func numbers(n int) <-chan int {
	c := make(chan int, n)
	for i := range n {
		c <- i
	}
	close(c)
	return c
}

func share(at []int, runs int) string {
	if len(at) == 0 {
		return "0"
	}
	sort.Ints(at)
	return fmt.Sprintf("%.3f, %d", float64(len(at))/float64(runs), at[len(at)/2])
}

func header() {
	fmt.Println("| experiment (share of runs that alarm, median records) | gate |" + strings.Join(alternativeNames[:], " | ") + " | accounts that raised it | time |")
	fmt.Println("| --- | --- |" + strings.Repeat(" --- |", numAlternatives+2))
}

// draw takes n records without replacement.
func draw(rng *rand.Rand, pool []record, n int) []record {
	out := slices.Clone(pool)
	n = min(n, len(out))
	for i := range n {
		j := i + rng.IntN(len(out)-i)
		out[i], out[j] = out[j], out[i]
	}
	return out[:n]
}

// anchorOf freezes a profile of texts alone; twins are drawn by each run.
func anchorOf(texts []string) *quality.Anchor { return quality.ProfileOnly(texts, 1) }
