package activities

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
)

// Every row of every page is in exactly one file, in order, and no file has two rows more than another.
func TestCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pages []pageRows
		var rows, bytes int64
		for seq := range rapid.IntRange(0, 12).Draw(t, "pages") {
			p := pageRows{seq: seq, rows: rapid.IntRange(1, 40).Draw(t, "rows")}
			p.bytes = int64(p.rows) * rapid.Int64Range(0, 500).Draw(t, "bytes")
			pages = append(pages, p)
			rows, bytes = rows+int64(p.rows), bytes+p.bytes
		}
		most := rapid.Int64Range(1, 20_000).Draw(t, "most")
		files := cut(pages, most)
		if (rows == 0) != (len(files) == 0) || int64(len(files)) > max(1, rows) {
			t.Fatalf("%d files of %d rows", len(files), rows)
		}
		var next []rowSlice // what the files have, joined again
		least, largest := rows, int64(0)
		for _, f := range files {
			var n int64
			for _, s := range f.Slices {
				if s.From >= s.To {
					t.Fatalf("an empty slice %+v", s)
				}
				n += int64(s.To - s.From)
				if last := len(next) - 1; last >= 0 && next[last].Seq == s.Seq && next[last].To == s.From {
					next[last].To = s.To
				} else {
					next = append(next, s)
				}
			}
			if n != f.Rows {
				t.Fatalf("a file of %d rows has slices of %d", f.Rows, n)
			}
			least, largest = min(least, n), max(largest, n)
		}
		if len(files) > 0 && largest-least > 1 {
			t.Fatalf("files of %d to %d rows", least, largest)
		}
		if len(next) != len(pages) {
			t.Fatalf("%d pages became %d: %v", len(pages), len(next), next)
		}
		for i, s := range next {
			if s.Seq != pages[i].seq || s.From != 0 || s.To != pages[i].rows {
				t.Fatalf("page %+v became %+v", pages[i], s)
			}
		}
	})
}

// Splits are drawn by prompt, at their shares, and the same in every run of a dataset.
func TestDrawSplit(t *testing.T) {
	recipe := &schema.Recipe{Dataset: "d"}
	recipe.Output.Splits = map[string]float64{"test": 0.1, "validation": 0.2}
	other := &schema.Recipe{Dataset: "other"}
	other.Output.Splits = recipe.Output.Splits
	counts, differs := map[string]int{}, 0
	const n = 20_000
	for i := range n {
		id := fmt.Sprintf("%032x", i)
		split := drawSplit(recipe, id)
		counts[split]++
		if split != drawSplit(recipe, id) {
			t.Fatal("a prompt was drawn twice to two splits")
		}
		if split != drawSplit(other, id) {
			differs++
		}
	}
	for split, share := range map[string]float64{"test": 0.1, "validation": 0.2, "train": 0.7} {
		if got := float64(counts[split]) / n; got < share-0.015 || got > share+0.015 {
			t.Errorf("%s has a share of %.3f, want %.1f", split, got, share)
		}
	}
	if differs == 0 {
		t.Error("two datasets draw alike")
	}
	if got := drawSplit(&schema.Recipe{}, "x"); got != "train" {
		t.Errorf("without splits all is %q", got)
	}
}

// All answers to a prompt stand in one split, and each split's files have what was admitted of its prompts.
func TestSplitsByPrompt(t *testing.T) {
	l, _, f := writtenRun(t, "checks: {repetition: {do: tag}, exact: {do: tag}, near: {do: tag}}\noutput: {splits: {test: 0.3}}\n")
	splits := map[string]map[string]bool{}
	rows := map[string]int64{}
	var written int64
	_, err := l.rooms(l.store).Publish(t.Context(), f.publish)
	l.must(err)
	for _, s := range l.manifest(1).Shards {
		rows[s.Split] += s.Rows
		written += s.Rows
	}
	for seq := range f.plan.Teachers[0].Pages {
		_, decided, err := l.rooms(l.store).Decided(t.Context(), l.ref, seq)
		l.must(err)
		for _, d := range decided {
			if splits[d.Request.ID] == nil {
				splits[d.Request.ID] = map[string]bool{}
			}
			splits[d.Request.ID][drawSplit(&schema.Recipe{Dataset: "d", Output: schema.Output{Splits: map[string]float64{"test": 0.3}}}, d.Request.ID)] = true
		}
	}
	if written != f.publish.Counts.Admitted || rows["test"] == 0 || rows["train"] == 0 || rows["test"]%2 != 0 {
		t.Errorf("rows by split %v of %d admitted: both samples of a prompt go together", rows, f.publish.Counts.Admitted)
	}
	test := 0
	for _, of := range splits {
		if of["test"] {
			test += 2
		}
	}
	if int64(test) != rows["test"] {
		t.Errorf("%d rows of test, want %d", rows["test"], test)
	}
}

// An object of a run that is damaged is an error that says so, never a panic.
func FuzzReadTable(f *testing.F) {
	l := newLines()
	for _, row := range []any{answersHeader{}, schema.Response{RequestID: "a", Text: "x"}, schema.Response{RequestID: "b"}} {
		if err := l.add(row); err != nil {
			f.Fatal(err)
		}
	}
	whole := l.packed()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	f.Add([]byte("{}\n{}\n"))
	f.Add(encoder().EncodeAll(nil, nil))
	f.Add(encoder().EncodeAll([]byte("\n\n"), nil))
	f.Add(encoder().EncodeAll([]byte("{\"page\": 7}\n[]\n"), nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := unpack("key", body)
		if err == nil {
			var head answersHeader
			if err = decode("key", rows[0], &head); err == nil {
				_, err = decodeRows[schema.Response]("key", rows[1:])
			}
		}
		if err != nil && schema.KindOf(err) != schema.KindFailed {
			t.Errorf("it is tried again: %v", err)
		}
	})
}
