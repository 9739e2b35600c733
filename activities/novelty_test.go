package activities

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// noveltyRecipe has one message that is the same for all, and one of a column.
func noveltyRecipe(t testing.TB, least float64) *Recipe {
	t.Helper()
	r, err := schema.ParseRecipe("recipe.yaml", fmt.Appendf(nil, `dataset: d
prompts: [{from: q.jsonl, license: mit}]
messages: [{role: system, content: "You answer the questions of people who know little, in plain words and without asides."}, {role: user, content: "{{.q}}"}]
teachers: [{name: t}]
checks: {near: {near_prompt: %g}}
`, least))
	if err != nil {
		t.Fatal(err)
	}
	got, err := NewRecipe(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func noveltyPrompt(recipe *Recipe, text string) schema.Prompt {
	m := []schema.Message{{Role: "system", Content: recipe.Messages[0].Content}, {Role: "user", Content: text}}
	return schema.Prompt{ID: schema.PromptID(m), Messages: m}
}

// passedOn are the texts of the prompts that a filter of so many bytes of memory lets through.
func passedOn(t testing.TB, recipe *Recipe, texts []string, most, memory int64) (out []string, alike int64) {
	t.Helper()
	n, err := NewNovelty(t.Context(), recipe, most, memory, t.TempDir(), func(p schema.Prompt) error {
		out = append(out, p.Messages[1].Content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, text := range texts {
		if err := n.Add(t.Context(), noveltyPrompt(recipe, text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out, n.Alike
}

func shinglesOf(text string) map[string]bool {
	set, words := map[string]bool{}, strings.Fields(text)
	for i := range len(words) - 2 {
		set[strings.Join(words[i:i+3], " ")] = true
	}
	return set
}

func jaccardOf(x, y map[string]bool) float64 {
	both := 0
	for s := range x {
		if y[s] {
			both++
		}
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

// What is left out is alike to a prompt before it that was passed on, counted by brute force; what is passed on is not. In memory or on
// disk, the same.
func TestNoveltyLeavesOutWhatIsAlike(t *testing.T) {
	for _, least := range []float64{0.3, 0.5, 0.7, 0.9} {
		recipe := noveltyRecipe(t, least)
		rng := rand.New(rand.NewPCG(uint64(least*10), 5))
		var texts []string
		for i := range 700 {
			words := make([]string, 20)
			for j := range words {
				words[j] = fmt.Sprint("w", rng.IntN(4000))
			}
			if i > 0 && rng.IntN(3) > 0 {
				words = strings.Fields(texts[rng.IntN(i)])
				for range rng.IntN(4) {
					words[rng.IntN(len(words))] = fmt.Sprint("x", rng.IntN(99))
				}
			}
			texts = append(texts, strings.Join(words, " "))
		}
		got, alike := passedOn(t, recipe, texts, 0, 0)
		onDisk, _ := passedOn(t, recipe, texts, 0, 200_000)
		if !slices.Equal(got, onDisk) {
			t.Errorf("%g: %d passed on in memory, %d on disk", least, len(got), len(onDisk))
		}
		if int(alike)+len(got) != len(texts) || alike < 50 || len(got) < 50 {
			t.Errorf("%g: %d passed on, %d left out", least, len(got), alike)
		}
		missed := 0
		sets := make([]map[string]bool, len(got))
		for i := range got {
			sets[i] = shinglesOf(got[i])
			for j := range i {
				if jaccardOf(sets[i], sets[j]) >= least {
					missed++
				}
			}
		}
		if missed > len(texts)/100 {
			t.Errorf("%g: %d pairs of those passed on are alike", least, missed)
		}
	}
}

// A preview of some prompts takes the first that are new; without a threshold all are.
func TestNoveltyOfAFew(t *testing.T) {
	same := "What is to be said of thing number one and why does it matter to us"
	texts := []string{same, same + " all", "Another question about rivers that nobody has asked before today", "And a third one, of mountains and of the people who climb them"}
	if got, _ := passedOn(t, noveltyRecipe(t, 0.6), texts, 2, 0); !slices.Equal(got, []string{texts[0], texts[2]}) {
		t.Errorf("of two: %q", got)
	}
	r := noveltyRecipe(t, 0.6)
	r.Checks.Near.NearPrompt = 0
	if got, _ := passedOn(t, r, texts, 0, 0); len(got) != 4 {
		t.Errorf("without a threshold: %q", got)
	}
}

// A plan leaves alike prompts out, says how many, and is the same when it is made again.
func TestPlanLeavesAlikePromptsOut(t *testing.T) {
	l := newLab(t, "checks: {repetition: {do: tag}, near: {near_prompt: 0.6}}\n")
	var b strings.Builder
	for i := range 30 {
		fmt.Fprintf(&b, "{\"question\": \"%s and what follows from it, case %d\"}\n", essay(fmt.Sprint(i/3)), i)
	}
	l.file("questions.jsonl", b.String())
	l.begin("r2")
	plan, err := l.rooms(l.store).Plan(t.Context(), l.ref)
	l.must(err)
	if plan.Prompts != 10 || plan.Alike != 20 || plan.Requests != 20 {
		t.Errorf("%+v", plan)
	}
	pages := l.objects(l.run.Home() + "plan/")
	l.must(l.store.Delete(t.Context(), l.run.Plan()))
	for key := range pages {
		l.must(l.store.Delete(t.Context(), key))
	}
	if _, err = l.rooms(l.store).Plan(t.Context(), l.ref); err != nil {
		t.Fatal(err)
	}
	for key, body := range l.objects(l.run.Home() + "plan/") {
		if pages[key] != body {
			t.Errorf("%s differs", key)
		}
	}
}
