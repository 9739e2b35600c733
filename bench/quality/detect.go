package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/retort-data/retort/bench/quality/photocopier"
	"github.com/retort-data/retort/quality"
)

// detect injects what should be seen.
func (b *bench) detect() error {
	header()
	corpus := b.corpora[0]
	same := quality.GateOptions{Mode: quality.ModeSame, MinEffect: -1}
	human := photocopier.Train(corpus, 0.8, 0.9)
	rng0 := rand.New(rand.NewPCG(b.seed, 1000))

	// A chain of students, each trained on 2,000 texts of the one before.
	chain := []*photocopier.Student{human}
	var versions []*quality.Anchor // profiles of half of what each published
	var twins [][]record           // the other half
	for range 6 {
		published := sampled(chain[len(chain)-1], rng0, b.version, 1)
		versions = append(versions, anchorOf(texts(published[:b.version/2])))
		twins = append(twins, published[b.version/2:])
		chain = append(chain, photocopier.Train(texts(published)))
	}
	for g := 1; g < len(versions); g++ {
		b.experiment(fmt.Sprintf("gen%d generation %d against pinned %d", g, g, g-1), 0, same, func(rng *rand.Rand) trial {
			return trial{anchor: versions[g-1], twins: draw(rng, twins[g-1], b.records), stream: sampled(chain[g], rng, b.records, 1)}
		})
	}
	for _, g := range []int{1, 2} {
		b.experiment(fmt.Sprintf("changed%d generation %d against pinned %d, with the minimum effect of a changed teacher", g, g, g-1), 0,
			quality.GateOptions{Mode: quality.ModeChanged, MinEffect: -1}, func(rng *rand.Rand) trial {
				return trial{anchor: versions[g-1], twins: draw(rng, twins[g-1], b.records), stream: sampled(chain[g], rng, b.records, 1)}
			})
	}
	healthy := func(rng *rand.Rand, n int) []record { return sampled(human, rng, n, 1) }
	for _, t := range []float64{0.8, 0.9} {
		b.experiment(fmt.Sprintf("T%.1f temperature 1 to %.1f", t, t), 0, same, func(rng *rand.Rand) trial {
			return trial{anchor: versions[0], twins: healthy(rng, b.records), stream: sampled(human, rng, 600, t)}
		})
	}
	b.experiment("late temperature 1 to 0.8 after 1,000 good records", 1000, same, func(rng *rand.Rand) trial {
		return trial{anchor: versions[0], twins: healthy(rng, b.records), stream: append(healthy(rng, 1000), sampled(human, rng, 600, 0.8)...)}
	})
	profile, rest := b.split(corpus)
	people, pool := anchorOf(profile), records(rest, "")
	b.experiment("beside-people temperature 1 to 0.8 after 1,500 good records, mode human", 1500, quality.GateOptions{Mode: quality.ModeHuman}, func(rng *rand.Rand) trial {
		return trial{anchor: people, twins: draw(rng, pool, 3500), stream: append(healthy(rng, 1500), sampled(human, rng, 2000, 0.8)...)}
	})
	const phrase = " In summary, it is important to remember that every case is different and that more work is needed."
	for _, share := range []float64{0.10, 0.03} {
		b.experiment(fmt.Sprintf("template%.0f a closing sentence in %.0f%%", 100*share, 100*share), 0, same, func(rng *rand.Rand) trial {
			s := healthy(rng, b.records)
			for i := range s {
				if rng.Float64() < share {
					s[i].text += phrase
					s[i].f = quality.FeaturesOf(s[i].text)
				}
			}
			// The twins are longer than most answers, so that the closing sentence isn't cut off by the comparison.
			return trial{anchor: versions[0], twins: healthy(rng, b.records), stream: s}
		})
		b.experiment(fmt.Sprintf("opening%.0f an opening sentence in %.0f%%", 100*share, 100*share), 0, same, func(rng *rand.Rand) trial {
			s := healthy(rng, b.records)
			for i := range s {
				if rng.Float64() < share {
					s[i].text = phrase + " " + s[i].text
					s[i].f = quality.FeaturesOf(s[i].text)
				}
			}
			return trial{anchor: versions[0], twins: healthy(rng, b.records), stream: s}
		})
	}
	b.topicsVanish(corpus)
	b.experiment("refusals 1% to 4%, ceiling 1.5%", 0, quality.GateOptions{Alpha: 0.005, Ceilings: map[string]float64{"refusal": 0.015}}, func(rng *rand.Rand) trial {
		return trial{stream: healthy(rng, b.records), events: func(int) []string {
			if rng.Float64() < 0.04 {
				return []string{"refusal"}
			}
			return nil
		}}
	})
	b.experiment("refusals-late 1% to 4% after 1,000 records, ceiling 1.5%", 1000, quality.GateOptions{Alpha: 0.005, Ceilings: map[string]float64{"refusal": 0.015}}, func(rng *rand.Rand) trial {
		return trial{stream: healthy(rng, b.records+1000), events: func(i int) []string {
			if p := 0.01; i < 1000 && rng.Float64() < p || i >= 1000 && rng.Float64() < 0.04 {
				return []string{"refusal"}
			}
			return nil
		}}
	})
	b.experiment("refusals-ok stay at 1%, ceiling 1.5%", 0, quality.GateOptions{Alpha: 0.005, Ceilings: map[string]float64{"refusal": 0.015}}, func(rng *rand.Rand) trial {
		return trial{stream: healthy(rng, b.records), events: func(int) []string {
			if rng.Float64() < 0.01 {
				return []string{"refusal"}
			}
			return nil
		}}
	})
	return nil
}

// topicsVanish takes away, from human text, the topics that hold 20% of it; twins are stratified at random.
func (b *bench) topicsVanish(corpus []string) {
	profile, rest := b.split(corpus)
	anchor := anchorOf(profile)
	pool := records(rest, "")
	byTopic := map[int][]int{}
	for i, r := range pool {
		t := quality.TopicOf(anchor, r.f)
		byTopic[t] = append(byTopic[t], i)
	}
	b.experiment("topics that hold 20% vanish", 0, quality.GateOptions{Mode: quality.ModeSame, MinEffect: -1}, func(rng *rand.Rand) trial {
		gone, n := map[int]bool{}, 0
		for _, t := range rng.Perm(60) {
			if n+len(byTopic[t]) <= len(pool)*21/100 {
				gone[t] = true
				n += len(byTopic[t])
			}
			if n >= len(pool)*19/100 {
				break
			}
		}
		d := draw(rng, pool, len(pool))
		twins := d[:min(b.records, len(d)/2)]
		var stream []record
		for _, r := range d[len(twins):] {
			if !gone[quality.TopicOf(anchor, r.f)] {
				stream = append(stream, r)
			}
		}
		return trial{anchor: anchor, twins: twins, stream: stream[:min(len(stream), b.records)]}
	})
}
