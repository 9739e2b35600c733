package activities

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/retort-data/retort/schema"
)

// newTrend publishes version 1 of some hundred answers and begins a run that is measured against it.
func newTrend(t *testing.T, more string) *lab {
	l := newLab(t, "")
	l.sources(400)
	l.begin("ra")
	first := l.flow(l.rooms(l.store))
	first.whole()
	if first.result.Version != 1 {
		t.Fatalf("published version %d", first.result.Version)
	}
	l.recipe += "anchor: {version: 1}\n" + more
	l.begin("rb")
	return l
}

func (l *lab) gateOfRun() []gatePlan {
	l.t.Helper()
	var plans []gatePlan
	l.must(l.rooms(l.store).getJSON(l.t.Context(), l.run.Gates(), &plans))
	return plans
}

// A second run is measured against what the first one's teachers said, rejects included, each answer beside one to the same prompt.
func TestTrendAgainstAVersion(t *testing.T) {
	l := newTrend(t, "gate: {ceilings: {refusal: 0.1}, false_alarm: 0.02}\n")
	f := l.flow(l.rooms(l.store))
	f.whole()
	plans := l.gateOfRun()
	if len(plans) != 2 || plans[0].Against != schema.AgainstVersion || plans[0].Version != 1 || plans[0].Options.Mode != "same" || plans[0].Options.Alpha != 0.01 {
		t.Fatalf("gates %+v", plans)
	}
	m, err := LoadManifest(t.Context(), l.store, l.run.Dataset, 2)
	l.must(err)
	g := m.Gate
	if g.Verdict != "pass" || g.Alpha != 0.02 || g.AlphaSpent != 0.02 || len(g.Gates) != 2 || len(g.Log) != 64 {
		t.Errorf("gate of the manifest %+v", g)
	}
	trend := g.Gates[0]
	if trend.Records != 800 || trend.Pairs < 200 || trend.ByKey < 100 || len(trend.Accounts) != 10 || g.Gates[1].Records != 800 {
		t.Errorf("trend %+v", trend)
	}
	last := m.Sources[len(m.Sources)-1]
	if last.Role != RoleVersion || last.From != "d@1" || last.Files[0].Key != l.run.Manifest(1) {
		t.Errorf("the version isn't among the sources: %+v", last)
	}
	if n := len(l.objects("p/d/_anchors/")); n != 1 {
		t.Errorf("%d anchors", n)
	}
}

// A teacher that says less than the version's is held, by a page's end; a release takes that for the new level, and spends α again.
func TestTrendHoldsAndIsReleased(t *testing.T) {
	l := newTrend(t, "")
	said := 0
	l.respond = func(w http.ResponseWriter, prompt string) bool {
		said++
		answer(w, strings.Repeat(fmt.Sprintf("The river is small and the river is large, and people carry water %d. ", said%3), 5))
		return true
	}
	f := l.flow(l.rooms(l.store))
	f.decide()
	held := -1
	for i, v := range f.verdicts {
		if v.State == "hold" {
			held = i
			break
		}
	}
	if held < 0 {
		t.Fatalf("never held: %+v", f.verdicts[len(f.verdicts)-1])
	}
	if v := f.verdicts[held]; v.Against != schema.AgainstVersion || v.Record == 0 || v.Record > 400 || v.Account == "" {
		t.Errorf("verdict %+v", v)
	}
	var kept HeldGate
	l.must(l.rooms(l.store).getJSON(t.Context(), l.run.GateVerdict(held), &kept))
	if len(kept.Gates) != 1 || len(kept.Gates[0].Examples) == 0 || kept.Answers[kept.Gates[0].Examples[0].Record] == "" || kept.Gates[0].Examples[0].TwinText == "" {
		t.Errorf("kept %+v", kept)
	}
	if text := kept.Text(); !strings.Contains(text, "version 1") || !strings.Contains(text, "beside: ") || !strings.Contains(text, "release") {
		t.Errorf("text for a person:\n%s", text)
	}
}

// The gates of a page are the same whether the worker remembers them, has just started, or lost its memory of some pages; and
// a page that is judged again says the same.
func TestGatesFollowFromThePages(t *testing.T) {
	defer func(n int) { snapshotPages = n }(snapshotPages)
	snapshotPages = 3
	outcomes := map[string]map[string]string{}
	for name, rooms := range map[string]func(*lab) func() *Rooms{
		"one worker": func(l *lab) func() *Rooms { r := l.rooms(l.store); return func() *Rooms { return r } },
		"always new": func(l *lab) func() *Rooms { return func() *Rooms { return l.rooms(l.store) } },
		"by turns": func(l *lab) func() *Rooms {
			n, two := 0, []*Rooms{l.rooms(l.store), l.rooms(l.store)}
			return func() *Rooms { n++; return two[n/3%2] }
		},
		"always new, no states": func(l *lab) func() *Rooms {
			return func() *Rooms {
				for key := range l.objects(l.run.Home() + "gate/") {
					if strings.HasSuffix(key, ".state") {
						l.must(l.store.Delete(t.Context(), key))
					}
				}
				return l.rooms(l.store)
			}
		},
		"always new, states of another program": func(l *lab) func() *Rooms {
			return func() *Rooms {
				for key := range l.objects(l.run.Home() + "gate/") {
					if strings.HasSuffix(key, ".state") {
						l.must(l.store.Put(t.Context(), key, []byte(`{"states":["cmV0b3J0LWdhdGUvMAo="]}`)))
					}
				}
				return l.rooms(l.store)
			}
		},
	} {
		l := newTrend(t, "")
		f := &flow{l: l, rooms: rooms(l)}
		f.decide()
		outcomes[name] = l.objects(l.run.Home() + "gate/")
		if f.publish.GateLog == "" {
			t.Fatalf("%s: no digest of the log", name)
		}
		outcomes[name]["digest"] = f.publish.GateLog
		if _, ok := outcomes[name][l.run.GateState(2)]; !ok && name != "always new, no states" {
			t.Errorf("%s: no state behind the third page", name)
		}
		if wrong, err := CheckGateLog(t.Context(), l.store, l.run, f.publish.GateLog); err != nil || wrong != "" {
			t.Errorf("%s: the log: %s %v", name, wrong, err)
		}
		again, err := l.rooms(l.store).Admit(t.Context(), schema.AdmitInput{RunRef: l.ref, Page: l.unbounded(f.plan.Teachers[0].Pages - 1).Page, Seq: f.plan.Teachers[0].Pages - 1, Root: f.root, Gate: f.gate, RowsLeft: -1})
		l.must(err)
		if again.Gate != f.publish.GateLog {
			t.Errorf("%s: judged again the last page gives %s, not %s", name, again.Gate, f.publish.GateLog)
		}
	}
	for name, got := range outcomes {
		for key, body := range outcomes["one worker"] {
			if got[key] != body && !(strings.HasSuffix(key, ".state") && strings.HasPrefix(name, "always new, ")) {
				t.Errorf("%s: %s differs", name, key)
			}
		}
	}
}

// Whatever is done to a gate's log, the object it was done to is named.
func TestGateLogIsChecked(t *testing.T) {
	l := newTrend(t, "")
	f := &flow{l: l, rooms: func() func() *Rooms { r := l.rooms(l.store); return func() *Rooms { return r } }()}
	f.decide()
	whole, last := l.objects(l.run.Home()+"gate/"), f.plan.Teachers[0].Pages-1
	for name, c := range map[string]struct {
		tamper func(l *lab, last int)
		says   string
	}{
		"a log written anew": {func(l *lab, _ int) {
			body, err := l.store.Get(t.Context(), l.run.GateLog(1))
			l.must(err)
			rows, err := unpack("", body)
			l.must(err)
			w := newLines()
			for i, row := range rows {
				if i == 1 {
					row = []byte(`[[0,1.5]]`)
				}
				l.must(w.add(json.RawMessage(row)))
			}
			l.must(l.store.Put(t.Context(), l.run.GateLog(1), w.packed()))
		}, "gate/000001.jsonl.zst was changed"},
		"the last one written anew": {func(l *lab, last int) {
			body, err := l.store.Get(t.Context(), l.run.GateLog(last))
			l.must(err)
			l.must(l.store.Put(t.Context(), l.run.GateLog(last), append(body, body...)))
		}, "isn't the one that the manifest names"},
		"bytes that are no log":    {func(l *lab, _ int) { l.must(l.store.Put(t.Context(), l.run.GateLog(1), []byte("x"))) }, "gate/000001.jsonl.zst was changed: it can't be read"},
		"two that changed places":  {func(l *lab, _ int) { l.swap(l.run.GateLog(0), l.run.GateLog(1)) }, "gate/000000.jsonl.zst was changed"},
		"one that is gone":         {func(l *lab, _ int) { l.must(l.store.Delete(t.Context(), l.run.GateLog(1))) }, "what followed it is gone"},
		"all of it gone":           {func(l *lab, _ int) { l.must(l.store.Delete(t.Context(), l.run.GateLog(0))) }, "gate/000000.jsonl.zst and those behind it, is gone"},
		"one more than there were": {func(l *lab, last int) { l.must(l.store.Put(t.Context(), l.run.GateLog(last+1), []byte("x"))) }, "that object was added"},
	} {
		c.tamper(l, last)
		if wrong, err := CheckGateLog(t.Context(), l.store, l.run, f.publish.GateLog); err != nil || !strings.Contains(wrong, c.says) {
			t.Errorf("%s: %q, %v; want %q", name, wrong, err, c.says)
		}
		l.must(l.store.Delete(t.Context(), l.run.GateLog(last+1)))
		for key, body := range whole {
			l.must(l.store.Put(t.Context(), key, []byte(body)))
		}
	}
}

// swap exchanges two objects.
func (l *lab) swap(one, two string) {
	l.t.Helper()
	a, err := l.store.Get(l.t.Context(), one)
	l.must(err)
	b, err := l.store.Get(l.t.Context(), two)
	l.must(err)
	l.must(l.store.Put(l.t.Context(), one, b))
	l.must(l.store.Put(l.t.Context(), two, a))
}
