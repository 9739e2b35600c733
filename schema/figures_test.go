package schema

import "testing"

func TestFigures(t *testing.T) {
	teacher := func(requests, answered, reused, reusable, admitted, micros, unknown int64) TeacherStatus {
		return TeacherStatus{Name: "t", Requests: requests, Answered: answered, Reused: reused, Reusable: reusable, Admitted: admitted, Cost: Cost{Micros: micros, Unknown: unknown}}
	}
	for name, c := range map[string]struct {
		state           string
		rows            int64
		teachers        []TeacherStatus
		each, projected int64 // -1: unknown
	}{
		"nothing yet":                {StateAsking, 0, []TeacherStatus{teacher(100, 0, 0, 0, 0, 0, 0)}, -1, -1},
		"half of it":                 {StateAsking, 0, []TeacherStatus{teacher(100, 50, 0, 0, 40, 500, 0)}, 13, 1000},
		"two teachers":               {StateAsking, 0, []TeacherStatus{teacher(100, 50, 0, 0, 40, 500, 0), teacher(10, 10, 0, 0, 10, 100, 0)}, 12, 1100},
		"one hasn't begun":           {StateAsking, 0, []TeacherStatus{teacher(100, 50, 0, 0, 40, 500, 0), teacher(10, 0, 0, 0, 0, 0, 0)}, 13, -1},
		"an unknown price":           {StateAsking, 0, []TeacherStatus{teacher(100, 50, 0, 0, 40, 0, 50)}, -1, -1},
		"free":                       {StateAsking, 0, []TeacherStatus{teacher(100, 50, 0, 0, 40, 0, 0)}, 0, 0},
		"reused answers are free":    {StateAsking, 0, []TeacherStatus{teacher(100, 60, 10, 30, 60, 500, 0)}, 8, 700},
		"rows end it sooner":         {StateAsking, 50, []TeacherStatus{teacher(100, 50, 0, 0, 40, 400, 0)}, 10, 500},
		"ended before all was asked": {StateCancelled, 0, []TeacherStatus{teacher(100, 50, 0, 0, 40, 500, 0)}, 13, 500},
		"ended, nothing admitted":    {StateNothing, 0, []TeacherStatus{teacher(50, 50, 0, 0, 0, 500, 0)}, -1, 500},
	} {
		s := Status{State: c.state, Rows: c.rows, Teachers: c.teachers}
		for _, teach := range c.teachers {
			s.Cost.Micros += teach.Cost.Micros
			s.Cost.Unknown += teach.Cost.Unknown
			s.Counts.Admitted += teach.Admitted
		}
		s.Figure()
		for what, v := range map[string]struct {
			got  *int64
			want int64
		}{"per admitted record": {s.PerAdmitted, c.each}, "projected": {s.Projected, c.projected}} {
			if v.got == nil && v.want != -1 || v.got != nil && *v.got != v.want {
				t.Errorf("%s: %s is %v, want %d", name, what, v.got, v.want)
			}
		}
	}
}
