package activities

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// A provider puts another model behind the name in mid-run: the pages' counts have digests, the log and the manifest the names.
func TestServedModelChanges(t *testing.T) {
	l := newLab(t, "")
	calls := 0
	l.respond = func(w http.ResponseWriter, text string) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		model := "m-2026"
		if calls++; calls > 15 {
			model = "m-2027-quantized"
		}
		send(w, map[string]any{"model": model, "choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": essay(text)}, "finish_reason": "stop"}},
			"usage": map[string]any{"prompt_tokens": 10, "completion_tokens": 50}})
		return true
	}
	r := l.rooms(l.store)
	f := l.flow(r)
	f.whole()
	var m schema.Manifest
	body, err := l.store.Get(t.Context(), l.run.Manifest(1))
	l.must(err)
	l.must(json.Unmarshal(body, &m))
	want := "teacher tester changed while the run went on: it answered as m-2026, then as m-2027-quantized"
	if !slices.Contains(m.Warnings, want) {
		t.Errorf("warnings %q", m.Warnings)
	}
	if !strings.Contains(l.logs.String(), "the teacher's model changed while the run went on") {
		t.Error("the log doesn't say so")
	}
	var served []string
	for n := range f.plan.Teachers[0].Pages {
		head, _, err := r.readAnswers(t.Context(), l.run, schema.PageRef{Number: n})
		l.must(err)
		served = append(served, head.Counts.Served...)
	}
	slices.Sort(served)
	if names := slices.Compact(served); len(names) != 2 || strings.Contains(strings.Join(names, ""), "m-20") {
		t.Errorf("digests %q", names)
	}
}

// One name all along is no change.
func TestServedModelStays(t *testing.T) {
	l := newLab(t, "")
	l.flow(l.rooms(l.store)).whole()
	if warnings, err := l.rooms(l.store).servedWarnings(t.Context(), l.run); err != nil || len(warnings) != 0 {
		t.Errorf("%q %v", warnings, err)
	}
}

// What a process remembers of names doesn't grow with its runs, and what it has forgotten is put again without a fault or a warning.
func TestServedKeysAreBounded(t *testing.T) {
	l := newLab(t, "")
	r := l.rooms(l.store)
	j, name := &journal{run: l.run}, Served{Teacher: "tester", Model: "m"}
	for i := range 2 * mostServedKeys {
		r.served.note(fmt.Sprint(i))
		if len(r.served.keys) > mostServedKeys {
			t.Fatalf("%d keys are kept", len(r.served.keys))
		}
		if i%mostServedKeys == 0 {
			l.must(r.putServed(t.Context(), j, "digest", name))
			if !r.served.known(l.run.Served(0, "digest")) {
				t.Error("a name that was put isn't known")
			}
		}
	}
	if names, err := ServedNames(t.Context(), l.store, l.run); err != nil || len(names["tester"]) != 1 || strings.Contains(l.logs.String(), "model changed") {
		t.Errorf("%v %v %s", names, err, l.logs)
	}
}
