package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// inspect needs no configuration; its statuses and the fields of its JSON are what the README promises.
func TestInspect(t *testing.T) {
	t.Setenv("RETORT_CONFIG", "")
	t.Chdir(t.TempDir())
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("a.jsonl", strings.Repeat(`{"text":"A receive from a closed channel returns at once, with the zero value of the channel's element type."}`+"\n", 2))
	put("bad.jsonl", "{\"text\":\"x\"}\nnope\n")
	put("wide.txt", numbered(700, 5000))
	put("narrow.txt", numbered(300, 40))
	put("evals.jsonl", `{"task_id":"T7","question":"What does a receive from a closed channel return, and when does it return that?","answer":"At once, with the zero value of the channel's element type."}`+"\n")
	put("evals.yaml", "dataset: d\nlicense: mit\nprompts: [{from: a.jsonl, license: mit}]\nmessages: [{role: user, content: hello}]\nteachers: [{name: t}]\n"+
		"checks: {contamination: {against: [evals.jsonl]}, exact: off}\n")
	put("anchored.yaml", "dataset: d\nlicense: mit\nprompts: [{from: a.jsonl, license: mit}]\nmessages: [{role: user, content: hello}]\nteachers: [{name: t}]\n"+
		"anchor: {from: people.csv, text: said, license: mit}\nchecks: {near: {against: [anchor, evals.jsonl, other@3]}}\n")
	put("people.csv", "said\n\"A receive from a closed channel returns at once,  with the zero value of the channel's element type.\"\n")
	for line, c := range map[string]struct {
		status      int
		out, errors string
	}{
		"inspect a.jsonl":                                           {0, "1 exact", ""},
		"inspect bad.jsonl":                                         {2, "", "bad.jsonl:2"},
		"inspect nope.jsonl":                                        {2, "", "no such file"},
		"inspect a.jsonl --tolerance some":                          {2, "", "--tolerance"},
		"inspect a.jsonl --checks nope.yaml":                        {2, "", "nope.yaml: there is no such file"},
		"inspect a.jsonl --checks evals.yaml":                       {0, "rejected    2        contamination", ""},
		"inspect a.jsonl --checks anchored.yaml -o out":             {0, "rejected    2        exact", ""},
		"inspect a.jsonl --checks anchored.yaml":                    {0, "not compared with other@3", ""},
		"inspect":                                                   {2, "", "<files>"},
		"inspect a.jsonl --pairs p.tsv":                             {0, "pairs       1", ""},
		"inspect narrow.txt --anchor wide.txt --tolerance 0":        {3, "gate        hold", ""},
		"inspect narrow.txt --anchor wide.txt --tolerance 0 --json": {3, `"verdict": "hold"`, ""},
	} {
		var out, errs bytes.Buffer
		if got := run(strings.Fields(line), &out, &errs); got != c.status || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.errors) {
			t.Errorf("retort %s: status %d, want %d\n%s\n%s", line, got, c.status, out.String(), errs.String())
		}
	}
	var out, errs bytes.Buffer
	if got := run([]string{"inspect", "a.jsonl", "--json", "--pairs", "p.tsv"}, &out, &errs); got != 0 {
		t.Fatal(got, errs.String())
	}
	var doc map[string]any
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"records", "kept", "rejected.exact", "duplicates.exact", "duplicates.near", "pairs", "signals.words.value", "signals.words.anchor",
		"signals.words.tolerance", "gate.verdict", "gate.wealth", "gate.alarm_at_record", "gate.signal"} {
		at, ok := any(doc), true
		for key := range strings.SplitSeq(path, ".") {
			object, isObject := at.(map[string]any)
			if at, ok = object[key]; !ok || !isObject {
				t.Errorf("no %s in %s", path, out.String())
				break
			}
		}
	}
}

// numbered are lines of thirty words out of a vocabulary, no two alike.
func numbered(lines, vocabulary int) string {
	var b strings.Builder
	x := uint32(1)
	for range lines {
		for range 30 {
			x = x*1664525 + 1013904223
			fmt.Fprintf(&b, "w%d ", int(x>>8)%vocabulary)
		}
		b.WriteString("\n")
	}
	return b.String()
}
