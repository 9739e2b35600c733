package activities

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/dedup"
	"github.com/retort-data/retort/prompt"
	"github.com/retort-data/retort/schema"
)

// rejects are a run's decisions that turn an answer away.
func (l *lab) rejects(f *flow) (out []schema.Decision) {
	l.t.Helper()
	for seq := range f.plan.Teachers[0].Pages {
		_, decisions, err := l.rooms(l.store).readDecisions(l.t.Context(), l.run, seq)
		l.must(err)
		for _, d := range decisions {
			if d.Outcome == schema.OutcomeRejected {
				out = append(out, d)
			}
		}
	}
	return out
}

// What a version has isn't admitted again: exact repeats of its answers are rejected, and say which record they repeat.
func TestEarlierVersionsAreComparedWith(t *testing.T) {
	l := newLab(t, "")
	l.publishWhole("r1")
	before := l.records(1)
	l.begin("r2")
	f := l.flow(l.rooms(l.store))
	f.decide()
	if f.publish.Counts.Admitted != 0 || f.publish.Counts.Rejected["exact"] != 2*prompts {
		t.Fatalf("%+v", f.publish.Counts)
	}
	for _, d := range l.rejects(f) {
		if rec, ok := before[d.Of]; !ok || rec.PromptID != d.PromptID || d.OfIn != "d/r1" {
			t.Errorf("%s repeats %q in %q", d.RequestID, d.Of, d.OfIn)
		}
	}
	var pinned []schema.ManifestSource
	l.must(l.rooms(l.store).getJSON(t.Context(), l.run.Sources(), &pinned))
	if last := pinned[len(pinned)-1]; last.Role != RoleEarlier || last.From != "d@1" {
		t.Errorf("pinned %+v", last)
	}
}

// The index of an earlier run with other parameters isn't guessed at: its shards are read, once for all runs.
func TestEarlierVersionsWithOtherParameters(t *testing.T) {
	l := newLab(t, "checks: {repetition: {do: tag}, near: {shingle: 3}}\n")
	l.publishWhole("r1")
	l.recipe = strings.Replace(l.recipe, "shingle: 3", "shingle: 4, bands: 20, rows: 5", 1)
	var layers []string
	for _, id := range []string{"r2", "r3"} {
		l.begin(id)
		f := l.flow(l.rooms(l.store))
		f.decide()
		if f.publish.Counts.Admitted != 0 || f.publish.Counts.Rejected["exact"] != 2*prompts {
			t.Fatalf("%s: %+v", id, f.publish.Counts)
		}
		layers = append(layers, fmt.Sprint(len(l.objects("p/d/_layers/"))))
	}
	if layers[0] == "0" || layers[0] != layers[1] {
		t.Errorf("objects of layers after each run: %v", layers)
	}
}

func TestSupersededVersionsAreNotComparedWith(t *testing.T) {
	l := newLab(t, "output: {previous: supersede}\n")
	one := l.publishWhole("r1")
	l.begin("r2")
	two := l.flow(l.rooms(l.store))
	two.decide()
	if one.publish.Counts.Admitted == 0 || two.publish.Counts.Admitted != one.publish.Counts.Admitted {
		t.Errorf("admitted %d and %d", one.publish.Counts.Admitted, two.publish.Counts.Admitted)
	}
}

// A version that is published while a run is under way changes nothing in it.
func TestWhatARunIsComparedWithIsPinned(t *testing.T) {
	l := newLab(t, "")
	first := l.ref
	l.begin("r2")
	second, run := l.ref, l.run
	l.ref, l.run = first, l.run.Dataset.Run("r1")
	l.flow(l.rooms(l.store)).whole()
	l.ref, l.run = second, run
	f := l.flow(l.rooms(l.store))
	f.decide()
	if f.publish.Counts.Admitted != prompts {
		t.Errorf("%+v", f.publish.Counts)
	}
}

// against begins a run whose recipe names what its answers are compared with.
func (l *lab) against(id, names string) (*flow, error) {
	l.t.Helper()
	l.recipe = strings.Replace(l.recipe, "checks: {", "checks: {near: {against: ["+names+"]}, ", 1)
	file := filepath.Join(l.dir, "recipe.yaml")
	l.must(os.WriteFile(file, []byte(l.recipe), 0o600))
	recipe, err := schema.LoadRecipe(file)
	l.must(err)
	access := &prompt.Access{Config: l.config, Store: l.store}
	found, err := ResolveAgainst(l.t.Context(), access, recipe, func(path, from string) ([]schema.PinnedFile, error) {
		return access.Resolve(l.t.Context(), recipe, path, from)
	})
	if err != nil {
		return nil, err
	}
	l.named = found
	l.begin(id)
	return l.flow(l.rooms(l.store)), nil
}

func TestAgainstOtherDatasetsFilesAndTheAnchor(t *testing.T) {
	ask := func(i int) string { return fmt.Sprintf("Tell me about topic %d", i) }
	write := func(l *lab, name string, from, to int) {
		var b strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "{\"text\": %q}\n", essay(ask(i))+"Indeed.")
		}
		l.must(os.WriteFile(filepath.Join(l.dir, name), []byte(b.String()), 0o600))
	}
	for name, c := range map[string]struct {
		more, names string
		of, in      string
		check       string
		want        int64
	}{
		"files":   {"", "corpus.jsonl", "corpus.jsonl:3", "corpus.jsonl", "near", 10},
		"anchor":  {"anchor: {from: human.jsonl, text: text}\ngate: {off: true}\n", "anchor", "human.jsonl:3", "anchor", "near", 20},
		"dataset": {"", "other", "", "other/o1", "exact", 2 * prompts},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, c.more)
			write(l, "corpus.jsonl", 0, 5)
			write(l, "human.jsonl", 0, 10)
			if name == "dataset" {
				own := l.recipe
				l.recipe = strings.Replace(own, "dataset: d", "dataset: other", 1)
				l.beginOf("other", "o1")
				l.flow(l.rooms(l.store)).whole()
				l.recipe = own
			}
			f, err := l.against("r2", c.names)
			l.must(err)
			f.decide()
			var got, named int64
			for _, d := range l.rejects(f) {
				if d.Reason == c.check && d.OfIn == c.in {
					got++
				}
				if d.Of == c.of {
					named++
				}
			}
			if got != c.want || c.of != "" && named != 2 {
				t.Errorf("%d rejected for %s of %s, %d for %s; counts %+v", got, c.check, c.in, named, c.of, f.publish.Counts)
			}
		})
	}
}

func TestAgainstFaultsAreSaid(t *testing.T) {
	for names, want := range map[string]string{"none": `there is no dataset or version "none"`, "d@7": `"d@7"`, "missing.jsonl": `there is no file "missing.jsonl"`, "anchor": "no human text as its anchor"} {
		l := newLab(t, "")
		_, err := l.against("r2", names)
		if err == nil || schema.KindOf(err) != schema.KindInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", names, err)
		}
	}
}

// pooled answers with one of some texts, a few words changed: many answers to different prompts are alike.
func (l *lab) pooled(seed uint64, texts int) {
	l.respond = func(w http.ResponseWriter, text string) bool {
		h := fnv.New64a()
		fmt.Fprint(h, text, l.salt, l.calls()) //nolint:errcheck // a hash
		rng := rand.New(rand.NewPCG(seed, h.Sum64()))
		words := strings.Fields(essay(fmt.Sprint("pool ", rng.IntN(texts))))
		for range rng.IntN(4) {
			words[rng.IntN(len(words))] = fmt.Sprint("w", rng.IntN(9))
		}
		answer(w, strings.Join(words, " "))
		return true
	}
}

// Over several versions, kept or superseded, whatever the scope: near-duplicates stand in one split, and so do all answers to a prompt.
func TestNearDuplicatesStandInOneSplit(t *testing.T) {
	type record struct{ split, prompt, text string }
	conflicts := int64(0)
	pairs, missed := 0, 0 // of all seeds: which texts meet depends on the order of the calls, and of a few pairs one may be missed
	for seed := range uint64(6) {
		do, previous := []string{"tag", "drop"}[seed%2], []string{"keep", "keep", "supersede"}[seed%3]
		l := newLab(t, fmt.Sprintf("checks: {repetition: {do: tag}, exact: {do: %s}, near: {do: %s}}\noutput: {splits: {test: 0.2, validation: 0.2}, previous: %s}\n", do, do, previous))
		var all []record
		for version := 1; version <= 3; version++ {
			l.salt = fmt.Sprint(version)
			l.sources(prompts + 3*version) // some prompts are new, the others are asked again
			l.pooled(seed, 14)
			f := l.publishWhole(fmt.Sprint("r", version+1))
			conflicts += f.publish.Counts.Rejected[schema.ReasonSplit]
			for _, s := range l.manifest(version).Shards {
				if s.Run != l.run.ID {
					continue
				}
				body, err := l.store.Get(t.Context(), s.Key)
				l.must(err)
				for rec, err := range schema.ReadRecords(bytes.NewReader(body), int64(len(body))) {
					l.must(err)
					all = append(all, record{s.Split, rec.PromptID, rec.Answer()})
				}
			}
		}
		sketcher, err := dedup.NewSketcher(dedup.DefaultParams)
		l.must(err)
		var sets [][]uint32
		splits := map[string]bool{}
		for _, r := range all {
			sets = append(sets, slices.Clone(sketcher.Sketch(r.text).Set))
			splits[r.split] = true
		}
		alike := 0
		for i := range all {
			for j := range i {
				if all[i].prompt == all[j].prompt && all[i].split != all[j].split {
					t.Fatalf("seed %d: answers to a prompt stand in %s and %s", seed, all[i].split, all[j].split)
				}
				jaccard := dedup.Jaccard(sets[i], sets[j])
				if jaccard < 0.8 {
					continue
				}
				alike++
				switch {
				case all[i].split == all[j].split:
				case jaccard >= 0.9: // found with a probability of .999998
					t.Fatalf("seed %d: texts with J = %.3f stand in %s and %s", seed, jaccard, all[i].split, all[j].split)
				default: // .987 at .8, and more by what both are alike to
					missed++
				}
			}
		}
		pairs += alike
		if alike < 25 || len(splits) < 2 {
			t.Errorf("seed %d: %d pairs alike in %v of %d records", seed, alike, splits, len(all))
		}
	}
	if missed*100 > pairs {
		t.Errorf("%d of %d pairs stand in two splits", missed, pairs)
	}
	if conflicts == 0 {
		t.Error("nothing ever hung together with two splits")
	}
}

// The largest clusters are described with members and samples; sizes stand on records and rejects.
func TestLargestClusters(t *testing.T) {
	l := newLab(t, "checks: {repetition: {do: tag}, exact: {do: tag}}\n")
	l.pooled(3, 6)
	l.publishWhole("r1")
	l.salt = "2"
	f := l.publishWhole("r2")
	var got schema.ClusterReport
	l.must(l.rooms(l.store).getJSON(t.Context(), l.run.LargestClusters(), &got))
	if got.Format != schema.ClusterFormat || got.Answers != f.publish.Counts.Admitted+f.publish.Counts.RejectedTotal() || got.Alike < got.Answers/2 || got.Clusters < 3 || int(got.Clusters) != len(got.Largest) {
		t.Fatalf("%+v", got)
	}
	records, earlier := l.records(2), 0
	for i, c := range got.Largest {
		if i > 0 && c.Size > got.Largest[i-1].Size || c.Size != c.Admitted+c.Rejected+c.Earlier || len(c.Members) != c.Size || len(c.Samples) == 0 {
			t.Errorf("cluster %d: %+v", i, c)
		}
		earlier += c.Earlier
		for _, m := range c.Members {
			rec, published := records[m.ID]
			if published != (m.Outcome != schema.OutcomeRejected) || m.Outcome == schema.OutcomeAdmitted && int(rec.ClusterSize) != c.Size {
				t.Errorf("member %+v of a cluster of %d: published %v, size %d", m, c.Size, published, rec.ClusterSize)
			}
		}
		for _, s := range c.Samples {
			if rec, ok := records[s.ID]; s.Text == "" || ok && !strings.HasPrefix(rec.Answer(), strings.TrimSuffix(s.Text, "…")) {
				t.Errorf("sample %+v", s)
			}
		}
	}
	if earlier == 0 {
		t.Error("no member is of the earlier version")
	}
}

// A night is compared with what the recipe names, too: local files as they were sent when the schedule was set.
func TestNightsAreComparedWithWhatTheRecipeNames(t *testing.T) {
	l := newLab(t, "anchor: {from: human.jsonl, text: text}\ngate: {off: true}\nschedule: {cron: \"0 2 * * *\"}\n")
	l.file("corpus.jsonl", "{\"text\": \"one\"}\n")
	l.file("human.jsonl", "{\"text\": \"two\"}\n")
	_, err := l.against("r2", "corpus.jsonl, anchor")
	l.must(err)
	recipe, err := schema.LoadRecipe(filepath.Join(l.dir, "recipe.yaml"))
	l.must(err)
	access := &prompt.Access{Config: l.config, Store: l.store}
	sources, err := access.ResolveAll(t.Context(), recipe)
	l.must(err)
	day := &Beginning{Recipe: recipe, Text: []byte(l.recipe), Config: l.config, Sources: sources, Against: l.named}
	if !day.ReadsLocal() {
		t.Error("it reads local files")
	}
	name, err := day.Set(t.Context(), l.store, l.run.Dataset, Setting{})
	l.must(err)
	var setting Setting
	l.must(l.rooms(l.store).getJSON(t.Context(), l.run.Setting(name), &setting))
	l.file("corpus.jsonl", "changed since\n")
	night, err := l.rooms(l.store).nightBeginning(t.Context(), schema.NightInput{Dataset: "d", Setting: name}, &setting)
	l.must(err)
	if len(night.Against) != 2 || night.Against[0].From != "corpus.jsonl" || night.Against[1].From != "anchor" {
		t.Fatalf("compared with %+v", night.Against)
	}
	for i, s := range night.Against {
		if len(s.Files) != 1 || s.Files[0].Bucket != "bucket" || s.Role != RoleAgainst {
			t.Errorf("%d: %+v", i, s)
		}
	}
}
