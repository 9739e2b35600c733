package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// damage makes an object of the store missing, shorter or other than it was.
func (l *lab) damage(rng *rand.Rand, key string) {
	l.t.Helper()
	body, err := l.store.Get(l.t.Context(), key)
	l.must(err)
	body = bytes.Clone(body)
	switch rng.IntN(3) {
	case 0:
		l.must(l.store.Delete(l.t.Context(), key))
	case 1:
		l.must(l.store.Put(l.t.Context(), key, body[:len(body)/2]))
	case 2:
		body[rng.IntN(len(body))] ^= 0x20
		l.must(l.store.Put(l.t.Context(), key, body))
	}
}

// decisionsOf are all decisions of the run, as they stand.
func (l *lab) decisionsOf(pages int) (out []string) {
	l.t.Helper()
	for seq := range pages {
		_, decisions, err := l.rooms(l.store).readDecisions(l.t.Context(), l.run, seq)
		l.must(err)
		for _, d := range decisions {
			line, err := json.Marshal(d)
			l.must(err)
			out = append(out, string(line))
		}
	}
	return out
}

// Objects of the index, of the run itself, of an earlier one and of a corpus, are damaged or deleted while pages are decided: that is said,
// they are made again, and the decisions and the root are those of a run that nothing happened to.
func TestDamagedIndexIsMadeAgain(t *testing.T) {
	var want, roots []string
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 7))
		l := newLab(t, "checks: {repetition: {do: tag}, exact: {do: tag}}\noutput: {splits: {test: 0.3}}\n")
		var corpus strings.Builder
		for i := range 8 {
			fmt.Fprintf(&corpus, "{\"text\": %q}\n", essay(fmt.Sprintf("Tell me about topic %dr2", 3*i))+"Indeed.")
		}
		l.file("corpus.jsonl", corpus.String())
		l.publishWhole("r1")
		l.salt = "r2"
		l.sources(prompts + 22) // pages enough for a compaction
		f, err := l.against("r2", "corpus.jsonl")
		l.must(err)
		hurt := 0
		f.rooms = func() *Rooms { // a cold worker for each step, so that all is read again
			for _, prefix := range []string{l.run.Index(), "p/d/_runs/r1/index/", "p/d/_layers/"} {
				for key := range l.objects(prefix) {
					if seed > 0 && !strings.HasSuffix(key, "layer.json") && rng.IntN(12) == 0 {
						l.damage(rng, key)
						hurt++
					}
				}
			}
			return l.rooms(l.store)
		}
		f.decide()
		got := l.decisionsOf(f.plan.Teachers[0].Pages)
		if seed == 0 {
			want, roots = got, []string{f.index}
			if f.publish.Counts.Rejected["near"] == 0 || f.publish.Counts.Admitted == 0 {
				t.Fatalf("nothing to tell apart: %+v", f.publish.Counts)
			}
			continue
		}
		if len(got) != len(want) || f.index != roots[0] || f.tries > 0 {
			t.Fatalf("seed %d: %d decisions, root %s, %d failed tries; want %d, %s, none", seed, len(got), f.index, f.tries, len(want), roots[0])
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("seed %d: decided %s, not %s", seed, got[i], want[i])
			}
		}
		if hurt < 10 || len(l.objects(l.run.Problem("index_mended"))) != 1 || !strings.Contains(l.logs.String(), "damaged or missing") {
			t.Errorf("seed %d: %d objects hurt; the log says %q", seed, hurt, l.logs.String())
		}
	}
}

// What can't be made again fails, and says what is lost; it is never guessed.
func TestLostIndexIsSaid(t *testing.T) {
	l := newLab(t, "")
	f := l.flow(l.rooms(l.store))
	f.decide()
	for key := range l.objects(l.run.Index()) {
		l.must(l.store.Delete(t.Context(), key))
	}
	other := l.objects(l.run.Inspected(schema.PageRef{Number: 1}))[l.run.Inspected(schema.PageRef{Number: 1})]
	l.must(l.store.Put(t.Context(), l.run.Inspected(schema.PageRef{Number: 0}), []byte(other)))
	last := f.plan.Teachers[0].Pages
	_, err := l.rooms(l.store).Admit(context.Background(), schema.AdmitInput{RunRef: l.ref, Page: schema.PageRef{Number: last - 1}, Seq: last, Root: f.index, RowsLeft: -1})
	if schema.KindOf(err) != schema.KindFailed || !strings.Contains(err.Error(), "near-duplicate index") {
		t.Errorf("%v", err)
	}
}
