package schema

// Figures are what a run's money comes to, in micro-dollars; nil is unknown: a price is, or nothing says it yet.
type Figures struct {
	PerAdmitted *int64 `json:"per_admitted_micros"` // cost of an admitted record so far
	Projected   *int64 `json:"projected_micros"`    // cost of the whole run, at what its answers have cost so far
}

// Figure fills in the figures of a run and of its teachers.
func (s *Status) Figure() {
	var sum int64
	known := len(s.Teachers) > 0
	for i := range s.Teachers {
		t := &s.Teachers[i]
		t.Figures = Figures{PerAdmitted: perRecord(t.Cost, t.Admitted), Projected: t.projected(Ended(s.State))}
		if t.Projected == nil {
			known = false
			continue
		}
		sum += *t.Projected
	}
	s.Figures = Figures{PerAdmitted: perRecord(s.Cost, s.Counts.Admitted)}
	if !known {
		return
	}
	if s.Rows > 0 && s.PerAdmitted != nil && !Ended(s.State) { // it ends when it has its rows
		sum = max(s.Cost.Micros, min(sum, scaled(s.Cost.Micros, s.Rows, s.Counts.Admitted)))
	}
	s.Projected = &sum
}

func perRecord(c Cost, admitted int64) *int64 {
	if c.Unknown > 0 || admitted == 0 {
		return nil
	}
	micros := scaled(c.Micros, 1, admitted)
	return &micros
}

// projected is a teacher's cost to the end: what its paid answers have cost, for every request that is still to be paid for.
//
//workflowcheck:ignore // a sum doesn't depend on the order
func (t *TeacherStatus) projected(ended bool) *int64 {
	failed := int64(0)
	for _, n := range t.Failed {
		failed += n
	}
	paid := t.Answered + failed - t.Reused
	left := t.Requests - t.Answered - failed - max(0, t.Reusable-t.Reused)
	micros := t.Cost.Micros
	switch {
	case t.Cost.Unknown > 0, !ended && left > 0 && paid == 0:
		return nil
	case !ended && left > 0:
		micros += scaled(t.Cost.Micros, left, paid)
	}
	return &micros
}

// scaled is micros × n / of, rounded to the nearest.
func scaled(micros, n, of int64) int64 {
	return int64(float64(micros)*float64(n)/float64(of) + 0.5)
}
