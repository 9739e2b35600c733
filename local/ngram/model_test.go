package ngram

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

var goModel = sync.OnceValues(func() (*Model, error) {
	texts, err := GoDocs()
	if err != nil {
		return nil, err
	}
	return Train(texts), nil
})

func trained(t testing.TB) *Model {
	t.Helper()
	m, err := goModel()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// small draws texts over few words, so that every case of smoothing occurs.
var small = rapid.SliceOfN(rapid.StringMatching(`([abc]( [abcd.]){0,6})?`), 0, 12)

// After any context, seen or not, probabilities add up to one with the unknown.
func TestProbabilitiesAddUpToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Train(slices.Values(small.Draw(t, "texts")))
		context := rapid.Uint32Range(0, uint32(len(m.words)+1))
		u, v := context.Draw(t, "u"), context.Draw(t, "v")
		sum := m.probability(u, v, 0, false)
		for w := range m.words {
			if uint32(w) == begin {
				continue // never predicted
			}
			p := m.probability(u, v, uint32(w), true)
			if p < 0 || (p == 0 && m.Vocabulary() > 0) {
				t.Fatalf("probability of %q is %v", m.words[w], p)
			}
			sum += p
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("after %d %d probabilities add up to %v", u, v, sum)
		}
	})
}

// Tokens are drawn as often as probability to the power 1/T says.
func TestSamplingFollowsTheDistribution(t *testing.T) {
	texts := []string{"a b c. a b d. a c", "b a b", "d c a. b", "a b c", "c c d (e) f", "g a b"}
	m := Train(slices.Values(texts))
	for _, temperature := range []float64{0.5, 1, 1.7} {
		for _, context := range [][2]string{{"a", "b"}, {"g", "g"}, {"c", "."}} {
			u, v := m.ids[context[0]], m.ids[context[1]]
			want, total := make([]float64, len(m.words)), 0.0
			for w := 1; w < len(m.words); w++ {
				want[w] = math.Pow(m.probability(u, v, uint32(w), true), 1/temperature)
				total += want[w]
			}
			const n = 50_000
			got := make([]float64, len(m.words))
			d, rng := m.at(temperature), seeded(1)
			for range n {
				got[d.next(rng, u, v)]++
			}
			for w := range want {
				p := want[w] / total
				if math.Abs(got[w]-n*p) > 5*math.Sqrt(n*p*(1-p))+1 {
					t.Errorf("T=%v after %v: %q drawn %v times of %d, want %.1f", temperature, context, m.words[w], got[w], n, n*p)
				}
			}
		}
	}
}

func TestTrainAndSampleAreDeterministic(t *testing.T) {
	one := trained(t)
	texts, err := GoDocs()
	if err != nil {
		t.Fatal(err)
	}
	two := Train(texts)
	for seed := range uint64(20) {
		a := one.Sample(seeded(seed), "What does strings.Cut do?", 0.8, 120)
		b := two.Sample(seeded(seed), "What does strings.Cut do?", 0.8, 120)
		if a != b {
			t.Fatalf("seed %d:\n%s\n%s", seed, a, b)
		}
		if !strings.HasPrefix(a, "Cut ") {
			t.Errorf("does not speak of what was asked: %s", a)
		}
		if c := one.Sample(seeded(seed+1000), "What does strings.Cut do?", 0.8, 120); a == c {
			t.Errorf("seeds %d and %d give the same: %s", seed, seed+1000, a)
		}
	}
}

func TestPerplexityKnowsItsOwn(t *testing.T) {
	m := trained(t)
	goText := m.Perplexity("Close closes the file, rendering it unusable for I/O.")
	other := m.Perplexity("It was the best of times, it was the worst of times, it was the age of wisdom.")
	shuffled := m.Perplexity("unusable it closes I/O for file, the Close rendering.")
	if goText*3 > other || goText*3 > shuffled {
		t.Errorf("perplexity of Go's own text %.0f, of another's %.0f, of shuffled words %.0f", goText, other, shuffled)
	}
	if p := m.Perplexity(""); math.IsNaN(p) || math.IsInf(p, 0) {
		t.Errorf("of an empty text: %v", p)
	}
}

// The reason for this model: a student of its own output loses words.
func TestPhotocopyLosesVocabulary(t *testing.T) {
	m := trained(t)
	var vocabularies []int
	for generation := range 4 {
		rng := seeded(uint64(generation))
		var texts []string
		for range 1000 {
			texts = append(texts, m.Sample(rng, "", 0.8, 80))
		}
		m = Train(slices.Values(texts))
		vocabularies = append(vocabularies, m.Vocabulary())
	}
	t.Logf("vocabulary of generations at T = 0.8: %v", vocabularies)
	if !slices.IsSortedFunc(vocabularies, func(a, b int) int { return b - a }) || vocabularies[3]*2 > vocabularies[0] {
		t.Errorf("vocabulary %v does not shrink", vocabularies)
	}
}

func TestEdges(t *testing.T) {
	empty := Train(slices.Values([]string{"", "  \n"}))
	if got := empty.Sample(seeded(1), "q", 1, 10); got != "" {
		t.Errorf("an untrained model says %q", got)
	}
	one := Train(slices.Values([]string{"word"}))
	for _, temperature := range []float64{-1, 0, 0.01, 1, 50, math.Inf(1), math.NaN()} {
		if got := one.Sample(seeded(1), "", temperature, 5); len(strings.Fields(got)) > 5 {
			t.Errorf("T=%v: %q", temperature, got)
		}
	}
	if got := trained(t).Sample(seeded(1), "", 0, 30); got != trained(t).Sample(seeded(2), "", 0, 30) {
		t.Error("at temperature 0 the seed matters")
	}
}

func TestReadJSONL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.jsonl")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("{\"doc\":\"one\"}\n\n{\"doc\":\"two\",\"n\":1}\n")
	if got, err := ReadJSONL(path, "doc"); err != nil || !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"{\"doc\":\"one\"}\n{\"other\":1}\n", "{\"doc\":\"one\"}\n{\n", "{\"doc\":\"one\"}\n{\"doc\":[]}\n"} {
		write(bad)
		if _, err := ReadJSONL(path, "doc"); err == nil || !strings.Contains(err.Error(), ":2:") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzTokens: nothing but white space is lost between text and tokens, and
// whatever the text, a model of it can be trained and sampled.
func FuzzTokens(f *testing.F) {
	f.Add("See (*Reader).Read, [io.EOF]. And so on...\n\nThen: (a) b!")
	f.Add("\x00 ( ) .\n\n\n. ,\u00a0x\u2028y")
	f.Fuzz(func(t *testing.T, text string) {
		black := func(s string) string {
			return strings.Join(strings.FieldsFunc(s, unicode.IsSpace), "")
		}
		tokens := tokenize(text)
		if got := black(join(tokens)); got != black(text) {
			t.Fatalf("%q came back as %q", black(text), got)
		}
		m := Train(slices.Values([]string{text, "a b"}))
		m.Sample(seeded(1), text, 1, 20)
		if p := m.Perplexity(text); math.IsNaN(p) || p < 1-1e-9 {
			t.Fatalf("perplexity %v", p)
		}
	})
}

func BenchmarkTrain(b *testing.B) {
	texts, err := GoDocs()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		Train(texts)
	}
}

func BenchmarkSample(b *testing.B) {
	m, rng, words := trained(b), seeded(1), 0
	for b.Loop() {
		words += len(strings.Fields(m.Sample(rng, "", 0.8, 200)))
	}
	b.ReportMetric(float64(words)/b.Elapsed().Seconds(), "words/s")
}
