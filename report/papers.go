package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/retort-data/retort/schema"
)

// Papers is what card and croissant.json are made from.
type Papers struct {
	Manifest *schema.Manifest
	Digest   string             // sha256 of the manifest's object, hex
	Earlier  []*schema.Manifest // of the earlier versions whose shards this one keeps, newest first
	Home     string             // s3:// address of the dataset, with a slash at its end
	Summary  *Summary           // nil where nothing was measured
}

// runs are the manifests that say how the version's shards were made: its own first.
func (p *Papers) runs() []*schema.Manifest {
	return append([]*schema.Manifest{p.Manifest}, p.Earlier...)
}

// Rows counts the records of all shards.
func (p *Papers) Rows() (n int64) {
	for _, s := range p.Manifest.Shards {
		n += s.Rows
	}
	return n
}

// Bytes sums the sizes of all shards.
func (p *Papers) Bytes() (n int64) {
	for _, s := range p.Manifest.Shards {
		n += s.Bytes
	}
	return n
}

// Teachers are those of all runs whose shards the version has; one that was asked in several is named once, with the sums.
func (p *Papers) Teachers() (all []schema.ManifestTeacher) {
	at := map[[3]string]int{}
	for _, m := range p.runs() {
		for _, t := range m.Teachers {
			key := [3]string{t.Name, t.Model, t.Revision}
			i, ok := at[key]
			if !ok {
				at[key] = len(all)
				all = append(all, t)
				continue
			}
			sum := &all[i] // the newest declaration of terms stands
			sum.Requests, sum.Admitted = sum.Requests+t.Requests, sum.Admitted+t.Admitted
			sum.InputTokens, sum.OutputTokens = sum.InputTokens+t.InputTokens, sum.OutputTokens+t.OutputTokens
			sum.Served = union(sum.Served, t.Served)
			if sum.CostMicros == nil || t.CostMicros == nil {
				sum.CostMicros = nil
			} else {
				both := *sum.CostMicros + *t.CostMicros
				sum.CostMicros = &both
			}
		}
	}
	return all
}

// Source is what was read of one place, over all runs.
type Source struct {
	schema.ManifestSource
	Bytes int64
}

// Sources are those of all runs, each place with its licence and part once.
func (p *Papers) Sources() (all []Source) {
	at := map[[3]string]int{}
	for _, m := range p.runs() {
		for _, s := range m.Sources {
			key := [3]string{s.From, s.License, s.Role}
			i, ok := at[key]
			if !ok {
				i = len(all)
				at[key] = i
				all = append(all, Source{ManifestSource: s})
				all[i].Files = nil
			}
			for _, f := range s.Files {
				if !slices.ContainsFunc(all[i].Files, func(g schema.PinnedFile) bool { return g.Name == f.Name && g.ETag == f.ETag }) {
					all[i].Files = append(all[i].Files, f)
					all[i].Bytes += f.Bytes
				}
			}
		}
	}
	return all
}

// Splits are the names of the splits with their shards: train first, then by name.
func (p *Papers) Splits() (names []string, shards map[string][]schema.Shard) {
	shards = map[string][]schema.Shard{}
	for _, s := range p.Manifest.Shards {
		split := cmp.Or(s.Split, "train")
		shards[split] = append(shards[split], s)
	}
	names = slices.SortedFunc(maps.Keys(shards), func(a, b string) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a, b))
	})
	return names, shards
}

func order(split string) int {
	if split == "train" {
		return 0
	}
	return 1
}

func union(a, b []string) []string {
	both := slices.Concat(a, b)
	slices.Sort(both)
	return slices.Compact(both)
}
