package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

// digest prints one digest of every inspection and one of every update of a gate in each mode: a change that makes things faster
// leaves them as they are.
func (b *bench) digest() error {
	texts := b.corpora[0]
	in, err := quality.NewInspector(schema.Checks{}, quality.Options{})
	if err != nil {
		return err
	}
	builder := quality.NewAnchorBuilder(quality.AnchorOptions{Seed: 1})
	inspected, answers := sha256.New(), make([]quality.Answer, len(texts))
	for i, t := range texts {
		builder.Add(quality.AnchorRecord{Text: t})
		got, f := in.InspectForGate(quality.Input{Response: &schema.Response{Text: t}})
		answers[i] = quality.Answer{ID: fmt.Sprint(i), Features: f}
		if err := json.NewEncoder(inspected).Encode(got); err != nil {
			return err
		}
	}
	fmt.Printf("inspections %x\n", inspected.Sum(nil))
	anchor, err := builder.Build()
	if err != nil {
		return err
	}
	for _, mode := range []quality.Mode{quality.ModeHuman, quality.ModeSame, quality.ModeChanged} {
		g, err := quality.NewGate(anchor, quality.GateOptions{Mode: mode, MinEffect: -1})
		if err != nil {
			return err
		}
		said := sha256.New()
		for _, u := range g.ObserveAll(answers) {
			fmt.Fprintf(said, "%d %x %x %t\n", u.Twin, u.D, u.Wealth, u.Held)
		}
		fmt.Printf("gate, mode %s %x\n", mode, said.Sum(nil))
	}
	return nil
}
