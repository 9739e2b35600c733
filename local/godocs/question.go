package godocs

import (
	"path"
	"strings"
)

// question asks for r as a person would. Where the import path says more than
// the package's name does, it is named too: there are two packages template.
func question(kind, importPath, packageName string, names []string) string {
	if kind == "package" {
		return "What is Go's package " + importPath + " for?"
	}
	for i, n := range names {
		names[i] = packageName + "." + n
	}
	what := names[0]
	if importPath != path.Base(importPath) {
		what += " from " + importPath
	}
	switch kind {
	case "func":
		return "What does " + what + " do?"
	case "method":
		return "What does the method " + what + " do?"
	case "field":
		return "What is the field " + what + " for?"
	case "type":
		return "What is the Go type " + what + "?"
	case "const":
		return valueQuestion("constant", importPath, names)
	default:
		return valueQuestion("variable", importPath, names)
	}
}

// valueQuestion names one value or, of a group, at most three.
func valueQuestion(noun, importPath string, names []string) string {
	from := ""
	if importPath != path.Base(importPath) {
		from = " from " + importPath
	}
	switch len(names) {
	case 1:
		return "What is the " + noun + " " + names[0] + from + "?"
	case 2:
		return "What are the " + noun + "s " + names[0] + " and " + names[1] + from + "?"
	case 3:
		return "What are the " + noun + "s " + names[0] + ", " + names[1] + " and " + names[2] + from + "?"
	default:
		return "What are " + strings.Join(names[:2], ", ") + " and the other " + noun + "s declared with them" + from + "?"
	}
}
