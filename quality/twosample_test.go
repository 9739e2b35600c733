package quality

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// speak makes up answers: words of a vocabulary, some more common.
func speak(rng *rand.Rand, vocabulary, words int) string {
	out := make([]string, words)
	for i := range out {
		out[i] = string(rune('a'+int(rng.ExpFloat64()*5)%vocabulary)) + "x"
	}
	return strings.Join(out, " ")
}

func answersOf(rng *rand.Rand, vocabulary, words int) (all [][]string) {
	for range 6 {
		all = append(all, []string{speak(rng, vocabulary, words), speak(rng, vocabulary, words), speak(rng, vocabulary, words)})
	}
	return all
}

// The same teacher is hardly ever called another, at the level at which nights report it; one that speaks otherwise is.
func TestSameAnswers(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	alarms, missed := 0, map[string]int{}
	for range 100 {
		before := answersOf(rng, 20, 40)
		if SameAnswers(before, answersOf(rng, 20, 40)) <= 0.01 {
			alarms++
		}
		for name, now := range map[string][][]string{"half as long": answersOf(rng, 20, 20), "a fifth of the words": answersOf(rng, 4, 40)} {
			if SameAnswers(before, now) > 0.001 {
				missed[name]++
			}
		}
	}
	t.Logf("same: %d of 100 at p of 0.01; missed at 0.001: %v", alarms, missed)
	if alarms > 6 { // 1 expected
		t.Errorf("%d of 100 pairs of the same teacher have p of 0.01 or less", alarms)
	}
	for name, n := range missed {
		if n > 10 {
			t.Errorf("%s: %d of 100 changed teachers were missed", name, n)
		}
	}
}

// A teacher at temperature 0 says the same every night; a single changed word tells.
func TestSameAnswersOfOneWhoIsAlwaysTheSame(t *testing.T) {
	var a, b [][]string
	for range 6 {
		a = append(a, []string{"one two", "one two", "one two"})
		b = append(b, []string{"one three", "one three", "one three"})
	}
	if p := SameAnswers(a, a); p != 1 {
		t.Errorf("p of the same answers is %g", p)
	}
	if p := SameAnswers(a, b); p > 0.001 {
		t.Errorf("p of other answers is %g", p)
	}
	if p := SameAnswers(nil, nil); p != 1 {
		t.Errorf("p of nothing is %g", p)
	}
}
