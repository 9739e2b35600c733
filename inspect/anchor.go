package inspect

import (
	"context"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// openGate makes the gate; without files it has no anchor, and holds nothing. The anchor's signals are its rows' means.
func openGate(ctx context.Context, o *Options, m *measurer) (*quality.Gate, means, error) {
	gate := quality.GateOptions{Alpha: o.FalseAlarm, Mode: quality.ModeHuman, Ceilings: o.Ceilings}
	if o.Tolerance == schema.ToleranceNone {
		gate.Mode = quality.ModeSame
	}
	if len(o.Anchor) == 0 {
		g, err := quality.NewGate(nil, gate)
		return g, nil, err
	}
	from, err := openFiles(ctx, o.Anchor, o.Scratch)
	if err != nil {
		return nil, nil, err
	}
	builder := quality.NewAnchorBuilder(quality.AnchorOptions{Seed: o.Seed, Pinned: o.Tolerance == schema.ToleranceNone})
	signals := means{}
	columns := o.Columns
	columns.lenient = true // an anchor needs no prompts
	for p, err := range (&measurer{inspector: m.inspector, threads: m.threads}).measured(ctx, from.rows(ctx, columns, false)) {
		if err != nil {
			return nil, nil, err
		}
		for i := range p.rows {
			r := &p.rows[i]
			builder.Add(quality.AnchorRecord{Key: r.key, Stratum: r.stratum, Text: r.text, Asked: quality.AskedOf(r.asked())})
			signals.add(p.inspections[i].Signals)
		}
	}
	anchor, err := builder.Build()
	if err != nil {
		return nil, nil, err
	}
	g, err := quality.NewGate(anchor, gate)
	return g, signals, err
}
