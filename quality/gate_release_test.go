package quality

import (
	"reflect"
	"testing"
)

// A block that is measured on all cores moves the gate as its answers do one by one.
func TestObserveAllIsObserve(t *testing.T) {
	a := testAnchor(t, newSpeaker(1, 20_000, 0.7), 1200, "")
	s := newSpeaker(2, 5_000, 0.8)
	var answers []Answer
	for i := range 700 {
		x := answer(i, s.text())
		if i%50 == 0 {
			x = answer(i, "too short")
		}
		if i%9 == 0 {
			x.Events = []string{"refusal"}
		}
		answers = append(answers, x)
	}
	o := GateOptions{Mode: ModeSame, Ceilings: map[string]float64{"refusal": 0.05}}
	one, all := testGate(t, a, o), testGate(t, a, o)
	var want []Update
	for _, x := range answers {
		want = append(want, one.Observe(x))
	}
	got := append(all.ObserveAll(answers[:300]), all.ObserveAll(answers[300:])...)
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(all.s, one.s) {
		t.Error("the two differ")
	}
}

// A person's release takes what was seen for the new level: the same stream isn't held again, a worse one is.
func TestReleaseTakesTheLevelForTheNewOne(t *testing.T) {
	a := testAnchor(t, newSpeaker(1, 20_000, 0.7), 8000, "")
	bad := newSpeaker(2, 3_000, 0.9)
	g := testGate(t, a, GateOptions{Mode: ModeSame})
	feed := func(s *speaker, n int) int {
		for i := range n {
			if g.Observe(answer(i, s.text())).Held {
				return i + 1
			}
		}
		return 0
	}
	if feed(bad, 1000) == 0 {
		t.Fatal("not held at first")
	}
	releases := 0
	for feed(bad, 1500) != 0 {
		if releases++; releases > 3 {
			t.Fatal("held again and again at the same level")
		}
		g.Release()
	}
	if v := g.Verdict(); v.Verdict != VerdictPass || v.Releases != releases || releases == 0 {
		t.Errorf("after %d releases: %+v", releases, v)
	}
	if n := feed(newSpeaker(3, 150, 1.2), 500); n == 0 || n > 200 {
		t.Errorf("a worse stream was held at record %d after the release", n)
	}
	before := g.s.Releases
	g.Release()
	g.Release() // doesn't hold any more: nothing to release
	if g.s.Releases != before+1 {
		t.Errorf("%d releases", g.s.Releases)
	}
}

// A rate that was released may stay where it was seen, not rise.
func TestReleasedRate(t *testing.T) {
	g := testGate(t, nil, GateOptions{Ceilings: map[string]float64{"refusal": 0.01}})
	feed := func(every, n int) int {
		for i := range n {
			var x Answer
			if i%every == 0 {
				x.Events = []string{"refusal"}
			}
			if g.Observe(x).Held {
				return i + 1
			}
		}
		return 0
	}
	if feed(20, 2000) == 0 {
		t.Fatal("5% against a ceiling of 1% isn't held")
	}
	g.Release()
	if at := feed(20, 5000); at != 0 {
		t.Errorf("held again at record %d at the rate that was released", at)
	}
	if at := feed(3, 500); at == 0 {
		t.Error("33% isn't held")
	}
}
