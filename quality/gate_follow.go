package quality

import "sync"

// What depends on the pairs that came before. Each of these has state of its own and goes through the pairs in their order; none reads
// another's, so that they can go beside each other.

// followAll goes through a block's pairs.
func (g *Gate) followAll(twins []int, pairs []pair) {
	var wait sync.WaitGroup
	wait.Go(func() {
		for i, twin := range twins {
			if twin >= 0 {
				g.followPasts(&pairs[i])
			}
		}
	})
	for i, twin := range twins {
		if twin >= 0 {
			g.followOthers(&pairs[i], twin)
		}
	}
	wait.Wait()
}

// followPasts compares words and pairs of words with those of both pasts.
func (g *Gate) followPasts(p *pair) {
	if !p.ok {
		return
	}
	a, b := p.a[:p.n], p.b[:p.n]
	uniA, biA := g.s.Pasts.seen(a)
	uniB, biB := g.s.Pasts.seen(b)
	p.d[accUni1] = clip(uniScale / 2 * (uniA - uniB))
	p.d[accUni2] = clip(biScale / 2 * (biA - biB))
	if !g.s.Pasts.full() {
		g.s.Pasts.add(a, sideStream)
		g.s.Pasts.add(b, sideTwin)
	}
}

// followOthers compares templates and topics, and fills the band's window.
func (g *Gate) followOthers(p *pair, twin int) {
	if !p.ok {
		return
	}
	p.d[accNov6Rep] = g.compareTemplates(p)
	if g.active[accTopic] {
		p.d[accTopic] = g.compareTopics(p, twin)
	}
	p.window = g.fillWindow(p)
}

// compareTopics is positive where the answer's topic has become commoner than the twins' and the twin's rarer.
func (g *Gate) compareTopics(p *pair, twin int) float64 {
	ca, cb := p.topicA, p.topicB
	if cb < 0 && g.twinTopic[twin] < 0 {
		t := g.anchor.Profile.Topics
		g.scratch.vec = t.vector(p.b, g.scratch.vec)
		g.twinTopic[twin] = int8(t.nearest(g.scratch.vec))
	}
	if cb < 0 {
		cb = int(g.twinTopic[twin])
	}
	score := func(c int) float64 {
		x, y := float64(g.s.TopicsStream[c]), float64(g.s.TopicsTwin[c])
		return (y - x) / (x + y + 10)
	}
	d := clip(2 * (score(cb) - score(ca)))
	g.s.TopicsStream[ca]++
	g.s.TopicsTwin[cb]++
	return d
}
