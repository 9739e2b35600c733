package teacher

import "strings"

// splitReasoning takes a leading <think>…</think> off an answer. Where it never ends (the answer was cut), all
// of it is reasoning.
func splitReasoning(text string) (reasoning, answer string) {
	rest, ok := strings.CutPrefix(strings.TrimLeft(text, " \t\r\n"), "<think>")
	if !ok {
		return "", text
	}
	reasoning, answer, ok = strings.Cut(rest, "</think>")
	if !ok {
		return strings.TrimSpace(rest), ""
	}
	return strings.TrimSpace(reasoning), strings.TrimLeft(answer, " \t\r\n")
}

// joinReasoning puts the reasoning fields and the reasoning found in the text together.
func joinReasoning(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" && (len(kept) == 0 || kept[len(kept)-1] != p) {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n\n")
}
