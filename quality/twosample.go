package quality

import (
	"math"
	"math/rand/v2"
	"strings"
	"unicode"
)

// SameAnswers compares two sets of answers to the same prompts, such as a teacher's of tonight and of the night before. a[i] and b[i] are
// samples of prompt i. It returns a p-value by the energy statistic (Székely and Rizzo 2004, "Testing for equal distributions in high
// dimension"), by shuffling which of a prompt's answers is whose: nothing is assumed about how answers are distributed. It looks twice, at which
// words there are and at how the text is made (length, words, punctuation), and takes twice the smaller p. Where every answer is the same
// word for word it is 1. The result is the same for the same answers.
func SameAnswers(a, b [][]string) float64 {
	var words, shapes []promptDistances
	scale := shapeScale(a, b)
	for i := range a {
		if i < len(b) && len(a[i]) > 0 && len(b[i]) > 0 {
			both := append(append([]string(nil), a[i]...), b[i]...)
			words = append(words, distancesOf(both, len(a[i]), wordBag, bagDistance))
			shapes = append(shapes, distancesOf(both, len(a[i]), shapeOf, scale))
		}
	}
	return min(1, 2*min(shuffled(words), shuffled(shapes)))
}

// shuffled is the share of shuffles in which the sets are as far from each other.
func shuffled(prompts []promptDistances) float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	seen, order := 0.0, make([][]int, len(prompts))
	for i := range prompts {
		order[i] = rng.Perm(len(prompts[i].d))
		seen += prompts[i].energy(nil)
	}
	const shuffles = 4999
	asFar := 1
	for range shuffles {
		sum := 0.0
		for i := range prompts {
			o := order[i]
			rng.Shuffle(len(o), func(x, y int) { o[x], o[y] = o[y], o[x] })
			sum += prompts[i].energy(o)
		}
		if sum >= seen-1e-12 {
			asFar++
		}
	}
	return float64(asFar) / (shuffles + 1)
}

// promptDistances are those between all answers to a prompt, the first na of which are of the first set.
type promptDistances struct {
	d  [][]float64
	na int
}

func distancesOf[T any](texts []string, na int, of func(string) T, distance func(x, y T) float64) promptDistances {
	points := make([]T, len(texts))
	for i, t := range texts {
		points[i] = of(t)
	}
	d := make([][]float64, len(points))
	for i := range points {
		d[i] = make([]float64, len(points))
		for j := range i {
			d[i][j] = distance(points[i], points[j])
			d[j][i] = d[i][j]
		}
	}
	return promptDistances{d, na}
}

// energy is twice the mean distance between the sets less the mean distances within them; order says who is where (nil: as they came).
func (p *promptDistances) energy(order []int) float64 {
	at := func(i int) int {
		if order == nil {
			return i
		}
		return order[i]
	}
	var across, withinA, withinB float64
	na, nb := p.na, len(p.d)-p.na
	for i := range p.d {
		for j := range i {
			d := p.d[at(i)][at(j)]
			switch {
			case i < na:
				withinA += 2 * d
			case j >= na:
				withinB += 2 * d
			default:
				across += d
			}
		}
	}
	return 2*across/float64(na*nb) - withinA/float64(na*na) - withinB/float64(nb*nb)
}

// wordBag counts words and pairs of words.
func wordBag(s string) map[string]int {
	words := strings.Fields(strings.ToLower(s))
	bag := map[string]int{}
	for i, w := range words {
		bag[w]++
		if i > 0 {
			bag[words[i-1]+" "+w]++
		}
	}
	return bag
}

// bagDistance is 1 less the share of what two bags have in common (Jaccard over counts); of two empty ones 0.
func bagDistance(a, b map[string]int) float64 {
	common, all := 0, 0
	for w, n := range a {
		common += min(n, b[w])
		all += max(n, b[w])
	}
	for w, n := range b {
		if _, ok := a[w]; !ok {
			all += n
		}
	}
	if all == 0 {
		return 0
	}
	return 1 - float64(common)/float64(all)
}

// shape is how a text is made.
type shape [6]float64

func shapeOf(s string) shape {
	words := strings.Fields(s)
	var letters, marks, digits, lines float64
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		case unicode.IsPunct(r) || unicode.IsSymbol(r):
			marks++
		case r == '\n':
			lines++
		}
	}
	different := map[string]bool{}
	for _, w := range words {
		different[strings.ToLower(w)] = true
	}
	n := float64(max(1, len(words)))
	return shape{math.Log(n), letters / n, marks / n, digits / n, lines / n, float64(len(different)) / n}
}

// shapeScale returns the distance of shapes: the mean over their parts, each in standard deviations of all answers.
func shapeScale(a, b [][]string) func(x, y shape) float64 {
	var sum, squares shape
	n := 0.0
	for _, set := range [][][]string{a, b} {
		for _, texts := range set {
			for _, t := range texts {
				n++
				for k, v := range shapeOf(t) {
					sum[k] += v
					squares[k] += v * v
				}
			}
		}
	}
	var deviation shape
	for k := range deviation {
		deviation[k] = math.Sqrt(max(0, squares[k]/max(1, n)-sum[k]*sum[k]/max(1, n*n)))
	}
	return func(x, y shape) (d float64) {
		for k := range x {
			if deviation[k] > 1e-9 {
				d += math.Abs(x[k]-y[k]) / deviation[k]
			}
		}
		return d / float64(len(x))
	}
}
