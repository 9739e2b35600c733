package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/retort-data/retort/bench/quality/photocopier"
	"github.com/retort-data/retort/quality"
)

// profileTexts is how many texts a profile is made of.
const profileTexts = 8000

// split shuffles a corpus once and cuts off the profile.
func (b *bench) split(c []string) (profile, rest []string) {
	c = append([]string(nil), c...)
	rng := rand.New(rand.NewPCG(b.seed, 99))
	rng.Shuffle(len(c), func(i, j int) { c[i], c[j] = c[j], c[i] })
	n := min(profileTexts, len(c)*2/5)
	return c[:n], c[n:]
}

// alarms counts how often healthy streams are held.
func (b *bench) alarms() error {
	header()
	profile, rest := b.split(b.corpora[0])
	anchor, pool := anchorOf(profile), records(rest, "")
	same := quality.GateOptions{Mode: quality.ModeSame, MinEffect: -1}
	both := func(rng *rand.Rand, pool []record) trial {
		d := draw(rng, pool, 2*b.records)
		return trial{anchor: anchor, twins: d[:len(d)/2], stream: d[len(d)/2:]}
	}
	b.experiment("human against human", 0, same, func(rng *rand.Rand) trial { return both(rng, pool) })
	b.experiment("human-learned against human, tolerance learned (mode human)", 0, quality.GateOptions{Mode: quality.ModeHuman}, func(rng *rand.Rand) trial { return both(rng, pool) })

	students := []*photocopier.Student{}
	for i := range 6 {
		rng := rand.New(rand.NewPCG(b.seed, uint64(i)))
		half := append([]string(nil), profile...)
		rng.Shuffle(len(half), func(i, j int) { half[i], half[j] = half[j], half[i] })
		students = append(students, photocopier.Train(half[:len(half)/2], 0.8))
	}
	// What a student says is sampled once; runs draw from it without replacement, as they draw from human text.
	versions, said := make([]*quality.Anchor, len(students)), make([][]record, len(students))
	for i, s := range students {
		rng := rand.New(rand.NewPCG(b.seed, uint64(50+i)))
		versions[i] = anchorOf(texts(sampled(s, rng, 4000, 1)))
		said[i] = sampled(s, rng, 4*b.records, 1)
	}
	b.experiment("model against itself", 0, same, func(rng *rand.Rand) trial {
		i := rng.IntN(len(students))
		d := draw(rng, said[i], 2*b.records)
		return trial{anchor: versions[i], twins: d[:b.records], stream: d[b.records:]}
	})
	changed := quality.GateOptions{Mode: quality.ModeChanged, MinEffect: -1}
	b.experiment("teacher changed for a healthy one", 0, changed, func(rng *rand.Rand) trial {
		i := rng.IntN(len(students))
		j := (i + 1 + rng.IntN(len(students)-1)) % len(students)
		return trial{anchor: versions[i], twins: draw(rng, said[i], b.records), stream: draw(rng, said[j], b.records)}
	})
	b.experiment("teacher-same changed, without a minimum effect", 0, same, func(rng *rand.Rand) trial {
		i := rng.IntN(len(students))
		j := (i + 1 + rng.IntN(len(students)-1)) % len(students)
		return trial{anchor: versions[i], twins: draw(rng, said[i], b.records), stream: draw(rng, said[j], b.records)}
	})
	b.experiment("model-human against human text, tolerance learned", 0, quality.GateOptions{Mode: quality.ModeHuman}, func(rng *rand.Rand) trial {
		i := rng.IntN(len(students))
		return trial{anchor: anchor, twins: draw(rng, pool, b.records), stream: draw(rng, said[i], b.records)}
	})
	b.askedAlarms(anchor, pool, versions, said)
	if len(b.corpora) > 1 {
		return b.strata()
	}
	fmt.Println()
	return nil
}

// askedAlarms are healthy streams whose answers and twins are asked the same: the words of a third text.
func (b *bench) askedAlarms(anchor *quality.Anchor, pool []record, versions []*quality.Anchor, said [][]record) {
	same := quality.GateOptions{Mode: quality.ModeSame, MinEffect: -1}
	asked := func(anchor *quality.Anchor, rng *rand.Rand, pool []record) trial {
		d := draw(rng, pool, 3*b.records)
		n := len(d) / 3
		t := trial{anchor: anchor, twins: d[:n], stream: d[n : 2*n]}
		for i := range n {
			key := fmt.Sprint(i)
			t.twins[i].key, t.stream[i].key = key, key
			t.twins[i].asked = quality.AskedOf(d[2*n+i].text)
		}
		return t
	}
	b.experiment("asked-human human against human, asked the same", 0, same, func(rng *rand.Rand) trial { return asked(anchor, rng, pool) })
	b.experiment("asked-model model against itself, asked the same", 0, same, func(rng *rand.Rand) trial {
		i := rng.IntN(len(said))
		return asked(versions[i], rng, said[i])
	})
	b.experiment("asked-changed teacher changed for a healthy one, asked the same", 0, quality.GateOptions{Mode: quality.ModeChanged, MinEffect: -1}, func(rng *rand.Rand) trial {
		i := rng.IntN(len(said))
		j := (i + 1 + rng.IntN(len(said)-1)) % len(said)
		t := asked(versions[i], rng, said[i])
		for k, r := range draw(rng, said[j], len(t.stream)) {
			r.key = t.stream[k].key
			t.stream[k] = r
		}
		return t
	})
}

// strata compares streams whose mix of sources differs by ten points from the anchor's.
func (b *bench) strata() error {
	var profile []string
	var pools [][]record
	for i, c := range b.corpora {
		p, rest := b.split(c)
		profile = append(profile, p[:min(len(p), profileTexts/len(b.corpora))]...)
		pools = append(pools, records(rest, fmt.Sprint(i)))
	}
	anchor := anchorOf(profile)
	same := quality.GateOptions{Mode: quality.ModeSame, MinEffect: -1}
	for _, blind := range []bool{false, true} {
		name := "strata one source +10 points, stratified"
		if blind {
			name = "strata-blind one source +10 points, unstratified"
		}
		b.experiment(name, 0, same, func(rng *rand.Rand) trial {
			share := 1 / float64(len(pools))
			// twins and stream from disjoint halves of the pools
			half := make([][]record, len(pools))
			other := make([][]record, len(pools))
			for i, p := range pools {
				d := draw(rng, p, len(p))
				half[i], other[i] = d[:len(d)/2], d[len(d)/2:]
			}
			twins := pick(rng, half, share, 3*b.records, blind)
			stream := pick(rng, other, share+0.1, b.records, blind)
			return trial{anchor: anchor, twins: twins, stream: stream}
		})
	}
	return nil
}

// pick draws n records, of the first pool with the given probability.
func pick(rng *rand.Rand, pools [][]record, first float64, n int, blind bool) []record {
	at := make([]int, len(pools))
	var out []record
	for range n {
		k := 0
		if rng.Float64() >= first {
			k = 1 + rng.IntN(len(pools)-1)
		}
		if at[k] == len(pools[k]) {
			continue
		}
		r := pools[k][at[k]]
		at[k]++
		if blind {
			r.stratum = ""
		}
		out = append(out, r)
	}
	return out
}

func sampled(s *photocopier.Student, rng *rand.Rand, n int, t float64) []record {
	out := make([]record, n)
	for i := range out {
		text := s.Sample(rng, t)
		out[i] = record{text: text, f: quality.FeaturesOf(text)}
	}
	return out
}

func texts(rs []record) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.text
	}
	return out
}
