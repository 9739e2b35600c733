package schema

import (
	"strings"
	"testing"
)

// Bounds for teachers and money are held against a recipe, each with the place and the line that mends it.
func TestAllowedTeachersAndBudget(t *testing.T) {
	yaml := shortConfig[:strings.Index(shortConfig, "teachers:")] + `teachers:
  - {name: t, base_url: "https://x.example/v1", model: m, terms: {training: allowed}, price: {input: 1, output: 2}}
  - {name: home, base_url: "https://y.example/v1", model: m, terms: {training: allowed}, price: {input: 0, output: 0}}
  - {name: unpriced, base_url: "https://z.example/v1", model: m, terms: {training: allowed}}
`
	const usd, requests, teachers = "allow: {budget: {usd: 12.5}}\n", "allow: {budget: {requests: 300}}\n", "allow: {teachers: [home]}\n"
	for _, c := range []struct{ name, allow, recipe, want string }{
		{"all open", "", shortRecipe, ""},
		{"a teacher that may be used", teachers, with("{name: t}", "{name: home}"), ""},
		{"one that may not", teachers, shortRecipe, "recipe.yaml:4:19: teachers[0].name: recipes may not use teacher \"t\"\n  allow.teachers in temporal.yaml allows: home"},
		{"no budget", usd, shortRecipe, "recipe.yaml:1:1: budget: has no usd, and allow.budget.usd in temporal.yaml lets a run spend $12.50 at most\n  write `budget: {usd: 12.50}`, or less"},
		{"requests are no dollars", usd, shortRecipe + "budget: {requests: 5}\n", "recipe.yaml:5:1: budget: has no usd, and allow.budget.usd in temporal.yaml lets a run spend $12.50 at most\n  write `budget: {usd: 12.50}`, or less"},
		{"just enough", usd, shortRecipe + "budget: {usd: 12.5}\n", ""},
		{"too much", usd, shortRecipe + "budget: {usd: 13}\n", "recipe.yaml:5:15: budget.usd: is 13, and allow.budget.usd in temporal.yaml lets a run spend $12.50 at most\n  write `budget: {usd: 12.50}`, or less"},
		{"what is free needs none", usd, with("{name: t}", "{name: home}"), ""},
		{"what is unpriced may cost anything", usd, with("{name: t}", "{name: unpriced}"), "recipe.yaml:1:1: budget: has no usd, and allow.budget.usd in temporal.yaml lets a run spend $12.50 at most\n  write `budget: {usd: 12.50}`, or less"},
		{"few requests", requests, shortRecipe + "budget: {requests: 300}\n", ""},
		{"no bound of requests", requests, shortRecipe, "recipe.yaml:1:1: budget: has no requests, and allow.budget.requests in temporal.yaml lets a run send 300 at most\n  write `budget: {requests: 300}`, or less"},
		{"too many requests", requests, shortRecipe + "budget: {requests: 301}\n", "recipe.yaml:5:20: budget.requests: is 301, and allow.budget.requests in temporal.yaml lets a run send 300 at most\n  write `budget: {requests: 300}`, or less"},
	} {
		config, err := ParseConfig("temporal.yaml", []byte(yaml+c.allow))
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseRecipe("recipe.yaml", []byte(c.recipe))
		if err != nil {
			t.Fatal(err)
		}
		if got := CheckTeachers(r, config).Error(); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", c.name, got, c.want)
		}
	}
}
