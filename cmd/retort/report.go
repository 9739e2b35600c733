package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// ReportCmd writes the HTML report of a version.
type ReportCmd struct {
	Dataset string `arg:"" help:"DATASET or DATASET@N; the newest version where @N is left out." placeholder:"DATASET[@N]"`
	Out     string `short:"o" help:"File to write (default: DATASET-N.html)." placeholder:"FILE"`
	Anew    bool   `help:"Make it again from the manifest and the run's pages, in place of the one that was published."`
}

// Run fetches the report that was published, or makes it.
func (c *ReportCmd) Run(a *app) error {
	d, m, err := a.version(c.Dataset)
	if err != nil {
		return err
	}
	page, err := a.objects.Get(a.ctx, d.Report(m.Version, m.Run))
	if c.Anew || errors.Is(err, store.ErrNotFound) {
		page, err = a.makeReport(d, m)
	}
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = fmt.Sprintf("%s-%d.html", filepath.Base(d.Name), m.Version)
	}
	if err := os.WriteFile(out, page, 0o644); err != nil { //nolint:gosec // to be opened in a browser
		return &schema.Error{Kind: schema.KindInvalid, Code: "output", Op: "write", Subject: out, Cause: err, Hint: "Give a file that can be written: -o FILE."}
	}
	if a.json {
		return a.printJSON(map[string]any{"dataset": d.Name, "version": m.Version, "file": out, "bytes": len(page), "uri": d.URI(d.Report(m.Version, m.Run))})
	}
	a.printf("%s: the report of %s@%d, %s; it needs no network.\n", out, d.Name, m.Version, size(int64(len(page))))
	return nil
}

func (a *app) makeReport(d store.Dataset, m *schema.Manifest) ([]byte, error) {
	papers, err := activities.Papers(a.ctx, a.objects, d, m.Version)
	if err != nil {
		return nil, err
	}
	rooms := &activities.Rooms{Config: a.config, Store: a.objects}
	rep, err := rooms.Report(a.ctx, papers, nil)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = rep.HTML(&page)
	return page.Bytes(), err
}
