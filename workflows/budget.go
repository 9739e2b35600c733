package workflows

import "github.com/retort-data/retort/schema"

// Lease is what a page may spend, earlier attempts included. It stands until the page is done, so that what a killed attempt
// may have spent stays reserved.
type Lease struct {
	Page   schema.PageRef `json:"page"`
	Micros int64          `json:"micros"`
	Calls  int64          `json:"calls"`
	Used   bool           `json:"used,omitempty"` // the page said that it is used up
	Spent  int64          `json:"spent,omitempty"`
	Made   int64          `json:"made,omitempty"`  // calls, when it said so
	Stuck  bool           `json:"stuck,omitempty"` // it said so twice and had asked nothing in between: more of the same won't help
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
	if had := g.leaseOf(in.Page); had == nil || had.Used { // else it was stopped before its lease was used up
		if !g.extend(in.Page) {
			return false
		}
	}
	l := g.leaseOf(in.Page)
	if p.BudgetMicros >= 0 {
		in.LeaseMicros = l.Micros
	}
	if p.BudgetRequests >= 0 {
		in.LeaseRequests = l.Calls
	}
	return true
}

// extend makes a page's lease larger by its part of what is left.
func (g *generation) extend(page schema.PageRef) bool {
	p := g.Plan.Policy
	var micros, calls int64
	for _, l := range g.Leases {
		micros, calls = micros+l.Micros, calls+l.Calls
	}
	had := Lease{Page: page}
	if l := g.leaseOf(page); l != nil {
		had = *l
	}
	if had.Stuck {
		return false
	}
	worst, least := max(g.Plan.Teachers[page.Teacher].WorstMicros, 1), int64(64)
	if g.Plan.Teachers[page.Teacher].Batch { // all of it is leased at once
		least = max(least, g.pageRequests(page)+1)
	}
	more, ok := part(p.BudgetMicros, p.BudgetMicros-g.Spent-micros, worst, least)
	moreCalls, okCalls := part(p.BudgetRequests, p.BudgetRequests-g.Calls-calls, 1, least)
	if !ok || !okCalls {
		return false
	}
	g.unlease(page)
	had.Micros, had.Calls, had.Used = had.Micros+more, had.Calls+moreCalls, false
	g.Leases = append(g.Leases, had)
	return true
}

// part is a slice of what is left of a bound: an eighth of the whole, but enough for some calls (least); -1 is no bound.
func part(bound, left, worst, least int64) (int64, bool) {
	if bound < 0 {
		return 0, true
	}
	if left < worst {
		return 0, false
	}
	return min(left, max(bound/mostAsking, least*worst)), true
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

// settle shrinks the lease of a page that has used it up to what it has spent.
func (g *generation) settle(page schema.PageRef, got schema.PageCounts) {
	if l := g.leaseOf(page); l != nil {
		l.Micros, l.Calls, l.Used = min(l.Micros, got.CostMicros), min(l.Calls, got.Calls), true
		l.Stuck = l.Spent == got.CostMicros && l.Made == got.Calls
		l.Spent, l.Made = got.CostMicros, got.Calls
	}
}

// budgetReached stops asking once nothing is in flight that might give a lease back. Who releases a run that the budget holds
// publishes what it has: the cap stays. True where pages are to be closed now.
func (g *generation) budgetReached() bool {
	if len(g.window.asking) > 0 || len(g.Batches) > 0 || g.window.budget {
		return false
	}
	g.Status.OnBudget, g.window.budget = true, true
	if g.Plan.Policy.PublishBudget || g.waived("budget") {
		g.window.closing = true
		return true
	}
	g.halt(&verdict{schema.StateHeld, "budget", ""}, false)
	return false
}
