package main

import (
	"errors"
	"fmt"

	"github.com/retort-data/retort/activities"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// VersionsCmd lists versions.
type VersionsCmd struct {
	Dataset string `arg:"" help:"Dataset." placeholder:"DATASET"`
}

// Run reads every manifest.
func (c *VersionsCmd) Run(a *app) error {
	d, err := a.dataset(c.Dataset)
	if err != nil {
		return err
	}
	s, err := a.store()
	if err != nil {
		return err
	}
	newest, err := activities.NewestVersion(a.ctx, s, d)
	if err != nil {
		return err
	}
	all := []*schema.Manifest{}
	for n := 1; n <= newest; n++ {
		m, err := activities.LoadManifest(a.ctx, s, d, n)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, m)
	}
	if a.json {
		return a.printJSON(all)
	}
	for _, m := range all {
		rows, bytes := shardTotals(m)
		if r := m.Retraction; r != nil {
			a.printf("%4d  %s  %s records in %d shards, %s  retracted %s: %s\n", m.Version, m.Created.Format("2006-01-02 15:04"), number(rows), len(m.Shards), size(bytes), number(r.Removed), r.Why)
			continue
		}
		a.printf("%4d  %s  %s records in %d shards, %s  run %s: admitted %s of %s, cost %s, gate %s\n", m.Version, m.Created.Format("2006-01-02 15:04"),
			number(rows), len(m.Shards), size(bytes), m.Run, number(m.Counts.Admitted), number(m.Counts.Planned), costText(m.Cost), m.Gate.Verdict)
	}
	if len(all) == 0 {
		a.printf("%s has no version yet.\n", d.Name)
	}
	return nil
}

func shardTotals(m *schema.Manifest) (rows, bytes int64) {
	for _, s := range m.Shards {
		rows, bytes = rows+s.Rows, bytes+s.Bytes
	}
	return rows, bytes
}

// FilesCmd lists shards.
type FilesCmd struct {
	Dataset string `arg:"" help:"DATASET or DATASET@N; the newest version where @N is left out." placeholder:"DATASET[@N]"`
	Split   string `help:"Shards of this split alone." placeholder:"NAME"`
}

// Run prints a URI a line: what data_files= takes.
func (c *FilesCmd) Run(a *app) error {
	_, m, err := a.version(c.Dataset)
	if err != nil {
		return err
	}
	uris := []string{}
	for _, s := range m.Shards {
		if c.Split == "" || s.Split == c.Split {
			uris = append(uris, s.URI)
		}
	}
	if a.json {
		return a.printJSON(uris)
	}
	for _, u := range uris {
		a.printf("%s\n", u)
	}
	return nil
}

// version reads the manifest of DATASET or DATASET@N.
func (a *app) version(arg string) (store.Dataset, *schema.Manifest, error) {
	d, _, m, _, err := a.versionBytes(arg)
	return d, m, err
}

// versionBytes reads it with the number under which it stands, and its bytes.
func (a *app) versionBytes(arg string) (d store.Dataset, n int, m *schema.Manifest, body []byte, err error) {
	name, n, err := schema.ParseDatasetVersion(arg)
	if err != nil {
		return d, n, nil, nil, err
	}
	if d, err = a.dataset(name); err != nil {
		return d, n, nil, nil, err
	}
	s, err := a.store()
	if err != nil {
		return d, n, nil, nil, err
	}
	if n == 0 {
		if n, err = activities.NewestVersion(a.ctx, s, d); err != nil {
			return d, n, nil, nil, err
		}
		if n == 0 {
			return d, n, nil, nil, &schema.Error{Kind: schema.KindInvalid, Code: "no_version", Op: "look up", Subject: name, Cause: errors.New("it has no version in " + d.Home()), Hint: "See: retort status " + name}
		}
	}
	m, body, err = activities.ManifestBytes(a.ctx, s, d, n)
	if errors.Is(err, store.ErrNotFound) {
		err = &schema.Error{Kind: schema.KindInvalid, Code: "no_version", Op: "look up", Subject: fmt.Sprintf("%s@%d", name, n), Cause: errors.New("there is no such version"), Hint: "See: retort versions " + name}
	}
	return d, n, m, body, err
}
