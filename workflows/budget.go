package workflows

import "github.com/retort-data/retort/schema"

// Lease is what a page may spend, earlier attempts included. It stands until the page is done, so that what a killed attempt
// may have spent stays reserved.
type Lease struct {
	Page   schema.PageRef `json:"page"`
	Micros int64          `json:"micros"`
	Calls  int64          `json:"calls"`
}

func (g *generation) leaseOf(page schema.PageRef) *Lease {
	for i := range g.Leases {
		if g.Leases[i].Page == page {
			return &g.Leases[i]
		}
	}
	return nil
}

// lease gives a page its part of what is left of the budget; false where too little is left for one more call.
func (g *generation) lease(in *schema.AskInput) bool {
	p := g.Plan.Policy
	if p.BudgetMicros < 0 && p.BudgetRequests < 0 {
		return true
	}
	var micros, calls int64
	for _, l := range g.Leases {
		micros, calls = micros+l.Micros, calls+l.Calls
	}
	had := g.leaseOf(in.Page)
	if had == nil {
		had = &Lease{Page: in.Page}
	}
	worst := g.Plan.Teachers[in.Page.Teacher].WorstMicros
	more, ok := part(p.BudgetMicros, p.BudgetMicros-g.Spent-micros, max(worst, 1))
	moreCalls, okCalls := part(p.BudgetRequests, p.BudgetRequests-g.Calls-calls, 1)
	if !ok || !okCalls {
		return false
	}
	next := Lease{in.Page, had.Micros + more, had.Calls + moreCalls}
	g.unlease(in.Page)
	g.Leases = append(g.Leases, next)
	if p.BudgetMicros >= 0 {
		in.LeaseMicros = next.Micros
	}
	if p.BudgetRequests >= 0 {
		in.LeaseRequests = next.Calls
	}
	return true
}

// part is a slice of what is left of a bound: an eighth of the whole, but enough for some calls; -1 is no bound.
func part(bound, left, worst int64) (int64, bool) {
	if bound < 0 {
		return 0, true
	}
	if left < worst {
		return 0, false
	}
	return min(left, max(bound/mostAsking, 64*worst)), true
}

// unlease gives back what a page that is done didn't spend.
func (g *generation) unlease(page schema.PageRef) {
	for i, l := range g.Leases {
		if l.Page == page {
			g.Leases = append(g.Leases[:i:i], g.Leases[i+1:]...)
			return
		}
	}
}

// settle shrinks the lease of a page that stopped cleanly to what it has spent.
func (g *generation) settle(page schema.PageRef, got schema.PageCounts) {
	if l := g.leaseOf(page); l != nil {
		l.Micros, l.Calls = min(l.Micros, got.CostMicros), min(l.Calls, got.Calls)
	}
}

// budgetReached stops asking once nothing is in flight that might give a lease back.
func (g *generation) budgetReached() {
	if len(g.window.asking) > 0 || g.window.budget {
		return
	}
	g.Status.OnBudget, g.window.budget = true, true
	if g.Plan.Policy.PublishBudget {
		g.window.closing = true
		return
	}
	g.halt(&verdict{schema.StateHeld, "budget", ""}, false)
}
