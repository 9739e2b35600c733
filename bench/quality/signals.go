package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/retort-data/retort/quality"
	"github.com/retort-data/retort/schema"
)

func printSignals(texts []string) error {
	in, err := quality.NewInspector(schema.Checks{}, quality.Options{})
	if err != nil {
		return err
	}
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush() //nolint:errcheck // stdout
	enc := json.NewEncoder(w)
	for _, t := range texts {
		got := in.Inspect(quality.Input{Response: &schema.Response{Text: t}})
		m := map[string]float64{}
		for _, s := range got.Signals {
			m[s.Name] = s.Value
		}
		if err := enc.Encode(m); err != nil {
			return err
		}
	}
	return nil
}
