package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/retort-data/retort/schema"
)

// gateLines say of each gate how far it is from holding, and which accounts have won most.
func gateLines(v *schema.GateVerdict) (lines []string) {
	for i := range v.Gates {
		g := &v.Gates[i]
		line := fmt.Sprintf("  gate      %-12s %s  wealth %.3g of %.3g", gateName(g), g.State, g.Wealth, g.Threshold)
		if g.State == "hold" {
			line += fmt.Sprintf("  by %s since %d, at record %d", g.Account, g.Since, g.Record)
		} else if top := richest(g.Accounts); top != "" {
			line += "  " + top
		}
		if g.Against != schema.AgainstCeilings {
			line += fmt.Sprintf("  %s of %s compared", number(g.Pairs), number(g.Records))
		}
		if g.Releases > 0 {
			line += fmt.Sprintf("  released %d×", g.Releases)
		}
		if len(g.Over) > 0 {
			line += "  above its ceiling: " + strings.Join(g.Over, ", ")
		}
		lines = append(lines, line)
	}
	return lines
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
