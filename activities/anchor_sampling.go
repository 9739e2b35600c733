package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

// SamplingSince says in what a recipe samples otherwise than the run of the version that its answers are measured against, a line for each
// teacher that both ask. The gate can't tell what was meant from what went wrong: shorter or more even answers are held either way.
func SamplingSince(ctx context.Context, s store.Store, d store.Dataset, recipe *schema.Recipe) ([]string, error) {
	m, err := LoadManifest(ctx, s, d, recipe.Anchor.Version)
	if err != nil {
		return nil, err
	}
	text, err := s.Get(ctx, d.Run(m.Run).RecipeText())
	if notFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	then, err := schema.ParseRecipe("recipe.yaml", text)
	if err != nil { // of a build that knew other keys
		return nil, nil
	}
	var lines []string
	for _, now := range recipe.Teachers {
		i := slices.IndexFunc(then.Teachers, func(t schema.TeacherUse) bool { return t.Name == now.Name })
		if i < 0 {
			continue
		}
		if changes := parametersChanged(then.Sampling.Over(then.Teachers[i].Sampling), recipe.Sampling.Over(now.Sampling)); len(changes) > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s", now.Name, strings.Join(changes, ", ")))
		}
	}
	return lines, nil
}

// parametersChanged names the parameters that differ, with what they were and are.
func parametersChanged(then, now schema.Sampling) (changes []string) {
	was, is := parameters(then), parameters(now)
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !reflect.DeepEqual(was[name], is[name]) {
			changes = append(changes, fmt.Sprintf("%s %s → %s", name, orUnset(was[name]), orUnset(is[name])))
		}
	}
	return changes
}

func parameters(s schema.Sampling) map[string]any {
	b, err := json.Marshal(s)
	var m map[string]any
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		panic(err) // numbers and strings
	}
	return m
}

func orUnset(v any) string {
	if v == nil {
		return "unset"
	}
	return fmt.Sprint(v)
}
