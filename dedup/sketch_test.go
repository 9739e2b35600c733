package dedup

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestCaseSpaceAndTypographyAreTheSameText(t *testing.T) {
	a := sketchOf(t, `It's a "Test": the quick brown-fox jumps over 12 lazy dogs.`)
	for _, same := range []string{
		"it’s  a “test”: THE quick brown‐fox\n\tjumps over 12 lazy dogs.",
		"It's a \"Test\": the qui\u00adck brown-fox jumps over １２ lazy dogs.",
		"It's a \"Test\": the quick brown-fox jumps over 12 lazy \ufeffdogs.",
	} {
		b := sketchOf(t, same)
		if a.Exact != b.Exact || !slices.Equal(a.Set, b.Set) {
			t.Errorf("%q differs", same)
		}
	}
	for _, other := range []string{"It's a \"Test\": the quick brown-fox jumps over 13 lazy dogs.", "It's a \"Test\"; the quick brown-fox jumps over 12 lazy dogs."} {
		if b := sketchOf(t, other); a.Exact == b.Exact {
			t.Errorf("%q is taken for the same", other)
		}
	}
}

func TestTheFastPathCutsAsTheSlowOne(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	signs := []rune("abcXYZ019 _-.,(\n")
	for range 2000 {
		var b strings.Builder
		for range r.IntN(60) {
			b.WriteRune(signs[r.IntN(len(signs))])
		}
		text := b.String()
		var fast, slow tokenizer
		fast.cut(text)
		slow.text = append([]byte(text), pad...)
		for i := 0; i < len(text); {
			j := i
			if j = slow.slowWord(i, len(text), false); slow.signed(i) && j > i && class[text[i]] == word {
				slow.tokens[len(slow.tokens)-1] = 0
			}
			i = max(j, i+1)
		}
		if len(fast.tokens) != len(slow.tokens) || fast.marks != slow.marks {
			t.Fatalf("%q: %d and %d tokens", text, len(fast.tokens), len(slow.tokens))
		}
		for i, h := range slow.tokens {
			if h != 0 && h != fast.tokens[i] {
				t.Fatalf("%q: token %d differs", text, i)
			}
		}
	}
}

func TestAMinusIsPartOfItsNumber(t *testing.T) {
	if a, b := sketchOf(t, "the final answer to it is -3"), sketchOf(t, "the final answer to it is 3"); slices.Equal(a.Set, b.Set) {
		t.Error("-3 is taken for 3")
	}
}

func TestShortTexts(t *testing.T) {
	one, two := sketchOf(t, "Yes."), sketchOf(t, "yes!")
	if len(one.Set) != 1 || len(one.Bands) != DefaultParams.Keys() || Jaccard(one.Set, two.Set) != 0 {
		t.Errorf("got %+v and %+v", one, two)
	}
	if s := sketchOf(t, "🙂"); s.Empty() {
		t.Error("a sign is a text")
	}
	if s := sketchOf(t, " \n\t "); !s.Empty() || len(s.Bands) != 0 {
		t.Errorf("white space is %+v", s)
	}
}

func TestMinHashEstimatesJaccard(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, n := range []int{1, 3, 20, 226, 3000} {
		for _, j := range []float64{0, .3, .8, .95} {
			common := int(math.Round(2 * float64(n) * j / (1 + j)))
			if common > n {
				continue
			}
			truth := float64(common) / float64(2*n-common)
			sum, rounds := 0.0, 300
			for range rounds {
				a, b := pairWith(r, n, common)
				va, vb := make([]uint64, 128), make([]uint64, 128)
				minhash(va, a)
				minhash(vb, b)
				for i := range va {
					sum += float64(asInt(va[i] == vb[i])) / 128
				}
			}
			got := sum / float64(rounds)
			// 300 sketches of 128 values; for few elements the values hang together, so that the spread is that of one.
			spread := 5 * math.Sqrt(truth*(1-truth)/float64(rounds)/float64(min(n, 128)))
			if math.Abs(got-truth) > spread+.004 {
				t.Errorf("n=%d J=%.3f: estimate %.3f", n, truth, got)
			}
		}
	}
}

func pairWith(r *rand.Rand, n, common int) (a, b []uint32) {
	for i := range 2*n - common {
		v := r.Uint32()
		if i < n {
			a = append(a, v)
		}
		if i >= n-common {
			b = append(b, v)
		}
	}
	slices.Sort(a)
	slices.Sort(b)
	return a, b
}

func TestEchoAndTemplateAreLeftOut(t *testing.T) {
	prompt := "Please explain in plain words to a curious child how the following thing works and why people care about it"
	a := sketchOf(t, prompt+": water boils when it is hot enough that its vapour pushes back the air", prompt)
	b := sketchOf(t, prompt+": magnets pull iron because tiny currents inside of it line up with each other", prompt)
	if j := Jaccard(a.Set, b.Set); j > .1 {
		t.Errorf("echoed prompt counts: %.2f", j)
	}
	if s := sketchOf(t, prompt, prompt); s.Empty() {
		t.Error("nothing is left of an answer that is the prompt")
	}
}
