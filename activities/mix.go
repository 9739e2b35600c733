package activities

import (
	"context"
	"fmt"
	"math"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// Mixes says whether a recipe publishes human rows beside its answers.
func Mixes(r *schema.Recipe) bool { return r.Mix.Human > 0 && r.Anchor != nil && r.Anchor.From != "" }

// ReadsHumanText says whether a run needs the anchor's files: to measure against them, or to publish of them.
func ReadsHumanText(r *schema.Recipe) bool {
	return Mixes(r) || r.Anchor != nil && r.Anchor.From != "" && !r.Gate.Off
}

// HumanRowsWanted is how many human rows make a share of mix.human beside so many answers.
func HumanRowsWanted(r *schema.Recipe, admitted int64) int64 {
	if !Mixes(r) {
		return 0
	}
	return int64(math.Round(float64(admitted) * r.Mix.Human / (1 - r.Mix.Human)))
}

// heldOut is a text of the anchor's holdout: neither in its profile nor a twin, so that it may be published.
type heldOut struct {
	Key  string `json:"key,omitempty"`
	Text string `json:"text"`
}

// putHoldout keeps the anchor's holdout beside the plan, in the order in which it is used.
func (r *Rooms) putHoldout(ctx context.Context, run store.Run, recipe *schema.Recipe, access *prompt.Access) error {
	if !Mixes(recipe) {
		return nil
	}
	if _, err := r.Store.Head(ctx, run.Holdout()); err == nil || !notFound(err) {
		return err
	}
	files, err := r.anchorFiles(ctx, run)
	if err != nil {
		return err
	}
	anchor, err := CutAnchor(ctx, access, recipe, files)
	if err != nil {
		return err
	}
	l := newLines()
	if err := l.add(struct{}{}); err != nil {
		return err
	}
	for _, h := range anchor.Holdout {
		if err := l.add(heldOut{h.Key, h.Text}); err != nil {
			return err
		}
	}
	return r.putOnce(ctx, run.Holdout(), l.packed(), func() error { return nil }) // equal by construction
}

// humanRow is a human text that the run publishes.
type humanRow struct {
	ID       string           `json:"id"`
	PromptID string           `json:"prompt_id,omitempty"`
	Messages []schema.Message `json:"messages"` // the prompt's, where the anchor's key names one, and the text as the last one
}

// humanHeader is the first line of a run's human rows.
type humanHeader struct {
	Wanted int64 `json:"wanted"` // for the share that the recipe asks for; there are fewer where the holdout was too small
	Rows   int64 `json:"rows"`
}

// mixIn chooses the run's human rows, once: texts of the holdout that no version which is kept has, those that answer one of the
// run's prompts first.
func (r *Rooms) mixIn(ctx context.Context, run store.Run, recipe *schema.Recipe, pages int, admitted int64) ([]humanRow, error) {
	wanted := HumanRowsWanted(recipe, admitted)
	if wanted == 0 {
		return nil, nil
	}
	if _, rows, err := r.readHuman(ctx, run); err == nil || !notFound(err) {
		return rows, err
	}
	free, err := r.freeTexts(ctx, run, recipe)
	if err != nil {
		return nil, err
	}
	prompts, err := r.promptsByKey(ctx, run, pages, free)
	if err != nil {
		return nil, err
	}
	rows := humanRows(recipe.Anchor.From, free, prompts)
	rows = rows[:min(int64(len(rows)), wanted)]
	l := newLines()
	if err := l.add(humanHeader{wanted, int64(len(rows))}); err != nil {
		return nil, err
	}
	for i := range rows {
		if err := l.add(&rows[i]); err != nil {
			return nil, err
		}
	}
	err = r.putOnce(ctx, run.Human(), l.packed(), func() error {
		_, rows, err = r.readHuman(ctx, run) // what stands there counts
		return err
	})
	return rows, err
}

func humanRows(source string, texts []heldOut, prompts map[string]schema.Prompt) []humanRow {
	var answers, others []humanRow
	for _, t := range texts {
		row := humanRow{ID: schema.HumanID(source, t.Text)}
		if p, ok := prompts[t.Key]; ok {
			row.PromptID, row.Messages = p.ID, p.Messages
		}
		row.Messages = append(row.Messages[:len(row.Messages):len(row.Messages)], schema.Message{Role: "assistant", Content: t.Text})
		if row.PromptID != "" {
			answers = append(answers, row)
		} else {
			others = append(others, row)
		}
	}
	return append(answers, others...)
}

func (r *Rooms) readHuman(ctx context.Context, run store.Run) (humanHeader, []humanRow, error) {
	var head humanHeader
	rows, err := readTable[humanRow](ctx, r, run.Human(), &head)
	return head, rows, err
}

// freeTexts are those of the holdout that no kept version has published, and that nobody has retracted.
func (r *Rooms) freeTexts(ctx context.Context, run store.Run, recipe *schema.Recipe) ([]heldOut, error) {
	all, err := readTable[heldOut](ctx, r, run.Holdout(), &struct{}{})
	if err != nil {
		return nil, err
	}
	used, err := r.usedHuman(ctx, run, recipe)
	if err != nil {
		return nil, err
	}
	free := all[:0]
	for _, t := range all {
		if id := schema.HumanID(recipe.Anchor.From, t.Text); !used[id] {
			used[id] = true
			free = append(free, t)
		}
	}
	return free, nil
}

// usedHuman are the ids of records that were retracted, and of human rows in the versions that this run's version will keep.
func (r *Rooms) usedHuman(ctx context.Context, run store.Run, recipe *schema.Recipe) (map[string]bool, error) {
	used := map[string]bool{}
	newest, err := NewestVersion(ctx, r.Store, run.Dataset)
	if err != nil || newest == 0 {
		return used, err
	}
	parent, err := LoadManifest(ctx, r.Store, run.Dataset, newest)
	if err != nil {
		return nil, err
	}
	if parent.Retracted != nil {
		for _, id := range parent.Retracted.Records {
			used[id] = true
		}
	}
	if recipe.Output.Previous != "keep" {
		return used, nil
	}
	runs, err := r.runsBehind(ctx, run.Dataset, parent)
	if err != nil {
		return nil, err
	}
	for _, id := range runs {
		_, rows, err := r.readHuman(ctx, run.Dataset.Run(id))
		if err != nil && !notFound(err) {
			return nil, err
		}
		for i := range rows {
			used[rows[i].ID] = true
		}
	}
	return used, nil
}

// runsBehind are the runs whose rows a version has. What a retraction left of a shard bears the retraction's name, not that of the run whose
// rows they are: then they are looked for in all versions, which at worst leaves a text unused that might have been published again.
func (r *Rooms) runsBehind(ctx context.Context, d store.Dataset, m *schema.Manifest) ([]string, error) {
	runs := map[string]bool{}
	for _, s := range m.Shards {
		runs[s.Run] = true
	}
	for n := 1; m.Retracted != nil && n < m.Version; n++ {
		old, err := LoadManifest(ctx, r.Store, d, n)
		if err != nil && !notFound(err) {
			return nil, err
		}
		if err == nil {
			for _, s := range old.Shards {
				runs[s.Run] = true
			}
		}
	}
	return sortedKeys(runs), nil
}

// promptsByKey finds the prompt that each text answers: of several, as from vary, the one of the smallest id.
func (r *Rooms) promptsByKey(ctx context.Context, run store.Run, pages int, texts []heldOut) (map[string]schema.Prompt, error) {
	keys := map[string]bool{}
	for _, t := range texts {
		if t.Key != "" {
			keys[t.Key] = true
		}
	}
	found := map[string]schema.Prompt{}
	for seq := range pages {
		head, _, err := r.readDecisions(ctx, run, seq)
		if err != nil {
			return nil, err
		}
		p, err := r.readPage(ctx, run, head.Page)
		if err != nil {
			return nil, err
		}
		for i := range p.requests {
			got := &p.requests[i].Prompt
			if old, ok := found[got.Key]; keys[got.Key] && (!ok || got.ID < old.ID) {
				found[got.Key] = *got
			}
		}
	}
	return found, nil
}

// Human rows are laid out like pages of answers, so that they are shuffled among them: chunk k has the number -1-k.
const humanChunk = 200

func humanSeq(chunk int) int { return -1 - chunk }

// chunkOf returns the rows of a chunk.
func chunkOf(rows []humanRow, seq int) []humanRow {
	from := (-1 - seq) * humanChunk
	return rows[min(from, len(rows)):min(from+humanChunk, len(rows))]
}

// splitOfHuman puts a human answer where the other answers to its prompt are.
func splitOfHuman(recipe *schema.Recipe, clusters *clusterTable, row *humanRow) string {
	if row.PromptID == "" {
		return drawSplit(recipe, row.ID)
	}
	return clusters.splitOf(recipe, row.PromptID)
}

// weighHuman adds chunks of human rows to the pages of each split.
func weighHuman(recipe *schema.Recipe, clusters *clusterTable, rows []humanRow, weights map[string][]pageRows) {
	for chunk := 0; chunk*humanChunk < len(rows); chunk++ {
		of := map[string]pageRows{}
		all := chunkOf(rows, humanSeq(chunk))
		for i := range all {
			split := splitOfHuman(recipe, clusters, &all[i])
			w := of[split]
			w.seq, w.rows = humanSeq(chunk), w.rows+1
			for _, m := range all[i].Messages {
				w.bytes += int64(len(m.Content))
			}
			of[split] = w
		}
		for split, w := range of {
			weights[split] = append(weights[split], w)
		}
	}
}

// humanSlice returns a chunk's rows of the file's split that the file has, as records.
func (w *fileWriter) humanSlice(ctx context.Context, s rowSlice) ([]*schema.Reject, error) {
	if w.human == nil {
		var err error
		if _, w.human, err = w.rooms.readHuman(ctx, w.run); err != nil {
			return nil, err
		}
	}
	var rows []*schema.Reject
	at := 0
	all := chunkOf(w.human, s.Seq)
	for i := range all {
		if splitOfHuman(w.recipe.Recipe, w.clusters, &all[i]) != w.plan.Split {
			continue
		}
		if at >= s.From && at < s.To {
			rows = append(rows, w.humanRecord(&all[i]))
		}
		at++
	}
	return rows, nil
}

func (w *fileWriter) humanRecord(row *humanRow) *schema.Reject {
	return &schema.Reject{Record: schema.Record{ID: row.ID, Messages: row.Messages, Generation: 0, Origin: schema.OriginHuman,
		Source: w.recipe.Anchor.From, SourceLicense: w.recipe.Anchor.License, PromptID: row.PromptID, ClusterSize: 1, Run: w.run.ID}}
}

// LeastHumanShare is the share of human text below which a version says so: without enough fresh human text each generation loses
// precision or recall (Alemohammad et al., Self-Consuming Generative Models Go MAD, ICLR 2024).
const LeastHumanShare = 0.10

// warnHuman says what a reader should know of a version's human share.
func (r *Rooms) warnHuman(ctx context.Context, run store.Run, m *schema.Manifest) error {
	head, _, err := r.readHuman(ctx, run)
	if err != nil && !notFound(err) {
		return err
	}
	if head.Rows < head.Wanted {
		m.Warnings = append(m.Warnings, fmt.Sprintf("mix: the anchor's holdout had %d human rows left of the %d that the recipe's share needs", head.Rows, head.Wanted))
	}
	if m.HumanShare < LeastHumanShare {
		m.Warnings = append(m.Warnings, fmt.Sprintf("human_share: %.0f%% of the records are human text, less than %.0f%%: train with human text beside them, or set mix.human",
			100*m.HumanShare, 100*LeastHumanShare))
	}
	return nil
}
