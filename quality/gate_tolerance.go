package quality

import "math"

// tolerance learns how far a healthy teacher's answers differ from human text.
type tolerance struct {
	N      int
	Mean   float64
	Spread float64 // sum of squared deviations (Welford)
}

func (t *tolerance) learn(d float64) {
	t.N++
	delta := d - t.Mean
	t.Mean += delta / float64(t.N)
	t.Spread += float64(delta * (d - t.Mean))
}

// bound is the 99% upper confidence bound of the mean, 0 at least: the mean itself alarms in 31% of healthy runs.
func (t *tolerance) bound() float64 {
	if t.N < 2 {
		return 0
	}
	sd := math.Sqrt(t.Spread / float64(t.N-1))
	return min(0.99, max(0, t.Mean+learnSigma*sd/math.Sqrt(float64(t.N))))
}
