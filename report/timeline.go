package report

// mostSteps bounds the steps of a timeline; where a run takes longer they are made twice as long.
const mostSteps = 120

// timeline counts answers in steps of a power of two seconds.
type timeline struct {
	step  int64 // milliseconds
	steps map[int64]map[string]int64
}

func (t *timeline) add(teacher string, at int64) {
	if at <= 0 {
		return
	}
	if t.steps == nil {
		t.step, t.steps = 1000, map[int64]map[string]int64{}
	}
	t.count(at/t.step, teacher, 1)
	for {
		first, last := t.span()
		if last-first < mostSteps {
			return
		}
		t.double()
	}
}

func (t *timeline) count(step int64, teacher string, n int64) {
	if t.steps[step] == nil {
		t.steps[step] = map[string]int64{}
	}
	t.steps[step][teacher] += n
}

func (t *timeline) span() (first, last int64) {
	first = -1
	for step := range t.steps {
		if first < 0 || step < first {
			first = step
		}
		last = max(last, step)
	}
	return first, last
}

func (t *timeline) double() {
	old := t.steps
	t.step, t.steps = 2*t.step, map[int64]map[string]int64{}
	for step, counts := range old {
		for teacher, n := range counts {
			t.count(step/2, teacher, n)
		}
	}
}

// done lays the counts out, teachers in the order given.
func (t *timeline) done(teachers []string) *Timeline {
	if len(t.steps) == 0 {
		return nil
	}
	first, last := t.span()
	out := &Timeline{From: first * t.step, Step: t.step}
	for _, name := range teachers {
		s := TimeSerie{Name: name, Answers: make([]int64, last-first+1)}
		for step, counts := range t.steps {
			s.Answers[step-first] = counts[name]
		}
		out.Teachers = append(out.Teachers, s)
	}
	return out
}
