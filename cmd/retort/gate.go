package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/retort-data/retort/schema"
)

// gates says of each gate how far it is from holding, how its wealth went, and which accounts have won most.
func (s *screen) gates(c *column) {
	for i := range s.Gate.Gates {
		s.gate(c, &s.Gate.Gates[i])
	}
}

func (s *screen) gate(c *column, g *schema.GateReading) {
	p, name := s.paint, gateName(g)
	state := p.good(g.State)
	switch {
	case g.State == "hold":
		state = p.bad("holds")
	case g.Wealth > math.Sqrt(g.Threshold):
		state = p.warn(g.State)
	}
	text := fmt.Sprintf("%s  %s  wealth %.3g of %.3g", clean(name), state, g.Wealth, g.Threshold)
	if s.trail != nil && len(s.trail.wealth[name]) > 1 {
		text += "  " + p.spark(s.trail.wealth[name], g.Threshold, max(8, min(40, c.width-labelWidth-len(name)-34)))
	}
	c.field("gate", text)
	var more []string
	if g.State == "hold" {
		more = append(more, fmt.Sprintf("by %s since %d, at record %d", clean(g.Account), g.Since, g.Record))
	} else if top := richest(g.Accounts); top != "" {
		more = append(more, clean(top))
	}
	if g.Against != schema.AgainstCeilings {
		more = append(more, fmt.Sprintf("%s of %s compared", number(g.Pairs), number(g.Records)))
	}
	if g.Releases > 0 {
		more = append(more, fmt.Sprintf("released %d times", g.Releases))
	}
	if len(more) > 0 {
		c.under(p.dim(strings.Join(more, ", ")))
	}
	if len(g.Over) > 0 {
		c.under(p.warn("above its ceiling: " + clean(strings.Join(g.Over, ", "))))
	}
}

func gateName(g *schema.GateReading) string {
	if g.Against == schema.AgainstVersion {
		return fmt.Sprintf("version %d", g.Version)
	}
	return g.Against
}

// richest names up to three accounts that have won.
func richest(accounts []schema.AccountWealth) string {
	sorted := slices.Clone(accounts)
	slices.SortStableFunc(sorted, func(a, b schema.AccountWealth) int {
		switch {
		case a.Wealth > b.Wealth:
			return -1
		case a.Wealth < b.Wealth:
			return 1
		}
		return 0
	})
	var parts []string
	for _, a := range sorted[:min(3, len(sorted))] {
		if a.Wealth > 1 {
			parts = append(parts, fmt.Sprintf("%s %.3g", a.Name, a.Wealth))
		}
	}
	return strings.Join(parts, ", ")
}
