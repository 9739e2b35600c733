package main

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// speed measures signals, checks and gate together: inspections and features on all cores, the gate in order.
func (b *bench) speed() error {
	texts := cutTo(b.corpora[0], 230)
	words := 0
	for _, t := range texts {
		words += len(strings.Fields(t))
	}
	in, err := quality.NewInspector(schema.Checks{}, quality.Options{})
	if err != nil {
		return err
	}
	builder := quality.NewAnchorBuilder(quality.AnchorOptions{Seed: 1})
	start := time.Now()
	for _, t := range texts {
		builder.Add(quality.AnchorRecord{Text: t})
	}
	anchor, err := builder.Build()
	if err != nil {
		return err
	}
	fmt.Printf("anchor: %d texts of %d words on average, built in %.1f s\n", len(texts), words/len(texts), time.Since(start).Seconds())
	b.timed("signals and checks", texts, func(t string) {
		in.Inspect(quality.Input{Response: &schema.Response{Text: t}})
	})
	b.timed("features of the gate", texts, func(t string) { quality.FeaturesOf(t) })
	features := records(texts[:min(len(texts), len(anchor.Twins))], "")
	g, err := quality.NewGate(anchor, quality.GateOptions{Mode: quality.ModeSame})
	if err != nil {
		return err
	}
	used := cpu()
	for _, r := range features {
		g.Observe(quality.Answer{ID: "r", Features: r.f})
	}
	fmt.Printf("gate, twins' features with it: %.0f records a CPU second\n", float64(len(features))/(cpu()-used).Seconds())
	return b.speedTogether(in, anchor, texts)
}

// cutTo joins texts and cuts the whole into pieces of n words; line breaks stay.
func cutTo(texts []string, n int) []string {
	var out []string
	var piece strings.Builder
	words := 0
	for _, t := range texts {
		for _, w := range strings.SplitAfter(t, " ") {
			piece.WriteString(w)
			if words++; words == n {
				out = append(out, piece.String())
				piece.Reset()
				words = 0
			}
		}
		piece.WriteByte('\n')
	}
	return out
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (b *bench) timed(name string, texts []string, do func(string)) {
	start := cpu()
	n := 0
	for cpu()-start < 2*time.Second {
		for _, t := range texts[:min(len(texts), 2000)] {
			do(t)
			n++
		}
	}
	fmt.Printf("%s: %.0f records a CPU second\n", name, float64(n)/(cpu()-start).Seconds())
}

// pageTexts are inspected at once, while the gate takes the page before.
const pageTexts = 1024

func (b *bench) speedTogether(in *quality.Inspector, anchor *quality.Anchor, texts []string) error {
	texts = texts[:min(len(texts), len(anchor.Twins))]
	var wall, used time.Duration
	total := 0
	for wall < 3*time.Second {
		g, err := quality.NewGate(anchor, quality.GateOptions{Mode: quality.ModeSame})
		if err != nil {
			return err
		}
		start, startCPU := time.Now(), cpu()
		pages := make(chan []quality.Answer)
		go func() {
			defer close(pages)
			for at := 0; at < len(texts); at += pageTexts {
				pages <- inspectPage(in, texts[at:min(len(texts), at+pageTexts)])
			}
		}()
		for page := range pages {
			g.ObserveAll(page)
		}
		wall += time.Since(start)
		used += cpu() - startCPU
		total += len(texts)
	}
	fmt.Printf("signals, checks and gate: %.0f records/s on %d cores (shared with whatever else runs); %.0f records a CPU second\n",
		float64(total)/wall.Seconds(), runtime.NumCPU(), float64(total)/used.Seconds())
	return nil
}

func inspectPage(in *quality.Inspector, texts []string) []quality.Answer {
	out := make([]quality.Answer, len(texts))
	var wait sync.WaitGroup
	threads := runtime.NumCPU()
	for thread := range threads {
		wait.Go(func() {
			for i := thread; i < len(texts); i += threads {
				_, f := in.InspectForGate(quality.Input{Response: &schema.Response{Text: texts[i]}})
				out[i] = quality.Answer{ID: "r", Features: f}
			}
		})
	}
	wait.Wait()
	return out
}

// signals prints each text's signals as JSON lines, for comparison with other tools.
func (b *bench) signals() error { return printSignals(b.corpora[0]) }
