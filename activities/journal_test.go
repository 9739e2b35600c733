package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/retort-data/retort/schema"
	"github.com/retort-data/retort/store"
)

func journalOf(t interface{ Fatal(...any) }, s store.Store) *journal {
	r := &Rooms{Store: s}
	j, err := r.openJournal(context.Background(), store.NewDataset("bucket", "p", "d").Run("r1"), schema.PageRef{})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func said(request, text string) schema.Response {
	return schema.Response{RequestID: request, Text: text}
}

// Two attempts at once lose nothing: every part is kept, the first answer in order of keys counts for both, and both are paid for.
func TestTwoAttemptsAtOnce(t *testing.T) {
	s := store.NewMemory("bucket")
	ctx := t.Context()
	one, two := journalOf(t, s), journalOf(t, s)
	for _, put := range []struct {
		j    *journal
		head partHeader
		rows []schema.Response
	}{
		{one, partHeader{Spent: 10}, []schema.Response{said("a", "one")}},
		{two, partHeader{Spent: 7}, []schema.Response{said("a", "two"), said("b", "two")}},
		{one, partHeader{Spent: 30}, []schema.Response{said("b", "one"), said("c", "one")}},
	} {
		if err := put.j.put(ctx, put.head, put.rows); err != nil {
			t.Fatal(err)
		}
	}
	third := journalOf(t, s)
	for _, j := range []*journal{one, two, third} {
		if err := j.refresh(ctx); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, id := range []string{"a", "b", "c"} {
			got = append(got, j.answers[id].Text)
		}
		if want := []string{"one", "one", "one"}; !slices.Equal(got, want) {
			t.Errorf("answers %v, want %v: the first in order of keys", got, want)
		}
		if micros, _ := j.spent(); micros != 37 {
			t.Errorf("spent %d, want 30 and 7", micros)
		}
	}
	if third.attempt <= two.attempt {
		t.Errorf("the next attempt is %d after %d", third.attempt, two.attempt)
	}
}

// However attempts interleave: no answer is lost, all see the same ones in the end, and what they spent adds up.
func TestAttemptsInterleaved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := store.NewMemory("bucket")
		var open []*journal
		var want int64
		spent := map[*journal]int64{}
		put := map[string]bool{}
		for i := range rapid.IntRange(1, 12).Draw(t, "parts") {
			if len(open) == 0 || rapid.IntRange(0, 3).Draw(t, "opens") == 0 {
				open = append(open, journalOf(t, s))
			}
			j := open[rapid.IntRange(0, len(open)-1).Draw(t, "whose")]
			id := fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "request"))
			n := rapid.Int64Range(0, 50).Draw(t, "micros")
			spent[j] += n
			want += n
			put[id] = true
			if err := j.put(context.Background(), partHeader{Spent: spent[j]}, []schema.Response{said(id, fmt.Sprint(i))}); err != nil {
				t.Fatal(err)
			}
		}
		last := journalOf(t, s)
		if micros, _ := last.spent(); micros != want {
			t.Fatalf("spent %d, want %d", micros, want)
		}
		if len(last.answers) != len(put) {
			t.Fatalf("%d answers, want %d", len(last.answers), len(put))
		}
		for _, j := range open {
			if err := j.refresh(context.Background()); err != nil {
				t.Fatal(err)
			}
			for id, a := range last.answers {
				if j.answers[id].Text != a.Text {
					t.Fatalf("request %s: %q for one, %q for another", id, j.answers[id].Text, a.Text)
				}
			}
		}
	})
}

// What an attempt reserved and died with is charged in full; what it gave back with its last part isn't.
func TestReserveOfADeadAttempt(t *testing.T) {
	s := store.NewMemory("bucket")
	dead := journalOf(t, s)
	for _, head := range []partHeader{{Reserved: 100, ReservedCalls: 8}, {Reserved: 150, Spent: 60, ReservedCalls: 12, Calls: 5}} {
		if err := dead.put(t.Context(), head, nil); err != nil {
			t.Fatal(err)
		}
	}
	next := journalOf(t, s)
	if micros, calls := next.spent(); micros != 150 || calls != 12 {
		t.Errorf("charged %d and %d calls, want the reserve: 150 and 12", micros, calls)
	}
	if err := next.put(t.Context(), partHeader{Reserved: 20, Spent: 20, ReservedCalls: 1, Calls: 1}, nil); err != nil {
		t.Fatal(err)
	}
	if micros, calls := journalOf(t, s).spent(); micros != 170 || calls != 13 {
		t.Errorf("charged %d and %d calls, want 170 and 13", micros, calls)
	}
}

// deaf loses the first reply, and says on the repeat, as S3 does, that something stands there.
type deaf struct {
	store.Store
	heard bool
}

func (d *deaf) PutNew(ctx context.Context, key string, body []byte) error {
	err := d.Store.PutNew(ctx, key, body)
	if err == nil && !d.heard && strings.Contains(key, "/journal/") {
		d.heard = true
		return store.ErrExists
	}
	return err
}

// A part that stands there because the reply to its own put was lost isn't written, nor paid for, a second time.
func TestOwnPartStandsThere(t *testing.T) {
	s := store.NewMemory("bucket")
	j := journalOf(t, &deaf{Store: s})
	for i, spent := range []int64{40, 90} {
		if err := j.put(t.Context(), partHeader{Spent: spent}, []schema.Response{said(fmt.Sprint(i), "x")}); err != nil {
			t.Fatal(err)
		}
	}
	again := journalOf(t, s)
	if micros, _ := again.spent(); micros != 90 || len(again.answers) != 2 {
		t.Errorf("spent %d for %d answers, want 90 for 2", micros, len(again.answers))
	}
	// The same words of another attempt are not its own: both reserve.
	one, two := journalOf(t, s), journalOf(t, s)
	for _, j := range []*journal{one, two} {
		if err := j.put(t.Context(), partHeader{Reserved: 5}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if micros, _ := journalOf(t, s).spent(); micros != 100 {
		t.Errorf("spent %d, want 90 and twice 5", micros)
	}
}
