package activities

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
)

// mixed is a recipe that publishes as many human rows as answers.
const mixed = `anchor: {from: human.jsonl, key: question, license: cc0-1.0, holdout: 0.3}
gate: {off: true}
mix: {human: 0.5}
`

// records are all of a version's shards, by id.
func (l *lab) records(n int) map[string]schema.Record {
	l.t.Helper()
	out := map[string]schema.Record{}
	for _, s := range l.manifest(n).Shards {
		body, err := l.store.Get(l.t.Context(), s.Key)
		l.must(err)
		for rec, err := range schema.ReadRecords(bytes.NewReader(body), int64(len(body))) {
			l.must(err)
			if _, twice := out[rec.ID]; twice {
				l.t.Errorf("record %s is there twice", rec.ID)
			}
			out[rec.ID] = *rec
		}
	}
	return out
}

func (l *lab) publishWhole(id string) *flow {
	l.t.Helper()
	if id != l.run.ID {
		l.begin(id)
		l.salt = id // new answers: what an earlier version has isn't admitted again
	}
	f := l.flow(l.rooms(l.store))
	f.whole()
	return f
}

// humanOf are the human rows, and holdout the texts that may be published.
func humanOf(records map[string]schema.Record) (rows []schema.Record) {
	for _, id := range slices.Sorted(maps.Keys(records)) {
		if r := records[id]; r.Origin == schema.OriginHuman {
			rows = append(rows, r)
		}
	}
	return rows
}

func (l *lab) holdout() map[string]bool {
	l.t.Helper()
	recipe, err := l.rooms(l.store).recipe(l.t.Context(), l.run)
	l.must(err)
	files, err := l.rooms(l.store).anchorFiles(l.t.Context(), l.run)
	l.must(err)
	anchor, err := CutAnchor(l.t.Context(), &prompt.Access{Config: l.config, Store: l.store}, recipe.Recipe, files)
	l.must(err)
	texts := map[string]bool{}
	for _, h := range anchor.Holdout {
		texts[h.Text] = true
	}
	for _, tw := range anchor.Twins {
		if texts[tw.Text] {
			l.t.Fatal("a twin is in the holdout")
		}
	}
	return texts
}

// Half of what is published is human text of the holdout alone, with its own origin, source, licence and generation; where a prompt
// has the same key it is that prompt's answer. Counts are kept apart and add up.
func TestMix(t *testing.T) {
	l := newLab(t, mixed)
	f := l.publishWhole("r1")
	m := l.manifest(1)
	if m.Counts.Human != m.Counts.Admitted || m.HumanShare != 0.5 || m.Generations["0"] != m.Counts.Human || m.Generations["1"] != m.Counts.Admitted ||
		!m.Counts.Reconciled() || len(m.Warnings) > 0 || m.Teachers[0].Admitted != m.Counts.Admitted {
		t.Fatalf("counts %+v, human share %v, generations %v, warnings %q, teacher admitted %d", m.Counts, m.HumanShare, m.Generations, m.Warnings, m.Teachers[0].Admitted)
	}
	asked := map[string]string{}
	for seq := range f.plan.Teachers[0].Pages {
		_, rows, err := l.rooms(l.store).Decided(t.Context(), l.ref, seq)
		l.must(err)
		for _, r := range rows {
			asked[r.Request.ID] = r.Request.Key
		}
	}
	holdout, answers := l.holdout(), 0
	for _, r := range humanOf(l.records(1)) {
		text := r.Answer()
		if !holdout[text] {
			t.Errorf("not from the holdout: %s", text)
		}
		if r.ID != schema.HumanID("human.jsonl", text) || r.Generation != 0 || r.Source != "human.jsonl" || r.SourceLicense != "cc0-1.0" ||
			r.Teacher != "" || r.RequestID != "" || r.Run != "r1" {
			t.Errorf("a human row %+v", r)
		}
		if r.PromptID == "" {
			if len(r.Messages) != 1 {
				t.Errorf("no prompt, but messages %v", r.Messages)
			}
			continue
		}
		answers++
		key := asked[r.PromptID]
		if text != essay("people on "+key) || len(r.Messages) != 2 || !strings.HasSuffix(r.Messages[0].Content, key) {
			t.Errorf("beside the prompt of %q: %v", key, r.Messages)
		}
	}
	want := 0
	for i := range prompts {
		if holdout[essay(fmt.Sprintf("people on topic %d", i))] {
			want++
		}
	}
	if answers != want || want == 0 {
		t.Errorf("%d human rows answer one of the prompts; the holdout has %d", answers, want)
	}
}

// The same recipe and text give the same files, byte for byte; every write may fail.
func TestMixIsDeterministic(t *testing.T) {
	shards := func(l *lab) map[string]string { return l.objects(l.run.Shard("train", l.run.ID, 0)[:len("p/d/data/")]) }
	l := newLab(t, mixed)
	l.publishWhole("r1")
	again := newLab(t, mixed)
	again.publishWhole("r1")
	one, two := shards(l), shards(again)
	if len(one) == 0 || !maps.Equal(one, two) {
		t.Errorf("%d and %d shards differ", len(one), len(two))
	}
}

// A second version doesn't publish a human text again that the first one has, which it keeps; one that supersedes may.
func TestMixOverVersions(t *testing.T) {
	l := newLab(t, strings.Replace(mixed, "0.5", "0.3", 1))
	l.publishWhole("r1")
	l.publishWhole("r2")
	one, two := l.manifest(1), l.manifest(2)
	records := l.records(2) // fails where a row is there twice
	if n := int64(len(humanOf(records))); one.Counts.Human == 0 || n != one.Counts.Human+two.Counts.Human {
		t.Errorf("%d human rows; %d and %d were counted", n, one.Counts.Human, two.Counts.Human)
	}
	l.recipe = strings.Replace(l.recipe, "license: cc-by-4.0\n", "license: cc-by-4.0\noutput: {previous: supersede}\n", 1)
	l.publishWhole("r3")
	three := humanOf(l.records(3))
	again := 0
	for _, r := range three {
		if _, ok := records[r.ID]; ok {
			again++
		}
	}
	if len(three) == 0 || again != len(three) {
		t.Errorf("%d human rows of version 3, %d of them as before", len(three), again)
	}
}

// Where the holdout has too few, what there is is published, and the manifest says so.
func TestMixSaysWhatIsMissing(t *testing.T) {
	l := newLab(t, strings.Replace(mixed, "0.5", "0.9", 1))
	l.publishWhole("r1")
	m := l.manifest(1)
	if int(m.Counts.Human) != len(l.holdout()) || len(m.Warnings) != 1 || !strings.HasPrefix(m.Warnings[0], "mix: ") {
		t.Errorf("%d human rows of a holdout of %d, warnings %q", m.Counts.Human, len(l.holdout()), m.Warnings)
	}
	l.publishWhole("r2") // the first version is kept: nothing is left
	if m := l.manifest(2); m.Counts.Human != 0 || !strings.Contains(m.Warnings[0], "had 0 human rows left") {
		t.Errorf("second version: %d human rows, warnings %q", m.Counts.Human, m.Warnings)
	}
}

// Without human text a version says how little there is.
func TestLowHumanShareIsSaid(t *testing.T) {
	l := newLab(t, "")
	l.publishWhole("r1")
	if m := l.manifest(1); len(m.Warnings) != 1 || !strings.HasPrefix(m.Warnings[0], "human_share: 0%") {
		t.Errorf("warnings %q", m.Warnings)
	}
}

// A human answer stands in the split of its prompt's other answers, and splits have their shares of human rows.
func TestMixSplits(t *testing.T) {
	l := newLab(t, mixed+"output: {splits: {test: 0.3}}\n")
	l.publishWhole("r1")
	splits, human := map[string]string{}, map[string]int{}
	for _, s := range l.manifest(1).Shards {
		body, err := l.store.Get(t.Context(), s.Key)
		l.must(err)
		for rec, err := range schema.ReadRecords(bytes.NewReader(body), int64(len(body))) {
			l.must(err)
			if was, ok := splits[rec.PromptID]; ok && rec.PromptID != "" && was != s.Split {
				t.Errorf("prompt %s is in %s and %s", rec.PromptID, was, s.Split)
			}
			splits[rec.PromptID] = s.Split
			if rec.Origin == schema.OriginHuman {
				human[s.Split]++
			}
		}
	}
	if human["test"] == 0 || human["train"] <= human["test"] {
		t.Errorf("human rows by split %v", human)
	}
}

// Shares are those of what is published.
func TestHumanRowsWanted(t *testing.T) {
	r := &schema.Recipe{Anchor: &schema.Anchor{From: "x"}}
	for share, want := range map[float64]int64{0: 0, 0.1: 111, 0.5: 1000, 0.95: 19000} {
		r.Mix.Human = share
		got := HumanRowsWanted(r, 1000)
		if got != want || math.Abs(float64(got)/float64(got+1000)-share) > 0.001 {
			t.Errorf("share %v: %d rows beside 1000", share, got)
		}
	}
}

// A human row that was retracted doesn't come back, and the rows that the retraction left in its shard aren't published a second time.
func TestMixAfterARetraction(t *testing.T) {
	l := newLab(t, strings.Replace(mixed, "0.5", "0.3", 1))
	l.publishWhole("r1")
	before := humanOf(l.records(1))
	gone := before[0].ID
	_, err := l.rooms(l.store).Retract(t.Context(), l.retraction("x1", schema.Retracted{Records: []string{gone}}))
	l.must(err)
	l.anew("r3")
	f := l.flow(l.rooms(l.store))
	f.whole()
	records := l.records(f.result.Version) // fails where a row is there twice
	if _, back := records[gone]; back || f.publish.Counts.Human == 0 || len(humanOf(records)) != len(before)-1+int(f.publish.Counts.Human) {
		t.Errorf("back: %v; %d human rows before, %d in the run, %d in all", back, len(before), f.publish.Counts.Human, len(humanOf(records)))
	}
}
