package quality

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

// speaker makes texts of words drawn by a power law: topics and lengths vary, nothing else.
type speaker struct {
	words    []string
	exponent float64
	rng      *rand.Rand
}

func newSpeaker(seed uint64, vocabulary int, exponent float64) *speaker {
	s := &speaker{exponent: exponent, rng: rand.New(rand.NewPCG(seed, 1))}
	for i := range vocabulary {
		s.words = append(s.words, fmt.Sprintf("w%d", i))
	}
	return s
}

func (s *speaker) text() string {
	n := 40 + s.rng.IntN(30)
	out := make([]string, n)
	topic := s.rng.IntN(20)
	for i := range out {
		// the inverse of a Pareto distribution, cut at the vocabulary
		r := int(math.Pow(1-s.rng.Float64(), -1/s.exponent)) - 1
		if i%3 == 0 {
			r = r*20 + topic
		}
		out[i] = s.words[min(r, len(s.words)-1)]
	}
	return strings.Join(out, " ")
}

func testAnchor(t testing.TB, s *speaker, n int, stratum string) *Anchor {
	t.Helper()
	b := NewAnchorBuilder(AnchorOptions{Seed: 7})
	for range n {
		b.Add(AnchorRecord{Stratum: stratum, Text: s.text()})
	}
	a, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func testGate(t testing.TB, a *Anchor, o GateOptions) *Gate {
	t.Helper()
	g, err := NewGate(a, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func answer(i int, text string) Answer {
	return Answer{ID: fmt.Sprint("r", i), Features: FeaturesOf(text)}
}

// Ville's inequality on exchangeable data, with α large enough that a few hundred runs can show a fault: stream and twins
// are drawn from one source. At α = 0.2 the share of alarms is at most 0.2; three standard errors are allowed.
func TestHealthyRunsAlarmAtMostAlpha(t *testing.T) {
	const runs, alpha = 200, 0.2
	a := testAnchor(t, newSpeaker(1, 20_000, 0.7), 1500, "")
	held := 0
	for run := range runs {
		s := newSpeaker(uint64(100+run), 20_000, 0.7)
		b := *a
		b.Twins, b.Topics = nil, nil
		for range 150 {
			b.Twins = append(b.Twins, AnchorRecord{Text: s.text()})
		}
		g := testGate(t, &b, GateOptions{Mode: ModeSame, Alpha: alpha, Ceilings: map[string]float64{"refusal": 0.05}})
		for i := range 150 {
			x := answer(i, s.text())
			if s.rng.Float64() < 0.05 {
				x.Events = []string{"refusal"}
			}
			if g.Observe(x).Held {
				held++
				break
			}
		}
	}
	if most := alpha + 3*math.Sqrt(alpha*(1-alpha)/runs); float64(held)/runs > most {
		t.Errorf("%d of %d healthy runs held, at most %.2f expected", held, runs, most)
	}
}

// Wealth is a martingale for any betting history, not only on average: over both orders of a pair the factors' mean is 1.
func TestBetIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := newAccount(0)
		n := rapid.IntRange(0, 1200).Draw(t, "n")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		for i := range n {
			a.take(2*rng.Float64()-1, i+1)
		}
		d := rapid.Float64Range(-1, 1).Draw(t, "d")
		win, lose := clone(a), clone(a)
		win.take(d, n+1)
		lose.take(-d, n+1)
		before, after := a.wealth(), (win.wealth()+lose.wealth())/2
		if math.Abs(after-before) > 1e-9*max(1, before) || win.wealth() < 0 || lose.wealth() < 0 {
			t.Fatalf("wealth %v before, %v on average after ±%v", before, after, d)
		}
	})
}

func clone(a account) account {
	a.Bets = append([]bet(nil), a.Bets...)
	return a
}

// Exchanging an answer with its twin turns the sign of every account: so none can lean to one side.
func TestAccountsAreAntisymmetric(t *testing.T) {
	a := testAnchor(t, newSpeaker(1, 20_000, 0.7), 800, "")
	s := newSpeaker(3, 20_000, 0.7)
	x, y := s.text(), s.text()
	var got [2][numAccounts]float64
	for side, pair := range [][2]string{{x, y}, {y, x}} {
		b := *a
		b.Twins = []AnchorRecord{{Text: pair[1]}}
		g := testGate(t, &b, GateOptions{Mode: ModeSame})
		for range 30 { // the same past on both sides
			w := FeaturesOf(s.text()).words
			g.s.Pasts.add(w, sideStream)
			g.s.Pasts.add(w, sideTwin)
		}
		s = newSpeaker(3, 20_000, 0.7)
		s.text()
		s.text()
		g.pair.measure(&b, FeaturesOf(pair[0]), 0, true, &g.scratch)
		g.followPasts(&g.pair)
		g.followOthers(&g.pair, 0)
		got[side] = g.pair.d
	}
	for k := range got[0] {
		if math.Abs(got[0][k]+got[1][k]) > 1e-12 {
			t.Errorf("%s: %v and %v", accountNames[k], got[0][k], got[1][k])
		}
	}
}

func TestNarrowerStreamIsHeldAndExplained(t *testing.T) {
	wide := newSpeaker(1, 20_000, 0.7)
	a := testAnchor(t, wide, 2500, "")
	g := testGate(t, a, GateOptions{Mode: ModeSame})
	good, bad := newSpeaker(5, 20_000, 0.7), newSpeaker(6, 400, 0.7)
	for i := range 300 {
		if u := g.Observe(answer(i, good.text())); u.Held {
			t.Fatalf("held at %d of the healthy part", i)
		}
	}
	for i := range 400 {
		g.Observe(answer(300+i, bad.text()))
	}
	v := g.Verdict()
	if v.Verdict != VerdictHold || v.AlarmAt <= 300 || v.AlarmAt > 500 {
		t.Fatalf("%+v", v)
	}
	if v.Since < 250 || v.Since > v.AlarmAt {
		t.Errorf("since %d, the decay began at 301", v.Since)
	}
	if len(v.Examples) < maxExamples/2 || v.Examples[0].TwinText == "" || v.Examples[0].Record == "" {
		t.Errorf("examples: %+v", v.Examples)
	}
	for _, e := range v.Examples {
		if e.Pair < v.Since {
			t.Errorf("example %d is from before the decay", e.Pair)
		}
	}
}

func TestTwinsAreUsedOnceAndByKey(t *testing.T) {
	a := *testAnchor(t, newSpeaker(1, 20_000, 0.7), 500, "")
	s := newSpeaker(2, 20_000, 0.7)
	a.Twins = []AnchorRecord{{Stratum: "a", Text: s.text()}, {Stratum: "a", Key: "k", Text: s.text()}, {Stratum: "b", Text: s.text()}}
	g := testGate(t, &a, GateOptions{Mode: ModeSame})
	var got []int
	for _, x := range []Answer{{Key: "k", Stratum: "a"}, {Key: "k", Stratum: "a"}, {Stratum: "a"}, {Stratum: "b"}, {Stratum: "c"}} {
		x.Features = FeaturesOf(s.text())
		got = append(got, g.Observe(x).Twin)
	}
	if want := []int{1, 0, -1, 2, -1}; !reflect.DeepEqual(got, want) {
		t.Errorf("twins %v, wanted %v", got, want)
	}
	if v := g.Verdict(); v.Unmatched != 2 || v.ByKey != 1 || len(v.Warnings) != 1 {
		t.Errorf("%+v", v)
	}
}

// A state that is encoded and decoded after every page goes on as if it had never been.
func TestStateGoesOn(t *testing.T) {
	a := testAnchor(t, newSpeaker(1, 20_000, 0.7), 3000, "")
	encoded, err := EncodeAnchor(a)
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeAnchor(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != a.Digest() {
		t.Fatal("the anchor's digest changed")
	}
	for _, mode := range []Mode{ModeHuman, ModeSame, ModeChanged} {
		o := GateOptions{Mode: mode, MinEffect: -1, Ceilings: map[string]float64{"refusal": 0.02, "identity": 0.01}}
		one, pages := testGate(t, a, o), testGate(t, again, o)
		s := newSpeaker(9, 300, 0.7)
		for i := range 1300 {
			x := answer(i, s.text())
			if i%40 == 0 {
				x.Events = []string{"refusal"}
			}
			if u, p := one.Observe(x), pages.Observe(x); !reflect.DeepEqual(u, p) {
				t.Fatalf("%s, record %d: %+v and %+v", mode, i, u, p)
			}
			if i%433 != 0 {
				continue
			}
			b, err := pages.State()
			if err != nil {
				t.Fatal(err)
			}
			if pages, err = DecodeGate(again, b); err != nil {
				t.Fatal(err)
			}
			if c, _ := pages.State(); !bytes.Equal(b, c) {
				t.Fatal("a state changed when it was read and written")
			}
		}
		if v, w := one.Verdict(), pages.Verdict(); !reflect.DeepEqual(v, w) {
			t.Errorf("%s: %+v and %+v", mode, v, w)
		}
	}
	other := testAnchor(t, newSpeaker(2, 20_000, 0.7), 400, "")
	b, _ := testGate(t, a, GateOptions{}).State()
	if _, err := DecodeGate(other, b); err == nil {
		t.Error("a state was taken with another anchor")
	}
}

func TestRatesAboveTheirCeiling(t *testing.T) {
	caught, at := 0, 0
	const runs = 60
	for run := range runs {
		rng := rand.New(rand.NewPCG(uint64(run), 3))
		g := testGate(t, nil, GateOptions{Ceilings: map[string]float64{"refusal": 0.015}})
		for i := range 1500 {
			var events []string
			if rng.Float64() < 0.04 {
				events = []string{"refusal"}
			}
			if g.Observe(Answer{ID: fmt.Sprint(i), Events: events}).Held {
				caught++
				at += i
				break
			}
		}
		if v := g.Verdict(); v.Verdict == VerdictHold && v.Account != "refusal" {
			t.Errorf("held by %q", v.Account)
		}
	}
	if caught < runs*95/100 {
		t.Errorf("refusals at 4%% were caught in %d of %d runs within 1,500 records", caught, runs)
	}
}

func TestGarbageBreaksTheBand(t *testing.T) {
	a := testAnchor(t, newSpeaker(1, 20_000, 0.7), 3000, "")
	g := testGate(t, a, GateOptions{Mode: ModeHuman})
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 600 {
		words := make([]string, 50)
		for k := range words {
			words[k] = fmt.Sprintf("q%x", rng.Uint32())
		}
		g.Observe(answer(i, strings.Join(words, " ")))
	}
	if v := g.Verdict(); v.Verdict != VerdictHold || v.Why != whyBand {
		t.Errorf("%+v", v)
	}
}

// What part a text falls into doesn't depend on the order of the stream, and no text is in two parts.
func TestAnchorIsCutByContent(t *testing.T) {
	s := newSpeaker(1, 20_000, 0.7)
	var texts []string
	for range 700 {
		texts = append(texts, s.text())
	}
	build := func(order []int) *Anchor {
		b := NewAnchorBuilder(AnchorOptions{Seed: 3, Twins: 200})
		for _, i := range order {
			b.Add(AnchorRecord{Text: texts[i]})
		}
		b.Add(AnchorRecord{Text: texts[0]}) // twice
		b.Add(AnchorRecord{Text: "too short"})
		a, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	rng := rand.New(rand.NewPCG(4, 4))
	x, y := build(rng.Perm(len(texts))), build(rng.Perm(len(texts)))
	bx, err := EncodeAnchor(x)
	if err != nil {
		t.Fatal(err)
	}
	by, _ := EncodeAnchor(y)
	if !bytes.Equal(bx, by) {
		t.Error("the order of the stream changed the anchor")
	}
	if len(x.Twins) != 200 || x.Profile.Records < 200 || len(x.Holdout) < 40 {
		t.Errorf("%d, %d, %d records", x.Profile.Records, len(x.Twins), len(x.Holdout))
	}
	seen := map[string]bool{}
	for _, r := range append(append([]AnchorRecord(nil), x.Twins...), x.Holdout...) {
		if seen[r.Text] {
			t.Errorf("twice: %s", r.Text)
		}
		seen[r.Text] = true
	}
	if _, err := NewAnchorBuilder(AnchorOptions{}).Build(); schema.KindOf(err) != schema.KindInvalid {
		t.Errorf("an empty anchor: %v", err)
	}
}

func TestDamagedObjectsAreErrors(t *testing.T) {
	a := testAnchor(t, newSpeaker(1, 20_000, 0.7), 300, "")
	encoded, _ := EncodeAnchor(a)
	state, _ := testGate(t, a, GateOptions{}).State()
	for _, b := range [][]byte{nil, []byte("x"), encoded[:len(encoded)/2], state, []byte(anchorFormat)} {
		if _, err := DecodeAnchor(b); err == nil {
			t.Errorf("%d bytes were taken as an anchor", len(b))
		}
	}
	for _, b := range [][]byte{nil, state[:len(state)-10], encoded} {
		if _, err := DecodeGate(a, b); err == nil {
			t.Errorf("%d bytes were taken as a gate's state", len(b))
		}
	}
}

func FuzzDecodeGate(f *testing.F) {
	s := newSpeaker(1, 2000, 0.7)
	a := testAnchor(f, s, 300, "")
	g := testGate(f, a, GateOptions{Mode: ModeSame, Ceilings: map[string]float64{"x": 0.1}})
	for i := range 20 {
		g.Observe(answer(i, s.text()))
	}
	b, err := g.State()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(gateFormat))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		g, err := DecodeGate(a, b)
		if err != nil {
			return
		}
		for i := range 3 {
			g.Observe(answer(i, "one two three four five six seven eight nine ten"))
		}
		g.Verdict()
	})
}

func BenchmarkObserve(b *testing.B) {
	s := newSpeaker(1, 20_000, 0.7)
	a := testAnchor(b, s, 1000, "")
	long := func() string { return s.text() + " " + s.text() + " " + s.text() + " " + s.text() }
	a.Twins, a.Topics = nil, nil
	var answers []Answer
	for i := range 2000 {
		a.Twins = append(a.Twins, AnchorRecord{Text: long()})
		answers = append(answers, answer(i, long()))
	}
	g := testGate(b, a, GateOptions{Mode: ModeSame})
	i := 0
	for b.Loop() {
		if i == len(answers) {
			g, i = testGate(b, a, GateOptions{Mode: ModeSame}), 0
		}
		g.Observe(answers[i])
		i++
	}
}
