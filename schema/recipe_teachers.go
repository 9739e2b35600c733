package schema

import (
	"fmt"
	"strings"
)

// CheckTeachers finds what a recipe can't do with the teachers of a configuration: unknown names, terms that don't allow
// training (or aren't declared), a budget in dollars where a price is unknown, and what CheckAllowed finds.
func CheckTeachers(r *Recipe, c *Config) Faults {
	var faults Faults
	names := make([]string, len(c.Teachers))
	for i := range c.Teachers {
		names[i] = c.Teachers[i].Name
	}
	for i, use := range r.Teachers {
		path := fmt.Sprintf("teachers[%d].name", i)
		t := c.Teacher(use.Name)
		if t == nil {
			faults = append(faults, r.At(path, "there is no teacher "+quoteShort(use.Name)+" in "+configName(c), mendTeacher(use.Name, names)))
			continue
		}
		if f := termsFault(r, c, path, t); f != nil {
			faults = append(faults, *f)
		}
		if r.Budget.USD != nil && t.Price == nil {
			faults = append(faults, r.At("budget.usd", "the price of teacher "+quoteShort(t.Name)+" is unknown",
				"add `price: {input: …, output: …}` (USD for a million tokens) to it in "+configName(c)+", or use budget.requests"))
		}
	}
	faults = append(faults, CheckAllowed(r, c)...)
	_ = faults.Err() // sorts them
	return faults
}

func mendTeacher(name string, names []string) string {
	if near := Nearest(name, names); near != "" {
		return "did you mean `" + near + "`?"
	}
	if len(names) == 0 {
		return "declare it there, under `teachers`"
	}
	return "declared are: " + strings.Join(names, ", ")
}

func termsFault(r *Recipe, c *Config, path string, t *Teacher) *Fault {
	var f Fault
	switch t.Terms.Training {
	case "allowed":
		return nil
	case "forbidden":
		f = r.At(path, "the terms of teacher "+quoteShort(t.Name)+" forbid training on its answers", "choose another teacher")
	default:
		f = r.At(path, "the terms of teacher "+quoteShort(t.Name)+" are not declared",
			"read them, and where they allow training on its answers write `terms: {training: allowed, …}` to it in "+configName(c))
	}
	return &f
}

func configName(c *Config) string {
	if c.File == "" {
		return "temporal.yaml"
	}
	return c.File
}
