package main

import (
	"iter"
	"os"

	"github.com/retort-data/retort/schema"
)

// ShowCmd prints records of a version.
type ShowCmd struct {
	Dataset string `arg:"" help:"DATASET or DATASET@N; the newest version where @N is left out." placeholder:"DATASET[@N]"`
	N       int    `short:"n" default:"3" help:"Records to print."`
	Rejects bool   `help:"Print what was turned away, with why, in place of records."`
}

// Run prints the first records of the run that became the version; they stand in a shuffled order.
func (c *ShowCmd) Run(a *app) error {
	_, m, err := a.version(c.Dataset)
	if err != nil {
		return err
	}
	rows := []*schema.Reject{}
	files := m.Shards
	if c.Rejects {
		files = m.Rejects
	}
	for i := len(files) - 1; i >= 0 && len(rows) < c.N; i-- { // the newest first
		got, err := a.firstRows(files[i], c.N-len(rows), c.Rejects)
		if err != nil {
			return err
		}
		rows = append(rows, got...)
	}
	if a.json {
		return a.printJSON(rows)
	}
	for _, r := range rows {
		for _, msg := range r.Messages {
			a.printf("%s: %s\n", msg.Role, msg.Content)
		}
		if c.Rejects {
			a.printf("  → rejected: %s", r.Reason)
			if r.Signal != "" {
				a.printf(" (%s %.3g, limit %.3g)", r.Signal, r.Value, r.Limit)
			}
			a.printf(" %s%s\n", r.Text, r.Of)
		}
		a.printf("  %s, %s, generation %d, finish reason %s\n\n", r.Teacher, r.Model, r.Generation, r.FinishReason)
	}
	if len(rows) == 0 {
		a.printf("There are none.\n")
	}
	return nil
}

// firstRows reads the first rows of a file.
func (a *app) firstRows(s schema.Shard, n int, rejects bool) (rows []*schema.Reject, err error) {
	f, _, _, err := a.fetch(s.Key)
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // scratch
	defer f.Close()
	for rec, err := range records(f, s.Bytes, rejects) {
		if err != nil {
			return nil, err
		}
		if rows = append(rows, rec); len(rows) == n {
			break
		}
	}
	return rows, nil
}

// records reads a shard or a file of rejects.
func records(f *os.File, n int64, rejects bool) iter.Seq2[*schema.Reject, error] {
	if rejects {
		return schema.ReadRejects(f, n)
	}
	return func(yield func(*schema.Reject, error) bool) {
		for rec, err := range schema.ReadRecords(f, n) {
			row := &schema.Reject{}
			if rec != nil {
				row.Record = *rec
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
