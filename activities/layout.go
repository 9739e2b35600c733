package activities

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// layout is how admitted and rejected records are laid out over files. It follows from the decisions, so every attempt makes the same.
type layout struct {
	Format string     `json:"format"`
	Files  []filePlan `json:"files"`
	Human  int64      `json:"human,omitempty"` // rows of human text among them
}

// filePlan is one file: rows From to To of each page's rows of the file's split, pages in the order in which they are read.
type filePlan struct {
	Name   string     `json:"name"` // for the record of what was written
	Key    string     `json:"key"`
	Split  string     `json:"split"` // "" holds rejects
	Slices []rowSlice `json:"slices"`
	Rows   int64      `json:"rows"`
	Bytes  int64      `json:"bytes"` // of text
}

type rowSlice struct {
	Seq  int `json:"seq"`
	From int `json:"from"`
	To   int `json:"to"`
}

const trainSplit = "train"

// rejectsSplit stands for the rejects in layouts; no split can have this name.
const rejectsSplit = ""

// compressed is the share of text that zstd leaves, for the size of shards; measured on English answers.
const compressed = 0.4

// Layout decides which record goes into which file, once all pages are decided: only now are cluster sizes, splits and the shuffle known.
func (r *Rooms) Layout(ctx context.Context, in schema.LayoutInput) (schema.LayoutResult, error) {
	run := r.run(in.RunRef)
	r.forgetIndex(run)
	recipe, err := r.recipe(ctx, run)
	if err != nil {
		return schema.LayoutResult{}, err
	}
	clusters, err := r.clusters(ctx, run, in.Pages, recipe.Recipe)
	if err != nil {
		return schema.LayoutResult{}, err
	}
	if err := r.putClusters(ctx, run, clusters); err != nil {
		return schema.LayoutResult{}, err
	}
	if err := r.putClusterReport(ctx, run, in.Pages, clusters); err != nil {
		return schema.LayoutResult{}, err
	}
	if in.Root != "" {
		if err := r.putJSON(ctx, run.IndexRoot(), indexRoot{in.Root, recipe.sketches}, nil); err != nil {
			return schema.LayoutResult{}, err
		}
	}
	table, err := r.readClusters(ctx, run)
	if err != nil {
		return schema.LayoutResult{}, err
	}
	l := &layout{Format: recipe.Output.Format}
	weights := map[string][]pageRows{}
	err = r.eachDecided(ctx, run, in.Pages, func(seq int, decisions []schema.Decision) {
		for split, w := range weigh(recipe.Recipe, table, seq, decisions) {
			weights[split] = append(weights[split], w)
		}
	})
	if err != nil {
		return schema.LayoutResult{}, err
	}
	var admitted int64
	for split, pages := range weights {
		for _, p := range pages {
			if split != rejectsSplit {
				admitted += int64(p.rows)
			}
		}
	}
	human, err := r.mixIn(ctx, run, recipe.Recipe, in.Pages, admitted)
	if err != nil {
		return schema.LayoutResult{}, err
	}
	weighHuman(recipe.Recipe, table, human, weights)
	l.Human = int64(len(human))
	l.lay(run, recipe.Recipe, weights)
	if err := r.putJSON(ctx, run.Layout(), l, l); err != nil {
		return schema.LayoutResult{}, err
	}
	return l.counts(), nil
}

func (l *layout) counts() (out schema.LayoutResult) {
	out.Human = l.Human
	for _, f := range l.Files {
		if f.Split == rejectsSplit {
			out.Rejects++
		} else {
			out.Shards++
		}
	}
	return out
}

// pageRows are a page's rows of one split.
type pageRows struct {
	seq, rows int
	bytes     int64
}

// splitOf says which file a decision's record goes to; failed requests have no record.
func splitOf(recipe *schema.Recipe, clusters *clusterTable, d *schema.Decision) (split string, ok bool) {
	switch d.Outcome {
	case schema.OutcomeAdmitted:
		return clusters.splitOf(recipe, d.PromptID), true
	case schema.OutcomeRejected:
		return rejectsSplit, true
	}
	return "", false
}

func weigh(recipe *schema.Recipe, clusters *clusterTable, seq int, decisions []schema.Decision) map[string]pageRows {
	out := map[string]pageRows{}
	for i := range decisions {
		if split, ok := splitOf(recipe, clusters, &decisions[i]); ok {
			w := out[split]
			w.seq, w.rows, w.bytes = seq, w.rows+1, w.bytes+int64(decisions[i].Bytes)
			out[split] = w
		}
	}
	return out
}

// drawSplit draws by dataset and prompt alone, so that all answers to a prompt are in one split, over all versions.
func drawSplit(recipe *schema.Recipe, prompt string) string {
	if len(recipe.Output.Splits) == 0 {
		return trainSplit
	}
	sum := sha256.Sum256([]byte("retort/split/1/" + recipe.Dataset + "/" + prompt))
	at := float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
	for _, name := range sortedKeys(recipe.Output.Splits) {
		if at -= recipe.Output.Splits[name]; at < 0 {
			return name
		}
	}
	return trainSplit
}

// lay cuts each split into files of even rows, over its pages in a shuffled order.
func (l *layout) lay(run store.Run, recipe *schema.Recipe, weights map[string][]pageRows) {
	for _, split := range sortedKeys(weights) {
		pages := weights[split]
		if split != rejectsSplit {
			shuffle(recipe.Seed, pages)
		}
		for i, f := range cut(pages, int64(recipe.Output.ShardMB)*1e6) {
			f.Split = split
			f.Key, f.Name = run.Shard(split, run.ID, i), fileName(split, i)
			if split == rejectsSplit {
				f.Key, f.Name = run.Rejected(i), fileName("rejected", i)
			}
			l.Files = append(l.Files, f)
		}
	}
	slices.SortStableFunc(l.Files, func(a, b filePlan) int { return cmp.Compare(order(a.Split), order(b.Split)) })
}

// order puts train first and the rejects last.
func order(split string) int {
	switch split {
	case trainSplit:
		return 0
	case rejectsSplit:
		return 2
	}
	return 1
}

func shuffle(seed uint64, pages []pageRows) {
	rng := rand.New(rand.NewPCG(seed, 0x5245544f5254)) //nolint:gosec // a shuffle
	rng.Shuffle(len(pages), func(i, j int) { pages[i], pages[j] = pages[j], pages[i] })
}

// cut makes files of even rows, each of about most bytes when compressed.
func cut(pages []pageRows, most int64) (files []filePlan) {
	var rows, bytes int64
	for _, p := range pages {
		rows, bytes = rows+int64(p.rows), bytes+p.bytes
	}
	n := max(1, (int64(float64(bytes)*compressed)+most-1)/max(most, 1))
	n = min(n, rows)
	page, from := 0, 0
	for i := range n {
		want := rows*(i+1)/n - rows*i/n
		f := filePlan{Rows: want, Bytes: bytes / n}
		for want > 0 {
			take := min(want, int64(pages[page].rows-from))
			f.Slices = append(f.Slices, rowSlice{pages[page].seq, from, from + int(take)})
			from, want = from+int(take), want-take
			if from == pages[page].rows {
				page, from = page+1, 0
			}
		}
		files = append(files, f)
	}
	return files
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func fileName(split string, i int) string { return fmt.Sprintf("%s-%05d", split, i) }
