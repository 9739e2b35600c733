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

func (b *bench) speedTogether(in *quality.Inspector, anchor *quality.Anchor, texts []string) error {
	n := min(len(texts), len(anchor.Twins))
	type done struct{ f quality.Features }
	var wall, used time.Duration
	total := 0
	for wall < 3*time.Second {
		g, err := quality.NewGate(anchor, quality.GateOptions{Mode: quality.ModeSame})
		if err != nil {
			return err
		}
		start, startCPU := time.Now(), cpu()
		out := make([]chan done, n)
		for i := range out {
			out[i] = make(chan done, 1)
		}
		var wg sync.WaitGroup
		const chunk = 64
		next := make(chan int, n/chunk+1)
		for i := 0; i < n; i += chunk {
			next <- i
		}
		close(next)
		for range runtime.NumCPU() {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for c := range next {
					for i := c; i < min(n, c+chunk); i++ {
						_, f := in.InspectForGate(quality.Input{Response: &schema.Response{Text: texts[i]}})
						out[i] <- done{f}
					}
				}
			}()
		}
		for i := range out {
			g.Observe(quality.Answer{ID: "r", Features: (<-out[i]).f})
		}
		wg.Wait()
		wall += time.Since(start)
		used += cpu() - startCPU
		total += n
	}
	fmt.Printf("signals, checks and gate: %.0f records/s on %d cores (shared with whatever else runs); %.0f records a CPU second\n",
		float64(total)/wall.Seconds(), runtime.NumCPU(), float64(total)/used.Seconds())
	return nil
}

// signals prints each text's signals as JSON lines, for comparison with other tools.
func (b *bench) signals() error { return printSignals(b.corpora[0]) }
